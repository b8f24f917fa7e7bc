# shellcheck shell=sh disable=SC2154 # what steps.sh sets
# Which packets pass, and which of them in one piece. What comes in fragments is noted before the kernel puts it together
# (which conntrack does at priority -400): the first fragment has the UDP header, with the length of the whole. Before that
# counters tell for nothing whether any may have come, and the answer is no nearly everywhere.

# probe: standard input is `DEVICE ADDRESS PORT:HEADERS,… SIZE…`, one way a line: packets of these sizes (bytes, with their
# IP header) are to go out by DEVICE to ADDRESS inside and come back, and what carries them, HEADERS bytes more from the UDP
# header on, arrives here at UDP PORT: VXLAN's, and WireGuard's around it. All ways at once, and of each the first size before the others, which are not sent
# where nobody answers; a size that is lost is tried again for a second. Prints sections: `answer`, what ping(8) says;
# `fragment`, the sets of nft(8) in which each is of the datagrams of at most so many bytes that came in fragments; `endpoint`,
# whose these may be: lines `DEVICE PUBLICKEY ADDRESS:PORT` of WireGuard's devices, where there are some.
probe() {
  command -v ping >/dev/null || { echo 'it has no ping: apt-get install iputils-ping' >&2 && return 127; }
  ways='' ports='' lengths=''
  while read -r device address carriers sizes; do
    ways=$ways"$device $address $sizes"$newline
    IFS=,
    for carrier in $carriers; do
      unset IFS
      port=${carrier%:*}
      case " $ports, " in *" $port, "*) ;; *) ports="$ports${ports:+,} $port" ;; esac
      for size in $sizes; do
        length=$((${carrier#*:} + size))
        case " $lengths " in *" $length "*) ;; *) lengths="$lengths $length" ;; esac
      done
    done
  done
  count_arrived
  before=$arrived fragments=''
  answers=$(send)
  count_arrived
  if [ "$arrived" != "$before" ]; then
    note_fragments || return
    answers=$(send)
    fragments=$(nft list table inet overlay-probe)
    nft delete table inet overlay-probe # by itself: nft 1.0.6 crashes where one call lists a table and deletes it
  fi
  section answer
  printf '%s\n' "$answers"
  section fragment
  printf '%s\n' "$fragments"
  section endpoint
  case $fragments in *elements*) endpoints ;; esac
  section end
}

# Fragments of IPv4 that came to this host so far, whoever puts them together; and datagrams that came by IPv6, whose
# fragments conntrack does not count. proc_net(5): ReasmReqds of RFC 4293 (net/ipv4/proc.c) is the 14th of its line.
count_arrived() {
  arrived=''
  while read -r what _ _ _ _ _ _ _ _ _ _ _ _ _ reassembled _; do
    [ "$what" != Ip: ] || arrived=$reassembled
    [ "$what" != Icmp: ] || break
  done </proc/net/snmp
  [ -r /proc/net/snmp6 ] || return 0
  while read -r what datagrams; do
    [ "$what" != Udp6InDatagrams ] || break
  done </proc/net/snmp6
  arrived="$arrived $datagrams"
}

# Each until one comes back, or a second is over: what is lost by chance is no proof.
send() {
  running=0
  while read -r device address sizes; do
    case $address in
      '') continue ;;
      *:*) header=48 family=-6 ;;
      *) header=28 family=-4 ;;
    esac
    # shellcheck disable=SC2086 # numbers
    set -- $sizes
    if [ $# -eq 1 ]; then ask "$1" 0.3 exec & else one_way "$@" & fi
    running=$((running + $#))
    [ $((running % 100)) -ge $# ] || wait
  done <<EOT
$ways
EOT
  wait
}

one_way() {
  ask "$1" 0.3 || return 0
  shift
  for size; do ask "$size" 0.1 exec & done
  wait
}

# ask SIZE SECONDS [exec]
ask() {
  ${3-} ping "$family" -n -M "do" -c 1 -i "$2" -w 1 -s $(($1 - header)) -I "$device" "$address" </dev/null 2>/dev/null
}

# One call for all devices, unless one of them hangs.
endpoints() {
  timeout 5 wg show all endpoints 2>/dev/null && return
  for device in $(timeout 5 wg show interfaces 2>/dev/null); do
    timeout 1 wg show "$device" endpoints 2>/dev/null | while read -r peer; do printf '%s\t%s\n' "$device" "$peer"; done
  done
}

# In a table of its own, which goes when the look is over. One that was left behind is replaced. For each length a set,
# because up to 0.9.8 nft has no lengths in sets with other things.
note_fragments() {
  rules=''
  for bytes in $lengths; do
    for family in 4 6; do
      case $family in
        4) fragmented='ip frag-off & 0x3fff == 0x2000' ip=ip ;;
        6) fragmented='exthdr frag exists' ip=ip6 ;;
      esac
      rules="$rules
add set inet overlay-probe v${family}_$bytes { type ipv${family}_addr . inet_service . inet_service ; flags dynamic ; size 4096 ; }
add rule inet overlay-probe fragments $fragmented udp dport {$ports } udp length <= $bytes add @v${family}_$bytes { $ip saddr . udp sport . udp dport }"
    done
  done
  nft -f - <<EOT
add table inet overlay-probe
delete table inet overlay-probe
add table inet overlay-probe
add chain inet overlay-probe fragments { type filter hook prerouting priority -450 ; }
$rules
EOT
}
