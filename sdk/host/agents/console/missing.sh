# shellcheck shell=sh
# Which lines of the boot files the kernel does not show. An endpoint may have moved, and what nobody here knows is taken
# to hold.

missing_lines() {
  {
    what_there_is
    boot_lines | sed 's/^/wanted /'
  } | awk '
    function after(name,   i) { for (i = 2; i < NF; i++) if ($i == name) return $(i + 1); return "" }
    # A route by what tells it from others: what ip route shows, and what it is told, with the destination in field AT.
    function way(at, bits,   to, refused, table) {
      refused = $at == "unreachable" || $at == "7"
      to = $(at + refused)
      if (to == "default") to = bits == 32 ? "0.0.0.0/0" : "::/0"
      table = after("table")
      return (index(to, "/") ? to : to "/" bits) " " (refused ? "refused" : after("dev")) " " \
        (table == "" || table == "main" ? 254 : table) " " after("metric")
    }
    function rule_of(   table) { table = after("lookup"); return (table == "main" ? 254 : table) " " after("sport") }
    function sorted(list,   parts, i, j, n, swap, all) {
      n = split(list, parts, ",")
      for (i = 2; i <= n; i++)
        for (j = i; j > 1 && parts[j] < parts[j - 1]; j--) { swap = parts[j]; parts[j] = parts[j - 1]; parts[j - 1] = swap }
      for (i = 1; i <= n; i++) all = all "," parts[i]
      return all
    }
    function holds(   name, table) {
      if (/^ip link add dev /) return ($5 in mtu)
      if (/^ip link set dev .* up$/) return ($5 in up)
      if (/^ip link set dev /) return after("mtu") == "" || after("mtu") == mtu[$5]
      if (/^sysctl -w /) { name = substr($0, 11); return (name in setting) }
      if (/^wg set [^ ]* peer /)
        return peer[$3 " " $5] == sorted(after("allowed-ips")) " " (after("persistent-keepalive") == "" ? "off" : after("persistent-keepalive"))
      if (/^psk [^ ]* [^ ]* strict /) return (($2 " " $3) in psk)
      if (/^wg set /)
        return device[$3] == after("listen-port") " " after("fwmark") " " key[after("private-key")] && key[after("private-key")] != ""
      if (/^ip addr add /) return (($6 " " $4) in address)
      if (/^ip route add /) return (way(4, index($0, ":") ? 128 : 32) in route)
      if (/^ip rule add /) return (("4 " after("pref") " " rule_of()) in rule)
      if (/^ip -6 rule add /) return (("6 " after("pref") " " rule_of()) in rule)
      if (/^nft insert rule /) { name = $0; sub(/^nft insert rule [^ ]* [^ ]* [^ ]* /, "", name); return index(chains[$4 " " $5 " " $6], name) }
      if (!/^nft add /) return 1
      table = $4 " " $5
      if ($3 == "table") return (table in tables)
      if ($3 == "element") return index(tables[table], " " $8 " : " $10) > 0
      if ($3 == "rule") return ++told[table " " $6] <= rules[table " " $6]
      return ((table " " $3 " " $6) in object)
    }

    $1 == "link" {
      sub(/[:@].*/, "", $3)
      mtu[$3] = after("mtu")
      if ($4 ~ /[<,]UP[,>]/) up[$3] = 1
      next
    }
    $1 == "addr" { address[$3 " " $5] = 1; next }
    $1 == "route4" || $1 == "route6" { route[way(2, $1 == "route4" ? 32 : 128)] = 1; next }
    $1 == "rule4" || $1 == "rule6" { sub(/:$/, "", $2); rule[substr($1, 5) " " $2 " " rule_of()] = 1; next }
    $1 == "key" { key[$2] = $3; next }
    $1 == "sysctl" { name = substr($0, 8); sub(/ $/, "", name); setting[name] = 1; next }
    $1 == "wgDevice" { device[$2] = $4 " " $5 " " $3; next }
    $1 == "wgPeer" { peer[$2 " " $3] = sorted($4) " " $5; if ($6 == "psk") psk[$2 " " $3]; next }
    $1 == "chain" { chains[$2 " " $3 " " $4] = chains[$2 " " $3 " " $4] " " $0; next }
    $1 == "nft" {
      table = $2 " " $3
      tables[table] = tables[table] " " $0
      if ($NF == "{") { object[table " " $4 " " $5] = 1; chain = $4 == "chain" ? table " " $5 : "" }
      else if ($4 == "}") chain = ""
      else if (chain != "" && $4 != "type") rules[chain]++
      next
    }
    $1 == "wanted" {
      $0 = substr($0, 8)
      if (!/^(#|$)/ && !holds()) print
    }'
}

# A line begins with what it is about. wg shows private and preshared keys as well: they end here.
what_there_is() {
  ip -N -o link show | sed 's/^/link /'
  ip -N -o addr show | sed 's/^/addr /'
  for family in 4 6; do
    ip "-$family" -N route show table all proto 111 2>/dev/null | sed "s/^/route$family /"
    ip "-$family" -N rule show 2>/dev/null | sed "s/^/rule$family /"
  done
  timeout 5 wg show all dump 2>/dev/null | awk -F '\t' '
    NF == 5 { print "wgDevice", $1, $3, $4, $5 }
    NF == 9 { print "wgPeer", $1, $2, $5, $9 ($3 == "(none)" ? "" : " psk") }'
  boot_lines | sed -n 's/^wg set .* private-key \([^ ]*\).*/\1/p' | sort -u | while read -r path; do
    printf 'key %s %s\n' "$path" "$(wg pubkey <"$path" 2>/dev/null)"
  done
  boot_lines | sed -n 's/^sysctl -w \([^=]*\)=.*/\1/p' | sort -u | while read -r name; do
    [ ! -r "/proc/sys/$name" ] || printf 'sysctl %s=%s\n' "$name" "$(tr -s '\t ' '  ' <"/proc/sys/$name")"
  done
  boot_lines | sed -n 's/^nft insert rule \([^ ]* [^ ]* [^ ]*\) .*/\1/p' | sort -u | while read -r family table chain; do
    nft list chain "$family" "$table" "$chain" 2>/dev/null | sed "s/^/chain $family $table $chain /"
  done
  our_tables | while read -r family name; do nft list table "$family" "$name" | sed "s/^/nft $family $name /"; done
}
