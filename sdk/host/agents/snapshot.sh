# shellcheck shell=sh disable=SC2154 # what steps.sh sets
# One look at a host: sections of the tools' own output, each begun by a line ^^NAME (^^ = the record separator, octal
# 036). sdk/host/snapshot.ts reads them. A tool that is missing leaves its section empty. What is secret is masked here.

tab='	'

# snapshot: standard input is queries, one a line (sysctl NAME, file PATH, unit NAME, enabled NAME, key PATH,
# command NAME, manager DEVICE, way ADDRESS, fdb DEVICE, neigh DEVICE, firewall ufw|firewalld|FAMILY TABLE CHAIN,
# hook NAME [DEVICE], table FAMILY NAME, tables, quick DEVICE, advertised, decisions, rosenpass NAME, rosenpass-node BINARY, udp PORT).
snapshot() {
  set +e
  read_queries
  at_once look
}

look() {
  section machine
  first_line /etc/machine-id
  section uptime
  first_line /proc/uptime
  section ssh
  ssh_ends
  section owner
  first_line /etc/overlay/owner
  section versions
  first_line /proc/sys/kernel/osrelease
  curl_version
  section wireguard
  wireguard_flavour
  await_fresh
  network
  section wg
  wg_dump
  nft_tables
  section boot
  boot_files
  clock=/proc/self/
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
  curl_version
  [ -z "$ways" ] || { section ip && ask_ip "$ways"; }
  [ -z "$tables$all_tables" ] || nft_tables
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
  advertised='' decisions='' rosenpass='' rosenpass_nodes='' ports='' clock='' held='' tables='' all_tables=''
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
      table) tables=$tables$name, ;;
      tables) all_tables=yes ;;
      quick) quick="$quick $name" ;;
      advertised) advertised=yes ;;
      decisions) decisions=yes ;;
      rosenpass) rosenpass="$rosenpass $name" ;;
      rosenpass-node) rosenpass_nodes="$rosenpass_nodes $name" ;;
      udp) ports="$ports $name" ;;
    esac
  done
}

# Where somebody asks for it. What version nft is it says with its tables.
curl_version() {
  case " $commands " in *' curl '*) ;; *) return ;; esac
  said=$(curl --version 2>/dev/null)
  printf '%s\n' "${said%%"$newline"*}"
}

answers() {
  # shellcheck disable=SC2086 # lists of words without white space; set -f is on
  {
    [ -z "$sysctls" ] || { section sysctl && sysctl_values $sysctls; }
    [ -z "$clock$files" ] || { section file && file_states $files; }
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

# of_those PATH…: those that are there. What is none of them a tool need not be started for.
of_those() {
  there=''
  for path in "$@"; do if [ -e "$path" ]; then there="$there $path"; fi; done
}

# A process, for a shell reads each byte by itself, and a number of /proc/sys has no second one then (proc_dointvec).
sysctl_values() {
  of_those "$@"
  # shellcheck disable=SC2086
  [ -z "$there" ] || grep -s -H '' $there
}

# Lines of sha256sum(1), then `MODE PATH UNIXTIME`. Linux makes /proc/self for each process that looks at it (fs/proc/base.c,
# proc_pid_make_inode), so its time is what the clock says, and date(1) would be one process more.
file_states() {
  of_those "$@"
  # shellcheck disable=SC2086
  {
    [ -z "$there" ] || sha256sum $there
    [ -z "$clock$there" ] || stat -L -c '%a %n %Y' $clock $there
  } 2>/dev/null
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

# has_line FILE PATTERN, of a file of a few lines: as `grep -q`.
has_line() {
  [ -r "$1" ] || return
  while read -r line; do
    # shellcheck disable=SC2254 # a pattern
    case $line in $2) return 0 ;; esac
  done <"$1"
  return 1
}

# exists PATTERN: whether there is a file of such a name.
exists() {
  set +f
  # shellcheck disable=SC2086 # a pattern
  set -- $1
  set -f
  [ -e "$1" ]
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
  while exists '/run/overlay/*.fresh' && [ "$tries" -gt 0 ]; do
    tries=$((tries - 1))
    sleep 0.05
  done
}

# Routes of ours (111) and those that an overlay prefix might overlap: kernel 2, boot 3, static 4, ra 9, dhcp 16. The full
# table of a routing daemon is not read. Ways to addresses, by all rules and tables: of what answers SSH, and of packets with our
# mark (0x6f); where there is none, no line. The rules come last, because without IPv6 that dump breaks off in the middle; those of
# IPv6 alone need an ip(8) of their own.
# -N: numbers, because the names come from files that anybody may edit.
network() {
  section ip
  routes_to 0.0.0.0/0
  ask_ip "link show${newline}addr show$newline$routes$ways${newline}rule show"
  section ip6
  routes_to ::/0
  ask_ip "${routes}rule show" -6
}

# routes_to ALL: those of one family, because `table all` is of each.
routes_to() {
  routes=''
  for protocol in 111 2 3 4 9 16; do
    routes="${routes}route show table all proto $protocol root $1$newline"
  done
}

# ask_ip LINES [-6]
ask_ip() {
  # shellcheck disable=SC2086 # nothing, or one word
  ip ${2-} -N -j -d -force -batch - 2>/dev/null <<EOT
$1
EOT
}

# With what choose.sh has left of where peers are called: `DEVICE PUBLICKEY chosen|candidate|follows ENDPOINT`; and of the
# routes by relays that it has made: `DEVICE DESTINATION relayed METRIC…`.
# Where neither the kernel nor anybody's socket has WireGuard there is nothing to ask wg for. The kernel answers at once. One
# wireguard-go that hangs holds up the look at all: then each device is asked by itself, and it alone is missing.
wg_dump() {
  dump=''
  command -v wg >/dev/null || return
  if exists '/var/run/wireguard/*.sock'; then
    dump=$(timeout 5 wg show all dump)
    [ $? -ne 124 ] || dump=$(
      for device in $(timeout 5 wg show interfaces); do
        timeout 1 wg show "$device" dump | awk -v device="$device" '{ print device "\t" $0 }'
      done
    )
  elif [ -e /sys/module/wireguard ]; then
    dump=$(wg show all dump)
  fi
  [ -n "$dump" ] || return
  masked
  [ ! -r /run/overlay/choice ] || awk -v OFS='\t' '
    $1 == "relayed" { print $2, $3, $1, substr($0, index($0, " metric ") + 1) }
    $1 != "relayed" && ($1 != "candidate" || $5 == "fit") { print $2, $3, $1, $4 }' /run/overlay/choice
}

# The dump without private and preshared keys. What keys devices have is left in $held, private and public.
masked() {
  held=$newline
  IFS=$newline
  for line in $dump; do
    IFS=$tab
    # shellcheck disable=SC2086 # its fields
    set -- $line
    case $#:${2-}:${3-} in
      5:'(none)':* | 9:*:'(none)') ;;
      5:*) line="$1$tab(hidden)${line#"$1$tab$2"}" held=$held$2$tab$3$newline ;;
      9:*) line="$1$tab$2$tab(hidden)${line#"$1$tab$2$tab$3"}" ;;
    esac
    printf '%s\n' "$line"
  done
  unset IFS
}

# Those that somebody asks for by name; where nobody does, or for `tables`, all of ours.
nft_tables() {
  command -v nft >/dev/null || return
  if [ -n "$all_tables" ] || [ -z "$tables" ] || ! is_owned; then list_tables; else
    listed=''
    each nft_table "$tables"
    # What version it is each of them has said.
    [ -n "$listed" ] || list_tables
  fi
}

# A host that is nobody's has none of our tables, and a list of all says that at once.
is_owned() { [ -e /etc/overlay/owner ]; }

# nft_table 'FAMILY NAME': what is in it, with nft's version; nothing where it is not there.
nft_table() {
  # shellcheck disable=SC2086 # two words
  table=$(nft -j list table $1 2>/dev/null) || return 0
  section "nft $1"
  printf '%s\n' "$table"
  listed=yes
}

# The list of all tables, with nft's version, and what is in ours. One call for both would list those alone that it is to show, from
# nft 1.0.2 on.
list_tables() {
  section nft
  there=$(nft -j list tables)
  printf '%s\n' "$there"
  case $there in *'"metainfo"'*) ;; *) nft --version 2>/dev/null ;; esac # before 0.9.1
  IFS='{'
  for table in $there; do
    unset IFS
    case $table in
      '"family": "'*'", "name": "overlay'*)
        name=${table#*'"name": "'} table=${table#'"family": "'}
        nft_table "${table%%'"'*} ${name%%'"'*}"
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

# A key that a device has need not be told to wg again.
public_keys() {
  for path in "$@"; do
    [ -r "$path" ] || continue
    private=''
    read -r private <"$path"
    case $held in
      *"$newline$private$tab"*) public=${held#*"$newline$private$tab"} && public=${public%%"$newline"*} ;;
      *) public=$(wg pubkey <"$path") ;;
    esac
    printf '%s %s\n' "$public" "$path"
  done
}

# `DEVICE MANAGER`, of those that say so: what they have configured, or made themselves.
managers() {
  for name in "$@"; do
    [ -r "/sys/class/net/$name/ifindex" ] || continue
    read -r index <"/sys/class/net/$name/ifindex"
    if has_line "/run/systemd/netif/links/$index" 'ADMIN_STATE=configur*'; then
      printf '%s systemd-networkd\n' "$name"
    elif has_line "/run/NetworkManager/devices/$index" 'nm-owned=true*'; then
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
