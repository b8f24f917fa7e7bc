# shellcheck shell=sh disable=SC2154 # what steps.sh sets
# How far the UDP of a link or a segment gets: on its way out of this host, and on its way in from the other end.

# trace: standard input is `DEVICE ADDRESS sport|dport PORT FROM`, one way a line: for six seconds, in which WireGuard calls
# twice, packets are sent by DEVICE to ADDRESS inside, and datagrams are counted that come to UDP PORT and that leave from it,
# or, with dport, for it at the other end; from and to FROM where that is no `-`. Prints sections: `count`, lines
# `PORT FROM come|in|out|gone DATAGRAMS`, as they come to this host, are past its rules, are sent, and leave it; `dropped`, lines
# `PORT FROM come|out VERDICT`, of nft(8), that ended any of those that came or were sent.
trace() {
  ways='' rules=''
  while read -r device address way port from; do
    ways=$ways"$device $address$newline"
    come="udp dport $port" sent="udp $way $port"
    case $from in
      -) ;;
      *:*) come="ip6 saddr $from $come" sent="ip6 daddr $from $sent" ;;
      *) come="ip saddr $from $come" sent="ip daddr $from $sent" ;;
    esac
    rules=$rules"add rule inet overlay-trace come $come meta nftrace set 1 counter comment \"$port $from come\"
add rule inet overlay-trace in $come counter comment \"$port $from in\"
add rule inet overlay-trace out $sent meta nftrace set 1 counter comment \"$port $from out\"
add rule inet overlay-trace gone $sent counter comment \"$port $from gone\"
"
  done
  nft -f - <<EOT || return
add table inet overlay-trace
delete table inet overlay-trace
add table inet overlay-trace
add chain inet overlay-trace come { type filter hook prerouting priority -450 ; }
add chain inet overlay-trace in { type filter hook input priority 450 ; }
add chain inet overlay-trace out { type filter hook output priority -450 ; }
add chain inet overlay-trace gone { type filter hook postrouting priority 450 ; }
$rules
EOT
  traced=$(
    timeout 6 nft monitor trace 2>/dev/null &
    call
    wait
  )
  counted=$(nft list table inet overlay-trace)
  nft delete table inet overlay-trace
  section count
  printf '%s\n' "$counted" |
    sed -n 's/^.* counter packets \([0-9]*\) bytes [0-9]* comment "\([^"]*\)"$/\2 \1/p'
  section dropped
  printf '%s\n' "$traced" | verdicts | sort -u
  section end
}

# Of `trace id ID FAMILY TABLE CHAIN …`: our own rule that a packet meets first says of which way it is.
verdicts() {
  awk '
    $1 != "trace" { next }
    $5 == "overlay-trace" {
      if (match($0, /comment "[^"]* (come|out)"/)) whose[$3] = substr($0, RSTART + 9, RLENGTH - 10)
      next
    }
    /verdict drop|policy drop/ && $3 in whose {
      id = $3
      sub(/^trace id [^ ]+ /, "")
      print whose[id], $0
    }'
}

call() {
  while read -r device address; do
    case $address in
      '') continue ;;
      *:*) family=-6 ;;
      *) family=-4 ;;
    esac
    ping "$family" -n -c 12 -i 0.5 -w 6 -I "$device" "$address" </dev/null >/dev/null 2>&1 &
  done <<EOT
$ways
EOT
}
