#!/bin/sh
# Puts a host that was started afresh into the state that its boot files (/etc/overlay/boot.d) describe.
#
# early           everything, before the network is configured; a line that does not hold yet is kept for late
# late            what early could not do (a line may need an underlay device or address), again and again for a minute; its unit
#                 starts it anew until all hold
# again nft [SECONDS]  after somebody who has flushed all tables: these lines once more, as soon as no change is at work
# watch           brings rules and routes back that networkd takes away
# device NAME     after a (re)start of wireguard-go: waits for its device, then replays the file that makes it
#
# There is no list of which line needs what: the kernel says so by refusing it. Only sysctls are always set again late,
# because udev sets those of sysctl.d on every new device at its own time, and with them the addresses and routes that a
# disable_ipv6 of udev's takes away.
set -eu

main() {
  export LC_ALL=C
  umask 077
  if [ "$1" = device ]; then
    await "$2"
    # At once: whoever looks at the host in this moment, as another run, is to see whose it is.
    ip link set dev "$2" group 28417 addrgenmode none
    # Who starts it for a change or at boot tells it all the rest.
    [ ! -e "/run/overlay/$2.fresh" ] || return 0
  fi
  # shellcheck source=sdk/host/agents/steps.sh
  . "${0%/*}/steps.sh"
  [ -d "$overlay_run" ] || mkdir -p "$overlay_run"
  todo=$overlay_run/boot.todo
  exec 9>"$overlay_run/lock"
  case $1 in
    early | late | again) if [ -e "$overlay_run/stopped" ]; then echo 'overlay: stopped by overlay-host stop' >&2; else "$@"; fi ;;
    watch) watch ;;
    device) device "$2" ;;
  esac
}

# Who holds the lock is a change over SSH: it sets everything itself, and it may be what started this unit and waits.
early() {
  flock -n 9 || exit 0
  lines '' >"$todo" # whole, in case that the time limit of the unit ends us
  {
    steps boot <"$todo"
    grep -E '^(sysctl|ip addr|ip route) ' "$todo" || :
  } >"$todo.again"
  grep -F -x -f "$todo.again" "$todo" >"$todo.left" || : # each once, in their order
  rm "$todo.again"
  mv "$todo.left" "$todo"
}

late() {
  for pause in 0 1 2 3 5 5 10 10 10 10; do
    [ -s "$todo" ] || return 0
    sleep "$pause"
    flock -w 10 9 || continue
    steps boot <"$todo" >"$todo.left"
    mv "$todo.left" "$todo"
    flock -u 9
  done
  if [ ! -s "$todo" ]; then return 0; fi
  echo 'overlay: these lines do not hold yet, and are tried again in half a minute:' >&2
  cat "$todo" >&2
  return 1
}

# A change may take minutes, and itself wait for who called this, as apt-get does for nftables.service: then it is done
# behind their backs, after the change.
again() {
  flock -w "${2:-10}" 9 || {
    [ -z "${2-}" ] || return 1
    systemd-run --quiet --collect --unit="overlay-again-$1" /bin/sh "$0" again "$1" 3600 </dev/null 9>&- || : # it waits already
    return
  }
  [ ! -e "$overlay_run/stopped" ] || return 0
  case $1 in
    nft) lines '^nft ' | steps boot >/dev/null ;;
    ip)
      lines '^ip (-6 )?rule ' | steps boot >/dev/null
      lines '^ip route ' | sed 's/^ip //' | ip -force -batch - 2>/dev/null 9>&- || :
      ;;
  esac
  flock -u 9
}

# A rule of ours that goes while networkd writes down that it has just configured a device was taken away by networkd, not
# by hand. What else it takes away goes within two seconds.
watch() {
  # First what it took away before anybody watched.
  { echo Deleted 5111: && ip monitor rule 9>&-; } | while read -r what rule _; do
    case $what:$rule in Deleted:511[01]:) ;; *) continue ;; esac
    [ -n "$(find /run/systemd/netif/links -type f -newermt '-10 seconds' -exec grep -l '^ADMIN_STATE=configur' {} +)" ] || continue
    for pause in 0 0.5 1.5; do
      sleep "$pause"
      again ip || :
    done
  done
}

# lines PATTERN: those of all boot files.
lines() {
  for path in "$overlay_etc"/boot.d/*; do
    case $path in *.overlay-new | */'*') ;; *) grep -E "$1" "$path" || : ;; esac
  done
}

# wireguard-go makes the device first and its socket later; only when it answers it is there to stay. It must not be
# asked before it listens: wg removes a socket that refuses it (wireguard-tools, ipc-uapi-unix.h), and wireguard-go ends
# without one. 00010000 is a socket that listens, proc_net(5).
await() {
  tries=0
  until
    [ -S "/run/wireguard/$1.sock" ] && grep -q " 00010000 .*/wireguard/$1\.sock\$" /proc/net/unix &&
      wg show "$1" >/dev/null 2>&1
  do
    tries=$((tries + 1))
    if [ "$tries" -ge 250 ] || ! kill -0 "${MAINPID:-$$}"; then
      echo "overlay: wireguard-go did not make the device $1" >&2
      return 1
    fi
    sleep 0.02
  done
}

device() {
  flock -w 10 9 || return 1
  for path in "$overlay_etc"/boot.d/*; do
    if grep -q -s -x "ip link add dev $1 type wireguard" "$path"; then steps boot <"$path" || :; fi
  done
}

main "$@"
