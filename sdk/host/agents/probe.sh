# shellcheck shell=sh
# Which packets pass, and which of them in one piece. What comes in fragments is noted before the kernel puts it together
# (which conntrack does at priority -400): the first fragment has the UDP header, with the length of the whole.

# probe: standard input is `DEVICE ADDRESS PORT HEADERS SIZE…`, one way a line: packets of these sizes (bytes, with their
# IP header) are to go out by DEVICE to ADDRESS inside and come back, and what carries them, HEADERS bytes more from the UDP
# header on, arrives here at UDP PORT. All at once; a size that is lost is tried again for a second. Prints sections:
# `answer`, lines `LINE SIZE`; `endpoint`, lines `PUBLICKEY ADDRESS:PORT` of the devices that are WireGuard's; `fragment`,
# lines `LENGTH ADDRESS . FROM . TO`: one of at most so many bytes came in fragments.
probe() {
  command -v ping >/dev/null || { echo 'it has no ping: apt-get install iputils-ping' >&2 && return 127; }
  ways=$(cat)
  printf '%s\n' "$ways" | note_fragments || return
  answers=$(
    number=0 running=0
    printf '%s\n' "$ways" | {
      while read -r device address _ _ sizes; do
        number=$((number + 1))
        for size in $sizes; do
          echoes "$device" "$address" "$size" "$number" </dev/null &
          running=$((running + 1))
          [ $((running % 100)) -ne 0 ] || wait
        done
      done
      wait
    }
  )
  section answer
  [ -z "$answers" ] || printf '%s\n' "$answers"
  section endpoint
  for device in $(printf '%s\n' "$ways" | cut -d ' ' -f 1 | sort -u); do
    timeout 5 wg show "$device" endpoints 2>/dev/null || :
  done
  section fragment
  nft list table inet overlay-probe | awk '
    /^\tset / { split($2, name, "_") }
    { while (match($0, /[0-9a-f.:]+ \. [0-9]+ \. [0-9]+/)) {
        print name[2], substr($0, RSTART, RLENGTH)
        $0 = substr($0, RSTART + RLENGTH)
      }
    }'
  nft delete table inet overlay-probe
  section end
}

# Until one comes back, or a second is over: what is lost by chance is no proof.
echoes() {
  case $2 in
    *:*) set -- "$@" -6 48 ;;
    *) set -- "$@" -4 28 ;;
  esac
  ! ping "$5" -n -q -M "do" -c 1 -i 0.1 -w 1 -s $(($3 - $6)) -I "$1" "$2" >/dev/null 2>&1 || printf '%s %s\n' "$4" "$3"
}

# note_fragments: in a table of its own, which goes when the look is over. One that was left behind is replaced. For each
# length a set, because up to 0.9.8 nft has no lengths in sets with other things.
note_fragments() {
  awk '
    function note(family, fragmented, ip, bytes) {
      name = "inet overlay-probe v" family "_" bytes
      print "add set " name " { type ipv" family "_addr . inet_service . inet_service ; flags dynamic ; size 4096 ; }"
      print "add rule inet overlay-probe fragments " fragmented " udp dport { " ports " } udp length <= " bytes \
        " add @v" family "_" bytes " { " ip " saddr . udp sport . udp dport }"
    }
    {
      if (!known[$3]++) ports = ports (ports == "" ? "" : ", ") $3
      for (word = 5; word <= NF; word++) lengths[$4 + $word]
    }
    END {
      print "add table inet overlay-probe\ndelete table inet overlay-probe\nadd table inet overlay-probe"
      print "add chain inet overlay-probe fragments { type filter hook prerouting priority -450 ; }"
      for (bytes in lengths) {
        note(4, "ip frag-off & 0x3fff == 0x2000", "ip", bytes)
        note(6, "exthdr frag exists", "ip6", bytes)
      }
    }' | nft -f -
}
