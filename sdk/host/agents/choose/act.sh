# shellcheck shell=sh disable=SC2154,SC2034 # what main.sh sets and reads
# What is done about it: an endpoint is changed, and nothing else. Part of choose.sh on a host.

# carry_out: what is in $run/said.
carry_out() {
  watch='' names='' pause=$probe
  while read -r verb rest; do
    case $verb in
      log) printf '%s\n' "$rest" ;;
      set) call "$rest" || printf 'unset %s\n' "$rest" >>"$run/unset" ;;
      resolve) names="$names $rest" ;;
      watch) watch=yes ;;
      status) mv "$overlay_run/choice.new" "$overlay_run/choice" && tell_rosenpass ;;
      wait) pause=$rest ;;
    esac
  done <"$run/said"
}

# What exchanges keys goes the same way. One that does not read keeps nobody waiting: fifo(7), a read-write open.
tell_rosenpass() {
  set +f
  for lines in "$overlay_run"/rosenpass/*/lines; do
    [ ! -p "$lines" ] || echo tick 1<>"$lines"
  done
}

# call 'DEVICE KEY ENDPOINT KEEPALIVE': the peer is called there at once; else its next packet would undo it. What makes that
# call is a keepalive that begins (drivers/net/wireguard/netlink.c, set_peer). A peer that is not there wg would make: so
# nobody may take it away meanwhile.
call() ( # pends() of lock.sh leaves globbing off
  # shellcheck disable=SC2086 # words
  set -- $1
  group=''
  [ ! -r "/sys/class/net/$1/netdev_group" ] || read -r group <"/sys/class/net/$1/netdev_group"
  [ "$group" = 28417 ] || return 1
  {
    flock -w 1 9 && ! pends && timeout 5 wg show "$1" peers | grep -q -x -F -e "$2" &&
      timeout 5 wg set "$1" peer "$2" persistent-keepalive 0 \
        peer "$2" endpoint "$3" persistent-keepalive "$([ "$4" != 0 ] && echo "$4" || echo 25)" || return 1
    [ "$4" != 0 ] || timeout 5 wg set "$1" peer "$2" persistent-keepalive 0
  } 9>>"$overlay_run/lock"
)
