# Which endpoints of a peer are candidates, in order: awk -f prefix.awk -f fit.awk FILES, in any order:
#   conf            `of KEY STACK ADDRESS`, `never PREFIX`, `tunnel KIND`, `underlay DEVICE`
#   extracts        as extract.awk leaves them
#   names           `resolved NAME ADDRESS…`
#   ways            what ip(8) says: -o route get ADDRESS; -N -j -d link show dev DEVICE; and `/sys/class/net/DEVICE/mtu:BYTES`
# Prints `peer DEVICE KEY NAME ROLE ADDRESS` and `candidate DEVICE KEY ENDPOINT fit|WHY…`, `name DEVICE KEY NAME`.

$1 == "never" || $1 == "overlay" {
  never[++nevers] = $2
  says[nevers] = $3 # a stack says it of the endpoints of its own nodes
}
$1 == "of" {
  stack[$2] = $3
  inside[$2] = $4
}
$1 == "tunnel" { tunnel[$2] = 1 }
$1 == "underlay" { underlay[$2] = 1 }
$1 == "resolved" { resolved[$2] = substr($0, length($1 $2) + 3) }
$1 == "peer" && !($2 in device) {
  key[++peers] = $2
  device[$2] = $3
  at = inside[$2]
  print "peer", $3, $2, $4, $5, (at ~ /^fe80:/ ? at "%" $3 : at == "" ? "-" : at)
}
$1 == "endpoint" || $1 == "name" {
  whose[++lines] = $2
  what[lines] = $0
}
/^\/sys\/class\/net\// {
  split($0, parts, "/")
  mtu[parts[5]] = substr($0, index($0, ":") + 1)
}
/^\[/ {
  name = quoted("ifname")
  kind[name] = quoted("info_kind")
  group[name] = quoted("group")
}
# `203.0.113.9 via 198.51.100.1 dev eth0 … mtu 1400`, `local 203.0.113.5 dev lo …`
/ dev / && $1 !~ /^[\[\/]/ {
  at = $1 ~ /^[0-9a-f]*[.:]/ ? $1 : $2
  way[at] = word_after("dev")
  way_mtu[at] = word_after("mtu")
}

function quoted(field,   from) {
  if (!match($0, "\"" field "\":\"[^\"]*\"")) return ""
  from = RSTART + length(field) + 4
  return substr($0, from, RLENGTH - length(field) - 5)
}

# word_after(WORD): what stands behind it, or behind `lock` there.
function word_after(word,   i) {
  for (i = 2; i < NF; i++) if ($i == word) return $(i + 1) == "lock" ? $(i + 2) : $(i + 1)
}

# Why an address of a peer is no candidate, or `fit`.
function verdict(owner, address, dev,   i, out, least) {
  for (i = 1; i <= nevers; i++) if ((says[i] == "" || says[i] == stack[owner]) && within(never[i], address)) return "lies in " never[i]
  out = way[address]
  if (out == "") return "has no way"
  if (out == "lo") return "is this host's own"
  if (group[out] == 28417 || group[out] == 28418) return "is reached by " out ", a tunnel of this network"
  if (kind[out] in tunnel && !(out in underlay)) return "is reached by " out ", a tunnel (" kind[out] ")"
  least = mtu[out]
  if (way_mtu[address] != "" && way_mtu[address] + 0 < least + 0) least = way_mtu[address]
  # Overheads of WireGuard, sdk/network/mtu.ts.
  if (mtu[dev] != "" && least != "" && mtu[dev] + (address ~ /:/ ? 80 : 60) > least + 0) return "carries " least " bytes at most, too few for the MTU of " dev ", " mtu[dev]
  return "fit"
}

function candidate(owner, address, port,   endpoint) {
  endpoint = address ~ /:/ ? "[" address "]:" port : address ":" port
  if (known[owner, endpoint]++) return
  print "candidate", device[owner], owner, endpoint, verdict(owner, address, device[owner])
}

END {
  for (i = 1; i <= lines; i++) {
    split(what[i], said, " ")
    if (!(whose[i] in device)) continue
    if (said[1] == "endpoint") candidate(whose[i], said[3], said[4])
    else {
      print "name", device[whose[i]], whose[i], said[3]
      count = split(resolved[said[3]], addresses, " ")
      for (j = 1; j <= count; j++) {
        if (bits(addresses[j]) == "" || said[6] == "4" && addresses[j] ~ /:/ || said[6] == "6" && addresses[j] !~ /:/) continue
        candidate(whose[i], addresses[j], said[4])
      }
    }
  }
}
