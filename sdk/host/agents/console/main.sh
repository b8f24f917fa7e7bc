# shellcheck shell=sh
# What overlay-host is told to do.

main() {
  export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  umask 077
  asks=yes wanted='' action=''
  for word in "$@"; do
    case $word in
      --yes | -y) asks='' ;;
      -h | --help) action=help ;;
      -*) misused "it has no option $word" ;;
      *) if [ -z "$action" ]; then action=$word; else wanted="$wanted${wanted:+ }$word"; fi ;;
    esac
  done
  case $action in
    '' | help) usage && return ;;
    rollback) case $wanted in *[!0-9]*) misused "\"$wanted\" is no generation's number" ;; esac ;;
    status | stop | start | export) [ -z "$wanted" ] || misused "$action takes no \"$wanted\"" ;;
    *) misused "it cannot \"$action\"" ;;
  esac
  [ "$(id -u)" = 0 ] || fail "this is for root: sudo overlay-host $action"
  steps=/usr/local/lib/overlay/steps.sh
  [ -r "$steps" ] || fail "$steps is gone: \`pulumi refresh\` and \`pulumi up\` bring it back"
  # shellcheck source=sdk/host/agents/steps.sh
  . "$steps"
  mkdir -p "$overlay_run"
  "host_$action"
}

say() { printf '%s\n' "$*" || :; }
fail() { printf 'overlay-host: %s.\n' "$*" >&2 && exit 1; }
misused() { printf 'overlay-host: %s. What it can do:\n\n%s\n' "$*" "$(usage)" >&2 && exit 2; }

# What is begun comes to its end, also where it takes down the link by which somebody is logged in.
take_the_host() {
  ! pends || say 'A change of another run waits for its confirmation, or is taken back within seconds: waiting for that.'
  { lock && nothing_pends; } || fail 'another run has been changing this host for 30 s: wait until it has ended, or look at who it is: fuser -v /run/overlay/lock'
  trap '' HUP INT PIPE
}

# agreed QUESTION: somebody at a terminal is asked; a script has to say --yes.
agreed() {
  [ -n "$asks" ] || return 0
  [ -t 0 ] || fail 'nothing was done, for there is no terminal to ask at: --yes goes without'
  printf '%s [y/N] ' "$1"
  read -r answer || answer=''
  case $answer in y | Y | yes) ;; *) fail 'nothing was done' ;; esac
}

host_stop() {
  own_way=$(way_of_this_login)
  [ -z "$own_way" ] || agreed "You are logged in by $own_way, which goes down with the rest. Go on?"
  take_the_host
  mkdir -p "$overlay_run/nothing"
  turn "$overlay_etc/boot.d" "$overlay_run/nothing" | sed 's/^- systemctl disable --now /- systemctl stop /' >"$overlay_run/steps"
  : >"$overlay_run/boot.todo" # what overlay-late still tries
  : >"$overlay_run/stopped"
  take_down
  sweep
  rmdir "$overlay_run/nothing" && rm -f "$overlay_run/steps"
  left=$(our_devices && our_tables)
  [ -z "$left" ] || fail "this is still there: $(printf %s "$left" | tr '\n' ' ')"
  say "The overlay of this host is down; its files and keys are kept. A reboot or \`overlay-host start\` brings it back."
}

host_start() {
  [ -n "$(boot_lines)" ] || fail 'there is nothing to start: /etc/overlay/boot.d has no file'
  take_the_host
  rm -f "$overlay_run/stopped"
  # A table keeps the rules that it has, or they would be there twice: one that has lost some is made again.
  missing_lines | sed -n 's/^nft add rule \(inet overlay[^ ]*\) .*/- nft delete table \1/p' | sort -u >"$overlay_run/steps"
  take_down
  boot_lines | sed -e p -e '/^psk /!d' -e 's/.* /systemctl start overlay-rosenpass@/' -e 's/$/.service/' >"$overlay_run/lines"
  bring_up
  say 'The overlay of this host is up, as its boot files say.'
}

# Nobody else has to wait while somebody thinks about the answer, so all is looked at once more afterwards.
host_rollback() {
  number=${wanted:-$(generations | tail -n 1)}
  [ -n "$number" ] || fail 'there is no generation to go back to: no run has changed the boot files of this host yet'
  there=$overlay_etc/generations/$number
  [ -d "$there" ] || fail "there is no generation $number; there are: $(generations | paste -s -d ' ')"
  shown=$(turn "$overlay_etc/boot.d" "$there")
  say "Back to generation $number, what this host booted from until $(until_when "$there"):"
  say "${shown:-  the same as now}"
  printf '%s\n' "$shown" | sed -n 's/^+ wg set \([^ ]*\) .* private-key \([^ ]*\).*/\1 \2/p' | while read -r device key; do
    [ -s "$key" ] || say "WARNING: the key of $device from then is gone ($key): it will not come up, or with the key of now."
  done
  printf '%s\n' "$shown" | sed -n 's/^- systemctl disable --now overlay-rosenpass@\(.*\)\.service/\1/p' | while read -r name; do
    say "WARNING: the other end of $name goes on with post-quantum keys: roll back there as well, or nothing passes between the two."
  done
  own_way=$(way_of_this_login)
  whole_host='^. (ip|ip -6) rule |^. nft (add|delete) table |/conf/all/'
  if [ -n "$own_way" ] && printf '%s\n' "$shown" | grep -q -E "[ /]$own_way([ /]|\$)|$whole_host"; then
    say "WARNING: you are logged in by $own_way, which this changes, and may be cut off; what is begun comes to its end."
  fi
  agreed 'Do it?'
  take_the_host
  { [ -d "$there" ] && [ "$shown" = "$(turn "$overlay_etc/boot.d" "$there")" ]; } ||
    fail 'another run has changed the boot files in the meantime, and nothing was done: call it again'
  put_generation "$there" || fail 'the boot files could not be put in place (is the disk full?): nothing was done to the network'
  rm -f "$overlay_run/stopped"
  printf '%s\n' "$shown" >"$overlay_run/steps"
  take_down
  sed -n 's/^+ //p' "$overlay_run/steps" >"$overlay_run/lines"
  bring_up
  say "Done. \`overlay-host rollback\` undoes it; the next \`pulumi up\` brings back what is declared, after a \`pulumi refresh\`."
}

# put_generation FOLDER: its files become boot.d, each whole at any time, and what was there the newest generation.
put_generation() (
  set +f
  umask 022
  keep_generation || return
  mkdir -p "$overlay_etc/boot.d"
  for path in "$1"/*; do
    says_something "$path" || continue
    into=$overlay_etc/boot.d/${path##*/}
    cmp -s "$path" "$into" || { ln -f "$path" "$into.overlay-new" && mv -f "$into.overlay-new" "$into"; } || return
  done
  for path in "$overlay_etc"/boot.d/*; do
    [ -e "$1/${path##*/}" ] || ! says_something "$path" || rm -f "$path" || return
  done
  sync "$overlay_etc/boot.d"
  rm -rf "$1"
  rm -f "$overlay_run/run" # whoever changes boot files next keeps what is there now
)

# A boot file without lines says whose something is that a reboot does not lose: it goes and comes with that.
says_something() { grep -q '^[^#]' "$1"; }

# The `- COMMAND`s of $overlay_run/steps, one by one: what is gone already stops none of the others.
take_down() {
  sed -n 's/^- //p' "$overlay_run/steps" | while IFS= read -r line; do
    case $line in
      'ip link delete dev '*) line=$(removal "${line##* }") ;;
      'nft delete rule '*) line=$(by_handles "${line#nft delete rule }") ;;
    esac
    said=$(printf '%s\n' "$line" | steps boot 2>&1 >/dev/null) || :
    case $said in '' | *'No such '* | *'Cannot find device'* | *'Cannot assign requested address'*) ;; *) say "$said" ;; esac
  done
}

removal() {
  if [ -e "/sys/class/net/$1/tun_flags" ]; then
    printf 'systemctl stop overlay-wireguard-go@%s.service\n' "$1"
  else
    printf 'ip link delete dev %s\n' "$1"
  fi
}

# by_handles 'FAMILY TABLE CHAIN RULE': a rule of ours in a chain of somebody else's can be named by its handle only.
by_handles() {
  rest=${1#* * }
  chain="${1%" $rest"} ${rest%% *}"
  # shellcheck disable=SC2086 # three words
  nft -a list chain $chain 2>/dev/null | awk -v chain="$chain" -v rule="${rest#* }" '
    index($0, rule) { print "nft delete rule " chain " handle " $NF }'
}

# What carries our marks and stands in no boot file, as after a run that ended half-way.
sweep() {
  { our_devices | sed 's/^/- ip link delete dev /' && our_tables | sed 's/^/- nft delete table /'; } >"$overlay_run/steps"
  take_down
  for family in 4 6; do ip "-$family" route flush table all proto 111 2>/dev/null || :; done
}

# The lines of $overlay_run/lines, twice, as at boot: udev takes its time for new devices. Says what does not hold, and why.
bring_up() {
  lines=$overlay_run/lines
  { steps boot <"$lines" 2>/dev/null && grep -E '^(sysctl|ip addr|ip -6 addr|ip route|ip -6 route) ' "$lines"; } >"$lines.again" || :
  if [ -e /run/udev/control ]; then timeout 5 udevadm settle --timeout=4 9>&- || :; fi
  grep -F -x -f "$lines.again" "$lines" >"$lines.late" || :
  steps boot <"$lines.late" >/dev/null || :
  rm -f "$lines" "$lines.again" "$lines.late" "$overlay_run/steps"
  missing=$(missing_lines)
  [ -z "$missing" ] || {
    printf '\n%s\n\n' "$missing" >&2
    fail 'these lines of the boot files do not hold, all others do; once the cause is gone: overlay-host start'
  }
}

# Their numbers, the oldest first.
generations() (
  set +f
  for path in "$overlay_etc"/generations/*; do
    case ${path##*/} in *[!0-9]*) ;; *) printf '%s\n' "${path##*/}" ;; esac
  done | sort -n
)

boot_lines() (
  set +f
  for path in "$overlay_etc"/boot.d/*; do
    case $path in *.overlay-new | */'*') ;; *) cat "$path" ;; esac
  done
)

until_when() { date -u -r "$1" '+%F %T UTC'; }

# By our groups (28417 links, 28418 segments) and aliases.
our_devices() (
  set +f
  for path in /sys/class/net/*; do
    [ -e "$path/netdev_group" ] || continue # bonding_masters
    group='' alias=''
    read -r group <"$path/netdev_group" || :
    read -r alias <"$path/ifalias" || :
    case $group,$alias in 28417,* | 28418,* | *,overlay:*) printf '%s\n' "${path##*/}" ;; esac
  done
)

# FAMILY NAME
our_tables() {
  command -v nft >/dev/null || return 0
  nft list tables | sed -n 's/^table \([a-z0-9]* overlay.*\)/\1/p'
}

# The device of ours by which this login answers.
way_of_this_login() {
  client=$(ssh_connection)
  [ -n "$client" ] || return 0
  way=$(ip -o route get "${client%% *}" 2>/dev/null | sed -n 's/.* dev \([^ ]*\).*/\1/p')
  our_devices | grep -xF "$way" || :
}

main "$@"
