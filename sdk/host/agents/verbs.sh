# shellcheck shell=sh disable=SC2154,SC2034 # what steps.sh sets and reads
# What the lines of Commands say that are no batches: tools, and settings of the kernel. Part of steps.sh on a host.

# What wg(8) cannot read as a key it repeats, a private key of a file too: nobody else may see that.
run_once() {
  case $1 in
    ip) tell "$@" ;;
    *) run 10 "$@" ;;
  esac </dev/null && return 0
  set -- $?
  case $said in *'Key is not the correct length or format'*) said='Key is not the correct length or format' ;; esac
  exists_already || return "$1"
}

# firewall_cmd 'firewall-cmd [--permanent] --add-rich-rule='RULE'': the rule is one argument. Where firewalld does not run
# (exit code 252, firewall-cmd(1)), its files have what it starts with.
firewall_cmd() {
  rule=${1#*"='"}
  verb=${1%%"='"*}
  verb=--${verb##*--}
  case $1 in
    *' --permanent '*) set -- --permanent ;;
    *) set -- ;;
  esac
  run 60 firewall-cmd -q "$@" "$verb=${rule%"'"}" </dev/null && return 0
  case $?,$# in
    252,0) return 0 ;;
    252,1) run 60 firewall-offline-cmd -q "$verb=${rule%"'"}" </dev/null ;;
    *) return 1 ;;
  esac
}

use_systemctl() {
  case $2,$3 in
    start,overlay-wireguard-go@*.service)
      set -- "${3#*@}"
      wireguard_go start "${1%.service}"
      ;;
    stop,overlay-wireguard-go@*.service)
      run 60 "$@" </dev/null || return
      set -- "${3#*@}"
      forget_device "${1%.service}"
      # One that was taken over runs under no unit of ours yet: it ends with its device.
      [ ! -e "/sys/class/net/${1%.service}" ] || tell ip link delete dev "${1%.service}"
      ;;
    enable,*) enable_units "$3" ;;
    *) run 60 "$@" </dev/null ;;
  esac
}

# enable_units UNIT…: for the next boot. systemd itself is not told, or it would want to be told to read all units anew. Ours
# multi-user.target wants: a link of each is what systemctl(1) makes, too, at five times the price.
enable_units() {
  case "$* " in
    *@*) ;;
    overlay-*) make_wanted "$@" && return ;;
  esac
  tell systemctl --root=/ enable "$@" </dev/null
}

make_wanted() {
  wants=/etc/systemd/system/multi-user.target.wants
  [ -d "$wants" ] || return
  for unit; do
    shift
    set -- "$@" "${wants%/*}/$unit"
    [ -e "${wants%/*}/$unit" ] || return
  done
  tell ln -s -f "$@" "$wants"
}

# The unit's ExecStartPost (boot.sh device) replays the boot file, because a restart loses the configuration. Here the
# configuration follows in the next lines, so the file /run/overlay/DEVICE.fresh tells it not to.
wireguard_go() {
  { [ -d "$overlay_run" ] || mkdir -p "$overlay_run"; } && : >"$overlay_run/$2.fresh" || return
  keep_networkd_off "$2"
  unit=overlay-wireguard-go@$2.service
  tell systemctl "$1" "$unit" </dev/null # as long as the unit's TimeoutStartSec lets it
  set -- $? "$2"
  rm -f "$overlay_run/$2.fresh"
  if [ "$1" != 0 ]; then said="$(journalctl -q -o cat -n 30 -u "$unit" 2>&1 | grep ERROR | tail -n 1)$newline$said"; fi
  return "$1"
}

# After the files of units changed, once, before the first tool that cares; and only where systemd has one of them loaded,
# for the others it reads when they are asked for (seen with 247 to 257). A reload takes it 80 ms and more.
daemon_reload() {
  [ -n "$reload$redefined" ] || return 0
  if [ -z "$reload" ]; then
    # shellcheck disable=SC2086 # names and patterns; set -f is on
    tell systemctl list-units --all --plain --no-legend $redefined </dev/null
    reload=$said
  fi
  redefined=''
  [ -n "$reload" ] || return 0
  reload=''
  run 60 systemctl daemon-reload </dev/null || { line='systemctl daemon-reload' && failed $?; }
}

# note_path PATH: of the file of a unit, of a template or of a drop-in, which units it is about.
note_path() {
  case $1 in
    "$overlay_etc"/rosenpass/*)
      set -- "${1##*/}"
      daemons="$daemons overlay-rosenpass@${1%.*}.service"
      rm -f "$overlay_run/rosenpass/${1%.*}/fresh"
      return
      ;;
    /usr/local/lib/overlay/rosenpass*) daemons="$daemons overlay-rosenpass@*.service" && return ;;
  esac
  case $1 in /etc/systemd/system/*) ;; *) return 0 ;; esac
  set -- "${1#/etc/systemd/system/}"
  set -- "${1%%.d/*}"
  case $1 in *@.service) set -- "${1%.service}*.service" ;; esac
  redefined="$redefined $1"
}

# restart_daemons: of Rosenpass, those that run, where a file that they have read is another. Once for all of them.
restart_daemons() {
  [ -n "$daemons" ] || return 0
  # shellcheck disable=SC2086 # names and patterns; set -f is on
  set -- $daemons
  daemons=''
  run 60 systemctl try-restart "$@" </dev/null || { line="systemctl try-restart $*" && failed $?; }
}

# A peer that was made again has lost its preshared key: what the host boots with says whose it is. Where none is to be had,
# Rosenpass brings the next.
restore_psks() {
  if [ -z "$psk_due" ] || [ ! -d "$overlay_run/rosenpass" ]; then return 0; fi
  while read -r _ device peer kind name; do
    case "$psk_due " in *" $device "*) set_psk "$device" "$peer" "$kind" "$name" || set_psk_of_other || : ;; esac
  done <<EOT
$(set +f && grep -s -h '^psk ' "$overlay_etc"/boot.d/* 9>&-)
EOT
}

# The peer has another key since: where nothing may pass without a preshared key, the only one that the device has is it.
set_psk_of_other() {
  [ "$kind" = strict ] && run 5 wg show "$device" peers </dev/null || return
  case $said in '' | *"$newline"*) ;; *) set_psk "$device" "$said" strict "$name" ;; esac
}

install_packages() {
  apt_get install "$@" && return 0
  case $said in
    *'Unable to locate package'* | *'no installation candidate'* | *'404  Not Found'*) ;;
    *) return 1 ;;
  esac
  apt_get update && apt_get install "$@"
}

apt_get() {
  DEBIAN_FRONTEND=noninteractive run 300 apt-get -qq -y --no-install-recommends -o DPkg::Lock::Timeout=60 "$@" </dev/null
}

# set_sysctl NAME VALUE, NAME in slash form. The value found first is kept, but not for our own devices: it goes with them.
set_sysctl() {
  settle
  if [ ! -e "$overlay_etc/found/$1" ] && ! of_our_device "$1"; then
    said=$(cat "/proc/sys/$1" 2>&1) || return
    set -- "$1" "$2" "$said"
    write_beside 0644 "$overlay_etc/found/$1" '%s\n' "$3" && place "$overlay_etc/found/$1" '' || return
  fi
  write_sysctl "$1" "$2"
}

write_sysctl() {
  { printf '%s\n' "$2" >"/proc/sys/$1"; } 2>/dev/null || said=$({ printf '%s\n' "$2" >"/proc/sys/$1"; } 2>&1)
}

# One of our own devices, which stays, gets what a new device has: the value that the kernel makes it with.
restore_sysctl() {
  if [ ! -e "$overlay_etc/found/$1" ]; then
    of_our_device "$1" || return 0
    said=$(cat "/proc/sys/${1%/*/*}/default/${1##*/}" 2>&1) && write_sysctl "$1" "$said"
    return
  fi
  if [ -e "/proc/sys/$1" ]; then write_sysctl "$1" "$(cat "$overlay_etc/found/$1")" || return; fi
  remove "$overlay_etc/found/$1"
}

of_our_device() {
  set -- "${1#net/ipv[46]/*/}"
  set -- "${1%%/*}"
  [ -r "/sys/class/net/$1/netdev_group" ] || return 1
  read -r group <"/sys/class/net/$1/netdev_group"
  case $group in 28417 | 28418) ;; *) return 1 ;; esac
}

# udev sets sysctl.d on each new device, a moment later: what we write must come after that. At boot late writes again.
settle() {
  if [ -n "$devices_added" ] && [ "$mode" = stop ]; then
    if [ -e /run/udev/control ]; then run 5 udevadm settle --timeout=4 </dev/null || :; fi
    let_go
  fi
  devices_added=''
}
