# shellcheck shell=sh disable=SC2154 # what steps.sh sets
# What keeps systemd-networkd off our devices, routes and rules. Part of steps.sh on a host.

overlay_networkd=/run/systemd/network

# Which of the batch's lines make a device or take one away.
note_devices() {
  while IFS= read -r line; do
    set -- "${line%% dev *}" "${line#* dev }"
    case $1 in
      'link add') keep_networkd_off "${2%% *}" ;;
      'link delete') forget_device "${2%% *}" ;;
    esac
  done <<EOT
$batch
EOT
}

# keep_networkd_off DEVICE, which is about to be made: a file for any device is not for this one, systemd.network(5). In
# /run, because each boot makes it anew. NetworkManager leaves what others have made alone, and would on its end set the
# addrgenmode of what a file says it shall not manage (seen with 1.42).
keep_networkd_off() {
  devices_added="$devices_added $1"
  (
    umask 022
    [ -d "$overlay_networkd" ] || mkdir -p "$overlay_networkd"
    printf '[Match]\nName=%s\n[Link]\nUnmanaged=yes\n' "$1" >"$overlay_networkd/00-overlay-$1.network"
  ) 2>/dev/null || :
}

forget_device() { rm -f "$overlay_networkd/00-overlay-$1.network"; }

# networkd_file put|remove PATH: networkd reads at its next start that our routes and rules are to stay. Until then it deletes
# them whenever it configures some device anew; boot.sh watch brings them back, and what went before it began. It begins when
# boot.sh is there, too, and the host has done what else it is told: all of them are told at once.
networkd_file() {
  case $1,$2 in
    put,/etc/systemd/networkd.conf.d/*)
      [ -e /run/systemd/netif/links ] || return 0
      tell systemd-run --quiet --collect --unit=overlay-networkd --on-active=3 --timer-property=AccuracySec=100ms \
        /bin/sh /usr/local/lib/overlay/boot.sh watch </dev/null || :
      ;;
    remove,/etc/systemd/networkd.conf.d/*)
      run 10 systemctl stop overlay-networkd.timer overlay-networkd.service </dev/null || :
      ;;
  esac
}

# networkd reads files only when it is told to, which may change what is others': so it is told only where it has a file for
# any device and has taken ours.
let_go() {
  [ -d /run/systemd/netif/links ] || return 0
  for device in $devices_added; do
    read -r index <"/sys/class/net/$device/ifindex" || continue
    ! networkd_says unmanaged || continue
    run 5 systemctl --quiet is-active systemd-networkd.service </dev/null || return 0
    within_a_second networkd_says unmanaged configur fail || continue
    ! networkd_says unmanaged || continue
    run 10 networkctl reload </dev/null
    within_a_second networkd_says unmanaged || :
    tell ip -6 addr flush dev "$device"
  done
}

# networkd_says STATE…: how one of these begins that the device of $index is in.
networkd_says() {
  while read -r admin_state; do
    case $admin_state in ADMIN_STATE=*) break ;; esac
  done 2>/dev/null <"/run/systemd/netif/links/$index" || return
  for state; do
    case $admin_state in ADMIN_STATE="$state"*) return 0 ;; esac
  done
  return 1
}

within_a_second() {
  for pause in 0.01 0.02 0.05 0.1 0.2 0.5; do
    ! "$@" || return 0
    sleep "$pause"
  done
  return 1
}
