# Who is reached by way of which relay: awk -f prefix.awk -f relays.awk FILES, in any order:
#   conf            `of KEY STACK …`, `far KEY PREFIX…`, `own ADDRESS`: of whom, where to, and from where
#   extracts        `relay KEY RELAYSKEY NAME RELAYSNAME RELAYSID [MTU]`, as extract.awk leaves them
#   what there is   `allowed DEVICE KEY IP…`, as wg(8) says it; /sys/class/net/DEVICE/netdev_group and mtu; routes as ip(8)
#                   shows them; `ip route add …`, what the node's own program has declared; `relayed …` of the status file
# Prints `changed` first where something is to be done; `del ROUTE`; for each that is to be there `replace ROUTE` or `keep`, and
# its line of the status file, `relayed DEVICE PREFIX RELAYSNAME NAME METRIC…`; `log TEXT` for each change; `refused TEXT`.
# Whom a route may lead to is the host's own program's to say; a document only says by whom.

BEGIN { LINKS = 28417; METRIC = 8192 } # LINK_GROUP and RELAY_METRIC, sdk/kernel/marks.ts

$1 == "of" { stack[$2] = $3 }
$1 == "far" {
  far[$2] = substr($0, length($1 $2) + 3)
  for (i = 3; i <= NF; i++) whose[$i] = $2
}
$1 == "own" && !(version($2) in source) { source[version($2)] = $2 }
$1 == "relay" && NF >= 6 { said[++relays] = $0 }
$1 == "allowed" {
  allowed[$2 " " $3] = substr($0, length($1 $2 $3) + 4)
  with[$3] = with[$3] " " $2
}
/^\/sys\/class\/net\// {
  split($0, parts, "/")
  value = substr($0, index($0, ":") + 1)
  if (parts[6] ~ /^mtu:/) mtu[parts[5]] = value
  else group[parts[5]] = value
}
$1 == "ip" && word_after("table") == "" { # its own route there, or one that ip(8) would take for ours
  declared[$4 " " word_after("dev")] = declared[$4 " metric " word_after("metric")] = word_after("metric")
}
$1 ~ /^[0-9a-f]*[.:]/ { there[prefix($1) " " word_after("dev") " " rest()] = 1 }
$1 == "relayed" { was[++had] = $0 }

function version(address) { return address ~ /:/ ? 6 : 4 }
function prefix(address) { return address ~ /\// ? address : address "/" (address ~ /:/ ? 128 : 32) }
function word_after(word,   i) {
  for (i = 2; i < NF; i++) if ($i == word) return $(i + 1)
}

# rest(): of a route, what makes it one of ours, in the order of sdk/kernel/route.ts.
function rest(   size) {
  size = word_after("mtu")
  return "metric " word_after("metric") " src " word_after("src") (size == "" ? "" : " mtu " size)
}

# carrier(KEY, PREFIX): the device of ours by which a peer is sent what goes there; nothing where none carries it.
function carrier(key, to,   devices, count, i, best) {
  count = split(with[key], devices, " ")
  for (i = 1; i <= count; i++) {
    if (group[devices[i]] != LINKS || !carries(allowed[devices[i] " " key], to)) continue
    if (best == "" || devices[i] < best) best = devices[i]
  }
  return best
}

function carries(ips, to,   list, count, i) {
  sub(/\/.*/, "", to)
  count = split(ips, list, " ")
  for (i = 1; i <= count; i++) if (within(list[i], to)) return 1
  return 0
}

function is_peer(key,   devices, count, i) {
  count = split(with[key], devices, " ")
  for (i = 1; i <= count; i++) if (group[devices[i]] == LINKS) return 1
  return 0
}

function refuse(line, to, why,   words, text) {
  split(line, words, " ")
  text = words[4] " by way of " words[5] ", as " stack[words[2]] " says: " why
  if (!once[text]++) refused[++refusals] = text
  if (to != "") unfit[to, words[5]] = why
}

function plan(line,   words, to, count, i, dev) {
  split(line, words, " ")
  if (!(words[2] in far)) {
    refuse(line, "", "refused, because this host's own program does not say that it may be reached so")
    return
  }
  count = split(far[words[2]], to, " ")
  for (i = 1; i <= count; i++) {
    if (!(version(to[i]) in source)) continue
    dev = carrier(words[3], to[i])
    if (dev != "") route(dev, to[i], words)
    else if (is_peer(words[3])) refuse(line, to[i], "no route, because no device has " to[i] " among the allowed IPs of " words[5])
    else refuse(line, to[i], "no route, because " words[5] " is no peer of a device of ours")
  }
}

function route(dev, to, words,   metric) {
  metric = "metric " METRIC + words[6]
  if ((to " " dev) in declared || (to " " metric) in declared || (to " " dev) in wanted || (to " " metric) in wanted) return
  wanted[to " " dev] = metric " src " source[version(to)] (words[7] != "" && words[7] + 0 < mtu[dev] + 0 ? " mtu " words[7] : "")
  wanted[to " " metric] = ""
  order[++routes] = dev " " to " " words[5] " " words[4]
  by_whom[to " " dev] = stack[words[2]]
}

# left(LINE): of a line of the status file, what becomes of its route: it goes, or the program has it by now.
function left(line,   words, it, what, why) {
  split(line, words, " ")
  it = words[3] " " words[2]
  kept[it] = line
  if (it in wanted && index(wanted[it], "metric " words[7] " ") == 1) return
  changed = 1
  what = words[5] " (" words[2] "): " words[3]
  if (declared[it] == words[7]) {
    todo[++steps] = "log " what " by way of " words[4] " is the program's own route by now"
    return
  }
  todo[++steps] = "del " words[3] " dev " words[2] " proto 111 metric " words[7]
  if (!(it in wanted)) {
    if (declared[it] != "") why = "the program itself has a route there"
    else if (!(words[3] in whose)) why = "this host's own program does not say any more that it may be reached so"
    else if ((words[3], words[4]) in unfit) why = unfit[words[3], words[4]]
    else why = stack[whose[words[3]]] " does not name it any more"
    todo[++steps] = "log " what " no longer by way of " words[4] ": " why
  }
}

function made(line,   words, it, full, is, why) {
  split(line, words, " ")
  it = words[2] " " words[1]
  full = "relayed " line " " wanted[it]
  is = (it " " wanted[it]) in there
  if (!is || kept[it] != full) changed = 1
  todo[++steps] = is ? "keep" : "replace " words[2] " dev " words[1] " proto 111 " wanted[it]
  todo[++steps] = full
  if (is) return
  why = kept[it] == full ? " again: its route was gone" : ", as " by_whom[it] " says: " wanted[it]
  todo[++steps] = "log " words[4] " (" words[1] "): " words[2] " by way of " words[3] why
}

END {
  for (i = 1; i <= relays; i++) plan(said[i])
  for (i = 1; i <= had; i++) left(was[i])
  for (i = 1; i <= routes; i++) made(order[i])
  if (changed) print "changed"
  for (i = 1; i <= steps; i++) print todo[i]
  for (i = 1; i <= refusals; i++) print "refused " refused[i]
}
