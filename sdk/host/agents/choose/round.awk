# One round on a host: awk -f decide.awk -f round.awk now=… wall=… step=look|decide FILES, in this order:
#   conf, candidates (fit.awk's), state (its own of before), and then, with step=look, `watched` and what glance.awk says, the
#   counters of nft(8) and the dump of wg(8); with step=decide, the targets that answered
# Leaves the state in `state`, whom to ask in `targets`, who is where in `status`; prints what is to be done, a line each:
#   ask  set DEVICE KEY ENDPOINT KEEPALIVE  log TEXT  resolve NAME  watch  status  wait SECONDS

function act(id, to) { print "set", id, to, (keepalive[id] == "" || keepalive[id] == "off" ? 0 : keepalive[id]) }
function tell(id, text) { print "log", name[id] " (" device[id] "): " text }

$1 == "probe" { PROBE = $2 }
$1 == "count" { COUNT = $2 }
$1 == "hold" { HOLD = $2 }

$1 == "peer" {
  id = $2 " " $3
  order[++peers] = id
  device[id] = $2
  name[id] = $4
  role[id] = $5
  target[id] = $6
}
$1 == "candidate" { offer($2 " " $3, $4, $5 == "fit" ? "" : substr($0, length($1 $2 $3 $4) + 5)) }
$1 == "name" { names[$2 " " $3] = $4 }

$1 == "state" {
  id = $2 " " $3
  if (!(id in device)) next
  endpoint[id] = $4
  keepalive[id] = $5
  split($0, words, " ")
  restore(id, words, 6)
}
$1 == "own" { own[$2] = $3 }
$1 == "guard" {
  counter[$2] = $3
  alarmed[$2] = $4
  if ($5) risen[$2] = 1
}
# What could not be carried out is decided again.
$1 == "unset" && ($2 " " $3) in mode {
  id = $2 " " $3
  mode[id] = "good"
  at[id] = "-"
  since[id] = 0
  fails[id] = COUNT - 1
}

# nft list counters table inet overlay
$1 == "counter" && $3 == "{" { guarded = substr($2, 1, 5) == "link-" ? substr($2, 6) : "" }
$1 == "packets" && guarded != "" {
  if (guarded in counter && $2 + 0 > counter[guarded] + 0) risen[guarded] = 1
  if (!(guarded in counter)) alarmed[guarded] = 0
  counter[guarded] = $2
  guarded = ""
}

# wg show all dump: tabs, and no field is empty. The private key ($2 of a device) is not here: masked.
NF == 5 && FILENAME == "-" { own[$1] = $3 }
NF == 9 && FILENAME == "-" { peers_on[$1]++ }
NF == 9 && FILENAME == "-" && ($1 " " $2) in device {
  id = $1 " " $2
  keepalive[id] = $9
  look(id, $4, $6, $7)
  here[id] = 1
}
step == "decide" && NF == 1 { heard_of[$1] = 1 }
$1 == "watched" { watched[$2] = 1 }
$1 == "silent" { silent[$2] = 1 }

END {
  for (i = 1; i <= peers; i++) if (order[i] in mode) ids[++count] = order[i]
  peers = count
  if (step == "look") for (i = 1; i <= peers; i++) {
    id = ids[i]
    if (!(id in here)) { # its device is away, or does not answer
      asked[id] = "-"
      due[id] = now + PROBE
    } else if (asked[id] == "y" && target[id] != "-") {
      print target[id] >targets
      asking = 1
    }
  }
  if (asking) print "ask"
  else alarm()
  if (!asking) for (i = 1; i <= peers; i++) {
    if (target[ids[i]] in heard_of) answered(ids[i])
    decide(ids[i])
  }
  printf "" >state
  for (i = 1; i <= peers; i++) {
    id = ids[i]
    print "state", id, endpoint[id], keepalive[id], saved(id) >state
    if (mode[id] != "good" || fails[id] > 0) watch = 1
    if (!asking && role[id] == "chooser" && age(id) > OVERDUE && id in names) print "resolve", names[id]
  }
  for (dev in own) print "own", dev, own[dev] >state
  if (step == "look") watchable()
  for (dev in counter) print "guard", dev, counter[dev], alarmed[dev], (asking && dev in risen) + 0 >state
  if (asking) exit
  if (watch) print "watch"
  report()
  print "wait", time(wait())
}

# Once an hour, for each device.
function alarm(   dev) {
  for (dev in risen) if (alarmed[dev] == 0 || now - alarmed[dev] > LONGEST) {
    print "log ALARM: encrypted packets of " dev " were about to be sent into a tunnel, and were dropped"
    alarmed[dev] = now
  }
}

# Devices of one peer: their own counters tell of it. None, where somebody is called of whom no counter tells: then all are looked
# at in each round.
function watchable(   id) {
  printf "" >watch_file
  for (id in here) if (chooses(id) && !(answers[id] && peers_on[device[id]] == 1)) return
  for (id in here) if (chooses(id)) print "watched", device[id] >watch_file
}

# In a file beside it, which takes its place: somebody may be reading.
function report(   id, i, j, to, lines, count, same, relayed, others) {
  for (j = 1; j <= peers; j++) {
    id = ids[j]
    if (role[id] == "follower") {
      lines[++count] = "follows " id " " endpoint[id] " " name[id]
      continue
    }
    lines[++count] = "chosen " id " " at[id] " " name[id] " " mode[id]
    for (i = 1; i <= candidates[id]; i++) {
      to = candidate[id, i]
      lines[++count] = "candidate " id " " to " " (why_not(id, to) == "" ? "fit" : why_not(id, to))
    }
  }
  while ((getline to <status) > 0) {
    if (to ~ /^relayed /) relayed[++others] = to # those are relays.sh's
    else if (to == lines[same + 1]) same++
    else same = -1e9
  }
  if (same == count) return
  printf "" >(status ".new")
  for (i = 1; i <= count; i++) print lines[i] >(status ".new")
  for (i = 1; i <= others; i++) print relayed[i] >(status ".new")
  print "status"
}
