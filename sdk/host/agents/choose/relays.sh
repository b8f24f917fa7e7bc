# shellcheck shell=sh disable=SC2154,SC2034 # what main.sh sets and reads
# Routes by way of relays: what relays.awk says is carried out, and nothing else. Part of choose.sh on a host.

# relays_due: now and then; and at once where a device by which something goes is another than it was.
relays_due() {
  [ -n "$relaying" ] || return
  [ "$seconds" -lt "$next_relays" ] || return 0
  for it in $through; do
    index_of "${it%:*}"
    [ "$index" = "${it#*:}" ] || return 0
  done
  return 1
}

# index_of DEVICE: in $index, without a process; nothing where there is none.
index_of() {
  index=''
  [ ! -r "/sys/class/net/$1/ifindex" ] || read -r index <"/sys/class/net/$1/ifindex"
}

# relays: what could not be done is tried again in the next round; where a wireguard-go hangs, a minute later.
relays() {
  next_relays=0
  if hung; then return 0; fi
  : >"$run/failed"
  plan_relays || return 0
  read -r word <"$run/relays"
  if [ "$word" != changed ] || route_relays; then next_relays=$((seconds + 30)); fi
  sed -n 's/^refused //p' "$run/relays" >>"$run/failed"
  grep -v -x -F -f "$run/refused" "$run/failed"
  mv "$run/failed" "$run/refused"
  through=''
  [ ! -e "$overlay_run/choice" ] || while read -r word it _; do
    [ "$word" != relayed ] || { index_of "$it" && through="$through $it:$index"; }
  done <"$overlay_run/choice"
}

# plan_relays: what is to be, and what that asks for, in $run/relays. Where wg(8) does not answer, nothing is known.
plan_relays() {
  {
    timeout 5 wg show all allowed-ips >"$run/allowed" || { hangs $?; return 1; }
    sed 's/^/allowed /' "$run/allowed"
    ip -N -o route show proto 111 2>/dev/null
    ip -6 -N -o route show proto 111 2>/dev/null
    grep -H . /sys/class/net/*/netdev_group /sys/class/net/*/mtu 2>/dev/null
    grep -s -h '^ip route add ' /etc/overlay/boot.d/*
    grep -s '^relayed ' "$overlay_run/choice"
  } >"$run/routes"
  awk -f "$lib/prefix.awk" -f "$lib/relays.awk" "$truth/conf" "$run/known" "$run/routes" >"$run/relays"
}

# route_relays: planned once more with the lock in hand. A route is in the status file before it is there, and until it is
# gone: else a run would take it for somebody's.
route_relays() ( # pends() of lock.sh leaves globbing off
  {
    flock -n 9 && ! pends && set +f && plan_relays || return
    sed -n '/^relayed /p' "$run/relays" >"$run/more"
    status none "$run/more"
    : >"$run/more"
    made=yes code=0
    while read -r verb rest; do
      # shellcheck disable=SC2086 # words
      case $verb in
        del) ip route del $rest 2>/dev/null ;;
        replace)
          made=yes
          ip route replace $rest 2>"$run/error" || {
            made='' code=1
            printf 'ip route replace %s: %s\n' "$rest" "$(cat "$run/error")" >>"$run/failed"
          }
          ;;
        keep) made=yes ;;
        relayed) [ -z "$made" ] || printf 'relayed %s\n' "$rest" >>"$run/more" ;;
        log) [ -z "$made" ] || printf '%s\n' "$rest" ;;
      esac
    done <"$run/relays"
    status relayed "$run/more"
    return "$code"
  } 9>>"$overlay_run/lock"
)

# status WORDS [FILE]: the status file without the lines that begin with one of the words, and with those of a file.
status() {
  { grep -s -v -E -e "^($1) " "$overlay_run/choice"; cat ${2+"$2"} </dev/null; } |
    awk '!seen[$0]++' >"$overlay_run/choice.new"
  mv "$overlay_run/choice.new" "$overlay_run/choice"
}

# no_relays: without the lock, for whoever disables the unit may have it, and waits.
no_relays() {
  awk '$1 == "relayed" { print "route del " $3 " dev " $2 " proto 111 metric " $7 }' "$overlay_run/choice" 2>/dev/null |
    ip -force -batch - 2>/dev/null
}
