# shellcheck shell=sh
# Carries out Commands: one a line, first word the tool, the rest its own words. Used over SSH by apply.sh and on the
# host by boot.sh. A line is split at white space and handed over as arguments; no shell ever parses it.
#
# Consecutive `ip` lines are one `ip -batch`, `bridge` lines one `bridge -batch`, `nft` lines one transaction. Every tool
# has a time limit and loses file descriptor 9, which holds the lock.

overlay_etc=/etc/overlay
overlay_run=/run/overlay
newline='
'

# steps MODE: carries out standard input up to its end or a line `.`.
# stop  ends at the first line that fails and leaves it in $failed_line, $failed_code and $said.
# boot  goes on, takes what exists already for done, and prints the lines that failed.
steps() {
  set -f
  mode=$1 batch='' part='' part_lines=0 batch_tool='' reload='' devices_added='' skip_rules='' patience=100 folders=''
  ended=''
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in
      .)
        # shellcheck disable=SC2034 # apply.sh wants to know
        ended=yes
        break
        ;;
      '' | '#'*) continue ;;
      'ip -'*) one_step "$line" || return ;;
      'ip '*) enqueue ip "${line#ip }" || return ;;
      'bridge '*) enqueue bridge "${line#bridge }" || return ;;
      'nft '*) enqueue nft "${line#nft }" || return ;;
      *) one_step "$line" || return ;;
    esac
  done
  flush && daemon_reload && sync_folders
}

enqueue() {
  if [ "$batch_tool" != "$1" ]; then flush || return; fi
  batch_tool=$1
  if [ "$1$mode" = nftboot ] && keep_rules "$2"; then return 0; fi
  part=$part$2$newline part_lines=$((part_lines + 1))
  [ "$part_lines" -lt 100 ] || join
}

# In two steps, because each copies all there is: of ten thousand lines one by one that takes seconds.
join() {
  batch=$batch$part part='' part_lines=0
}

flush() {
  join
  case $batch_tool in
    ip | bridge) flush_batch "$batch_tool" ;;
    nft) flush_nft ;;
  esac || return
  batch='' batch_tool=''
}

# run SECONDS TOOL…: what the tool says is left in $said.
run() {
  run_limit=$1
  shift
  said=$(timeout "$run_limit" "$@" 2>&1 9>&-)
}

# failed CODE: $line did not hold.
failed() {
  if [ "$mode" = boot ]; then
    printf '%s\n' "$line"
    printf '%s: %s\n' "$line" "$said" >&2
    return 0
  fi
  # shellcheck disable=SC2034 # apply.sh reports it
  failed_line=$line failed_code=$1
  return 1
}

# take N: moves line N of $batch into $line and leaves what comes after it in $batch.
take() {
  take_left=$1
  while [ "$take_left" -gt 1 ]; do
    batch=${batch#*"$newline"}
    take_left=$((take_left - 1))
  done
  line=${batch%%"$newline"*}
  batch=${batch#*"$newline"}
}

# flush_batch ip|bridge: they have the same words for what fails.
flush_batch() {
  case $batch in *'link add dev '* | *'link delete dev '*) note_devices ;; esac
  while [ -n "$batch" ]; do
    run 10 "$1" -batch - <<EOT && return 0
$batch
EOT
    code=$?
    number=${said##*Command failed -:}
    number=${number%%[!0-9]*}
    said=${said%%Command failed -:*}
    said=${said%"$newline"}
    take "${number:-1}"
    if kernel_lacks_wireguard && command -v wireguard-go >/dev/null; then
      device=${line#link add dev }
      line="ip $line"
      wireguard_go start "${device%% *}" || failed $? || return
      continue
    fi
    if address_is_new; then
      batch=$line$newline$batch
      continue
    fi
    line="$1 $line"
    exists_already || failed "$code" || return
  done
}

# A new IPv6 address is tentative until a kernel thread has looked at it, even where it then skips duplicate address
# detection; until then no route may have it as its source (net/ipv6/addrconf.c, addrconf_dad_work). Two seconds in all.
address_is_new() {
  case $line,$said in 'route '*' src '*','*'nvalid source address'*) ;; *) return 1 ;; esac
  [ "$patience" -gt 0 ] || return 1
  patience=$((patience - 1))
  sleep 0.02
}

exists_already() {
  case $mode,$said in boot,*'File exists'* | boot,*'ddress already assigned'*) ;; *) return 1 ;; esac
}

# Where it does, the next look says so, also where wireguard-go is still to be installed.
kernel_lacks_wireguard() {
  case $line in 'link add dev '*' type wireguard') ;; *) return 1 ;; esac
  case $said in *'Unknown device type'* | *'Operation not supported'*) ;; *) return 1 ;; esac
  mkdir -p "$overlay_run" && : >"$overlay_run/userspace"
}

flush_nft() {
  while [ -n "$batch" ]; do
    run 10 nft -f - <<EOT && return 0
$batch
EOT
    code=$?
    number=${said#*/dev/stdin:}
    number=${number%%[!0-9]*}
    number=${number:-1}
    if [ "$mode" != boot ]; then
      take "$number"
      line="nft $line"
      failed "$code"
      return
    fi
    # Without the line that is wrong, for the others are one transaction still.
    line="nft $(printf %s "$batch" | sed -n "${number}p")"
    failed "$code"
    batch=$(printf %s "$batch" | sed "${number}d")
    batch=$batch${batch:+$newline}
  done
}

# At boot: rules are the one thing of nft that is there twice when it is added twice, so a table that stands keeps its own.
# One for a chain of somebody else's, which may not be there yet, stands alone.
keep_rules() {
  case $1 in
    'add table '*)
      flush
      batch_tool=nft
      # shellcheck disable=SC2086 # a table is two words: family and name
      if run 10 nft list table ${1#add table }; then skip_rules="$skip_rules(${1#add table })"; fi
      return 1
      ;;
    'add rule '*)
      set -- "${1#add rule }"
      table=${1#* }
      case $skip_rules in *"(${1%% *} ${table%% *})"*) ;; *) return 1 ;; esac
      ;;
    'insert rule '*)
      flush
      # shellcheck disable=SC2086 # family, table, chain and the rule, which nft prints as it was given; set -f is on
      set -- ${1#insert rule }
      if ! run 10 nft list chain "$1" "$2" "$3" || ! has_rule "$@"; then
        batch_tool=nft batch="insert rule $*$newline"
        flush
      fi
      batch_tool=nft
      ;;
    *) return 1 ;;
  esac
}

# has_rule FAMILY TABLE CHAIN RULE…: $said shows it.
has_rule() {
  shift 3
  case $said in *"$*"*) ;; *) return 1 ;; esac
}

one_step() {
  flush || return
  line=$1 said=''
  # shellcheck disable=SC2086 # here a line becomes words; set -f is on
  set -- $line
  case $1 in
    put) line="put $2 $3" ;; # the content is for nobody's eyes
    systemctl | apt-get) daemon_reload || return ;;
  esac
  case $1 in
    ip | wg) run_once "$@" ;;
    sysctl) set_sysctl "${3%%=*}" "${line#*=}" ;;
    systemctl) use_systemctl "$@" ;;
    apt-get) shift 2 && install_packages "$@" ;;
    ufw) run 60 "$@" </dev/null ;;
    firewall-cmd) firewall_cmd "$line" ;;
    put) put "$2" "$3" "${4-}" ;;
    remove) remove "$2" ;;
    genkey) make_key "$2" ;;
    keepkey) make_key "$2" "$3" ;;
    retire) retire "$2" ;;
    restore) restore_sysctl "$3" ;;
    *) said="steps.sh has no verb \"$1\"" && false ;;
  esac || failed $?
}

# What wg(8) cannot read as a key it repeats, a private key of a file too: nobody else may see that.
run_once() {
  run 10 "$@" </dev/null && return 0
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
      [ ! -e "/sys/class/net/${1%.service}" ] || run 10 ip link delete dev "${1%.service}"
      ;;
    *) run 60 "$@" </dev/null ;;
  esac
}

# The unit's ExecStartPost (boot.sh device) replays the boot file, because a restart loses the configuration. Here the
# configuration follows in the next lines, so the file /run/overlay/DEVICE.fresh tells it not to.
wireguard_go() {
  mkdir -p "$overlay_run" && : >"$overlay_run/$2.fresh" || return
  keep_networkd_off "$2"
  unit=overlay-wireguard-go@$2.service
  run 30 systemctl "$1" "$unit" </dev/null
  set -- $? "$2"
  rm -f "$overlay_run/$2.fresh"
  if [ "$1" != 0 ]; then said="$(journalctl -q -o cat -n 30 -u "$unit" 2>&1 | grep ERROR | tail -n 1)$newline$said"; fi
  return "$1"
}

# After unit files changed, once, before the first tool that cares.
daemon_reload() {
  [ -n "$reload" ] || return 0
  reload=''
  run 60 systemctl daemon-reload </dev/null || { line='systemctl daemon-reload' && failed $?; }
}

note_path() {
  case $1 in /etc/systemd/system/*) reload=yes ;; esac
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

# put MODE PATH BASE64: a file that is either the old one or the new one, whenever the power goes. That its name is on the
# disk, too, is seen to at the end, once for each folder.
put() {
  note_path "$2"
  said=$({
    { [ -d "${2%/*}" ] || (umask 022 && mkdir -p "${2%/*}"); } &&
      (umask 022 && printf '%s' "$3" | base64 -d >"$2.overlay-new") &&
      { [ "$1" = 0644 ] || chmod "$1" "$2.overlay-new"; } &&
      sync "$2.overlay-new" &&
      { [ -z "${run_id-}" ] || before_change "$2"; } &&
      mv -f "$2.overlay-new" "$2"
  } 2>&1 9>&-) && note_folder "${2%/*}" && networkd_file put "$2" && return 0
  rm -f "$2.overlay-new" 2>/dev/null
  return 1
}

note_folder() {
  case " $folders " in *" $1 "*) ;; *) folders="$folders $1" ;; esac
}

sync_folders() {
  set --
  for folder in $folders; do
    [ ! -d "$folder" ] || set -- "$@" "$folder" # what came after may have removed it
  done
  [ $# -gt 0 ] || return 0
  run 60 sync "$@" </dev/null || { line="sync $*" && failed $?; }
}

# remove PATH, and the folders that it leaves empty and that are ours, or were made for us.
remove() {
  note_path "$1"
  networkd_file remove "$1"
  said=$({ { [ -z "${run_id-}" ] || before_change "$1"; } && rm -f "$1"; } 2>&1) || return
  set -- "${1%/*}"
  while :; do
    case $1 in
      "$overlay_etc"* | /usr/local/lib/overlay* | /etc/systemd/networkd.conf.d | *.service.d) rmdir "$1" 2>/dev/null || break ;;
      *) break ;;
    esac
    case $1 in "$overlay_etc"/boot.d) rm -rf "$overlay_etc/generations" ;; esac # the node itself is gone
    set -- "${1%/*}"
  done
}

# retire PATH: a file of others that we have taken the place of stays as a backup, under a name that nobody looks for.
retire() {
  [ -e "$1" ] || return 0
  said=$(mv --backup=numbered -T "$1" "$1.before-overlay" 2>&1)
}

# make_key PATH [DEVICE]: a private key for good, a new one or the one that DEVICE has; one that is there stays, and what
# is there and is none is not ours to throw away. (On a full disk `wg genkey >FILE` leaves the file empty and succeeds;
# cat fails, and says why.)
make_key() {
  if [ -s "$1" ]; then
    said=$(wg pubkey <"$1" 2>&1 >/dev/null 9>&-)
    return
  fi
  said=$({
    # shellcheck disable=SC2174 # the folders above are for all to read
    (umask 022 && mkdir -p -m 700 "${1%/*}") &&
      key=$(new_key "${2-}") && (umask 077 && printf '%s\n' "$key" | cat >"$1.overlay-new") &&
      sync "$1.overlay-new" && mv -f "$1.overlay-new" "$1" && sync "${1%/*}"
  } 2>&1 9>&-) && return 0
  set -- $? "$1"
  rm -f "$2.overlay-new" 2>/dev/null
  return "$1"
}

new_key() {
  if [ -n "$1" ] && [ -e "/sys/class/net/$1" ]; then
    key=$(timeout 10 wg show "$1" private-key) || return
    if [ "$key" != '(none)' ]; then printf '%s\n' "$key" && return; fi
  fi
  wg genkey
}

# set_sysctl NAME VALUE, NAME in slash form. The value found first is kept, but not for our own devices: it goes with them.
set_sysctl() {
  settle
  if [ ! -e "$overlay_etc/found/$1" ] && ! of_our_device "$1"; then
    said=$(cat "/proc/sys/$1" 2>&1) || return
    set -- "$1" "$2" "$said"
    put 0644 "$overlay_etc/found/$1" "$(printf '%s\n' "$3" | base64)" || return
  fi
  write_sysctl "$1" "$2"
}

write_sysctl() {
  said=$({ printf '%s\n' "$2" >"/proc/sys/$1"; } 2>&1)
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
