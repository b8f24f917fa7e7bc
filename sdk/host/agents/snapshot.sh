# shellcheck shell=sh disable=SC2154 # what steps.sh sets
# One look at a host: sections of the tools' own output, each begun by a line ^^NAME (^^ = the record separator, octal
# 036). sdk/host/snapshot.ts reads them. A tool that is missing leaves its section empty. What is secret is masked here.

# snapshot: standard input is queries, one a line (sysctl NAME, file PATH, unit NAME, enabled NAME, key PATH,
# command NAME, manager DEVICE, way ADDRESS, fdb DEVICE, neigh DEVICE, firewall ufw|firewalld|FAMILY TABLE CHAIN,
# hook NAME [DEVICE], quick DEVICE, advertised, decisions, rosenpass NAME, rosenpass-node BINARY, udp PORT).
snapshot() {
  set +e
  read_queries
  at_once look
}

look() {
  section machine
  first_line /etc/machine-id
  section now
  date +%s
  first_line /proc/uptime
  section ssh
  ssh_ends
  section owner
  first_line /etc/overlay/owner
  section versions
  first_line /proc/sys/kernel/osrelease
  tool_versions
  section wireguard
  wireguard_flavour
  await_fresh
  network
  section wg
  wg_dump
  nft_tables
  section boot
  boot_files
  answers
  section end
}

# glance: the answers to queries alone, as `snapshot`; what it prints goes on where that has ended.
glance() {
  set +e
  read_queries
  at_once look_again
}

look_again() {
  section versions
  tool_versions
  [ -z "$ways" ] || { section link && ask_ip "$ways"; }
  answers
  section end
}

# In one piece: three processes on the way, and SSH's cipher, have work with each of a hundred.
at_once() {
  looked=$("$1")
  printf '%s\n' "$looked"
}

read_queries() {
  sysctls='' files='' units='' started='' keys='' managed='' commands='' ways='' fdbs='' neighs='' firewalls='' hooks='' quick=''
  advertised='' decisions='' rosenpass='' rosenpass_nodes='' ports=''
  while read -r what name; do
    case $what in
      sysctl) sysctls="$sysctls /proc/sys/$name" ;;
      file) files="$files $name" ;;
      unit) units="$units $name" ;;
      enabled) started="$started $name" ;;
      key) keys="$keys $name" ;;
      manager) managed="$managed $name" ;;
      command) commands="$commands $name" ;;
      way) ways="${ways}route get $name mark 0x6f$newline" ;;
      fdb) fdbs="$fdbs $name" ;;
      neigh) neighs="$neighs $name" ;;
      firewall) firewalls=$firewalls$name, ;;
      hook) hooks=$hooks$name, ;;
      quick) quick="$quick $name" ;;
      advertised) advertised=yes ;;
      decisions) decisions=yes ;;
      rosenpass) rosenpass="$rosenpass $name" ;;
      rosenpass-node) rosenpass_nodes="$rosenpass_nodes $name" ;;
      udp) ports="$ports $name" ;;
    esac
  done
}

# Of those that somebody asks for.
tool_versions() {
  for name in nft curl; do
    case " $commands " in *" $name "*) "$name" --version 2>/dev/null | head -n 1 ;; esac
  done
}

answers() {
  # shellcheck disable=SC2086 # lists of words without white space; set -f is on
  {
    [ -z "$sysctls" ] || { section sysctl && grep -s -H '' $sysctls; }
    [ -z "$files" ] || { section file && sha256sum $files; stat -L -c '%a %n' $files; } 2>/dev/null
    [ -z "$units" ] || { section unit && unit_states $units; }
    [ -z "$started" ] || { section enabled && enabled_units $started; }
    [ -z "$keys" ] || { section key && public_keys $keys; }
    [ -z "$managed" ] || { section manager && managers $managed; }
    [ -z "$commands" ] || { section command && present_commands $commands; }
    for name in $fdbs; do section "fdb $name" && bridge -j fdb show dev "$name"; done 2>/dev/null
    for name in $neighs; do section "neigh $name" && ip -j neigh show dev "$name" nud permanent; done 2>/dev/null
    each firewall "$firewalls"
    each hook "$hooks"
    for name in $quick; do section "quick $name" && quick_keys "/etc/wireguard/$name.conf"; done
    for name in $rosenpass; do section "rosenpass $name" && rosenpass_report "$name"; done
    for name in $rosenpass_nodes; do section rosenpass-node && rosenpass_node "$name"; done
    [ -z "$ports" ] || { section udp && bound_ports $ports; }
    [ -z "$advertised" ] || { section advertised && advertised_ways; }
    [ -z "$decisions" ] || { section decisions && last_decisions; }
  }
}

# `UNIXTIME NAME (DEVICE): TEXT`, of what choose.sh has logged of late the last of each peer, and of each destination by way
# of a relay, with which TEXT begins then.
last_decisions() {
  journalctl --quiet --no-pager --output=short-unix --lines=500 --unit=overlay-choose.service 2>/dev/null | awk '
    match($0, /]: [^ ]+ \([^ ()]+\): /) {
      about = substr($0, RSTART + 3, RLENGTH - 5)
      split(substr($0, RSTART + RLENGTH), word, " ")
      if ($0 ~ /: [^ ]+\/[0-9]+ (no longer )?by way of /) about = about " " word[1]
      last[about] = $1 " " substr($0, RSTART + 3)
    }
    END { for (about in last) print last[about] }'
}

section() {
  printf '\036%s\n' "$1"
}

# A builtin, where head would be one more process.
first_line() {
  if [ -r "$1" ]; then
    line=''
    read -r line <"$1"
    printf '%s\n' "$line"
  fi
}

# each COMMAND NAMES: with each of the names, which end in commas.
each() {
  IFS=,
  for name in $2; do
    unset IFS
    "$1" "$name" </dev/null
  done
  unset IFS
}

hook() {
  section "hook $1"
  # shellcheck disable=SC2086 # HOOK [DEVICE]
  closed_chains $1
}

# `CLIENT SERVER`, addresses. By which device this host answers `network` asks, but for an address that says it itself.
ssh_ends() {
  # shellcheck disable=SC2046,SC2086 # CLIENT PORT SERVER PORT
  if [ -n "${SSH_CONNECTION-}" ]; then set -- $SSH_CONNECTION; else set -- $(ssh_connection); fi
  [ $# -eq 4 ] || return
  printf '%s %s\n' "$1" "$3"
  case $1 in *%*) ;; *) ways="${ways}route get $1 from $3" ;; esac
}

# A module that is there may still not load: then steps.sh said so in a file.
wireguard_flavour() {
  read -r release </proc/sys/kernel/osrelease
  if [ -e /sys/module/wireguard ]; then
    echo kernel
  elif [ ! -e /run/overlay/userspace ] && [ -r "/lib/modules/$release/modules.dep" ] &&
    grep -q '/wireguard\.ko' "/lib/modules/$release/modules.dep"; then
    echo kernel
  elif command -v wireguard-go >/dev/null; then
    echo userspace
  else
    echo none
  fi
}

# A device of wireguard-go has no mark of ours in the moment in which a change makes it (verbs.sh), as one that goes on behind a
# run that was killed: it is looked at when it has one.
await_fresh() {
  tries=40
  while is_fresh && [ "$tries" -gt 0 ]; do
    tries=$((tries - 1))
    sleep 0.05
  done
}

is_fresh() {
  set +f
  set -- /run/overlay/*.fresh
  set -f
  [ -e "$1" ]
}

# Ways to addresses, by all rules and tables: of what answers SSH, and of packets with our mark (0x6f); where there is none, no
# line. Routes of ours (111) and those that an overlay prefix might overlap: kernel 2, boot 3, static 4, ra 9, dhcp 16. The full
# table of a routing daemon is not read. The rules come last, because without IPv6 that dump breaks off in the middle.
# -N: numbers, because the names come from files that anybody may edit.
network() {
  section link
  ask_ip "link show${newline}addr show$newline$ways"
  for family in 4 6; do
    section "ip$family"
    ip "-$family" -N -j -d -force -batch - 2>/dev/null <<EOT
route show table all proto 111
route show table all proto 2
route show table all proto 3
route show table all proto 4
route show table all proto 9
route show table all proto 16
rule show
EOT
  done
}

ask_ip() {
  ip -N -j -d -force -batch - 2>/dev/null <<EOT
$1
EOT
}

# With what choose.sh has left of where peers are called: `DEVICE PUBLICKEY chosen|candidate|follows ENDPOINT`; and of the
# routes by relays that it has made: `DEVICE DESTINATION relayed METRIC…`.
# One wireguard-go that hangs holds up the look at all: then each device is asked by itself, and it alone is missing.
wg_dump() {
  command -v wg >/dev/null || return
  dump=$(timeout 5 wg show all dump)
  if [ $? -eq 124 ]; then
    dump=$(
      for device in $(timeout 5 wg show interfaces); do
        timeout 1 wg show "$device" dump | awk -v device="$device" '{ print device "\t" $0 }'
      done
    )
  fi
  awk -F '\t' -v OFS='\t' '
    NF == 5 && $2 != "(none)" { $2 = "(hidden)" }
    NF == 9 && $3 != "(none)" { $3 = "(hidden)" }
    { print }
    END {
      while ((getline said <"/run/overlay/choice") > 0) {
        split(said, word, " ")
        if (word[1] == "relayed") print word[2], word[3], word[1], substr(said, index(said, " metric ") + 1)
        else if (word[1] != "candidate" || word[5] == "fit") print word[2], word[3], word[1], word[4]
      }
    }' <<EOT
$dump
EOT
}

nft_tables() {
  command -v nft >/dev/null || return
  IFS=$newline
  for table in $(nft list tables); do
    unset IFS
    case $table in
      *' overlay'*)
        section "nft ${table#table }"
        # shellcheck disable=SC2086 # family and name
        nft -j list $table
        ;;
    esac
  done
  unset IFS
}

boot_files() {
  set +f
  for path in /etc/overlay/boot.d/*; do
    case $path in *.overlay-new | */'*') continue ;; esac
    printf '%s ' "${path##*/}"
    first_line "$path"
  done
  set -f
}

# A template has no state of its own, and systemctl refuses to be asked.
unit_states() {
  command -v systemctl >/dev/null || return
  asked=''
  for name in "$@"; do
    case $name in *@.*) ;; *) asked="$asked $name" ;; esac
  done
  # shellcheck disable=SC2086
  timeout 10 systemctl show -p Id,LoadState,UnitFileState,ActiveState $asked
}

# `NAME enabled|disabled`, of those that something starts and of those that are ours. systemctl(1) looks for the same files, and
# is a process more, for which systemd reads the unit and all that it stands beside.
enabled_units() {
  set +f
  for name in "$@"; do
    state=disabled
    for path in /etc/systemd/system/*.wants/"$name" /etc/systemd/system/*.requires/"$name"; do
      if [ -e "$path" ]; then state=enabled; fi
    done
    if [ "$state" = enabled ] || [ -e "/etc/systemd/system/$name" ]; then printf '%s %s\n' "$name" "$state"; fi
  done
  set -f
}

public_keys() {
  for path in "$@"; do
    if [ -r "$path" ]; then printf '%s %s\n' "$(wg pubkey <"$path")" "$path"; fi
  done
}

# `DEVICE MANAGER`, of those that say so: what they have configured, or made themselves.
managers() {
  for name in "$@"; do
    [ -r "/sys/class/net/$name/ifindex" ] || continue
    read -r index <"/sys/class/net/$name/ifindex"
    if grep -q -s '^ADMIN_STATE=configur' "/run/systemd/netif/links/$index"; then
      printf '%s systemd-networkd\n' "$name"
    elif grep -q -s '^nm-owned=true' "/run/NetworkManager/devices/$index"; then
      printf '%s NetworkManager\n' "$name"
    fi
  done
}

present_commands() {
  for name in "$@"; do
    if command -v "$name" >/dev/null; then printf '%s\n' "$name"; fi
  done
}

# quick_keys FILE: names alone, of what wg-quick(8) does beside addresses, routes and wg(8): there are secrets in it.
quick_keys() {
  [ -r "$1" ] || return 0
  awk -F = '
    { gsub(/[ \t\r]/, "", $1) }
    NF > 1 && tolower($1) ~ /^(preup|postup|predown|postdown|dns|table|saveconfig)$/ && !seen[$1]++ { print $1 }
  ' "$1"
}

# `DEVICE ACCEPT_RA` of each device by which a default route leads that came by router advertisement. Whose route it is,
# `proto ra` does not tell: networkd and NetworkManager write that, too, and set the kernel's accept_ra to 0.
advertised_ways() {
  ip -6 -N route show default table all proto 9 2>/dev/null | grep -o ' dev [^ ]*' | sort -u | while read -r _ name; do
    printf '%s %s\n' "$name" "$(first_line "/proc/sys/net/ipv6/conf/$name/accept_ra")"
  done
}

# unanswered: standard input is a WireGuard device and public keys, one a line. Prints those of the peers that have had no
# handshake, and the bytes that have come from them; where that is none, after 0.3 s.
unanswered() {
  read -r device
  asked=''
  while read -r key; do asked="$asked $key"; done
  tries=6
  while
    left=$(timeout 5 wg show "$device" dump | awk -v asked="$asked" '
      BEGIN { count = split(asked, keys, " "); while (count) of_these[keys[count--]] }
      NF == 8 && $5 == 0 && $1 in of_these { print $1, $6 }')
    tries=$((tries - 1))
    case $tries,$left$newline in 0,*) false ;; *" 0$newline"*) ;; *) false ;; esac
  do sleep 0.05; done
  [ -z "$left" ] || printf '%s\n' "$left"
}
