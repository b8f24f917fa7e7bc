# Links in simulated time, under the decision as a host has it:
#     awk -v seed=N -v run=SCENARIO [-v …] -f prove.awk -f decide.awk -f simulation.awk
# A link is one end that chooses among b1 and b2; with run=both, its other end chooses, too. Prints what is told, with the
# second of the run, and how it ended: `switches N` (to stay: not trials in vain), `at ENDPOINT`, `gap SECONDS` (the most at once).
#     busy=PACKETS         that the other end sends by itself, a second; each of 500 bytes
#     cuts=B FROM TO,…     nothing passes by B from one second of the run to another
#     oneway=out|in        cuts let through what comes in, or what goes out
#     loss=SHARE           of packets each way by b1
#     old=1                no handshake for long    mute=1  the other end answers no echo
#     jump=SECONDS         the host's clock is set by so much, after 60 s    seconds=… probe=…

function act(id, to) {
  endpoint[id] = to
  switches++
  acted++
  if (reaches(id)) arrived(id)
}

function tell(id, text) {
  if (text ~ /^a trial/) switches -= 2 # there and back
  printf "%.1f %s: %s\n", now - START, name[id], text
}

function cut(id,   words) {
  if (!((id, endpoint[id]) in broken)) return 0
  split(broken[id, endpoint[id]], words, " ")
  return now >= words[1] && now < words[2]
}

# Whether a packet arrives there; whether one arrives here.
function reaches(id) { return !(cut(id) && oneway != "in") && rand() >= lost[id, endpoint[id]] }
function returns(id) { return !(cut(id) && oneway != "out") && rand() >= lost[id, endpoint[id]] }

# An authenticated packet moves the other end's endpoint to the address that it came from.
function arrived(id) {
  if (id in twin && (id, endpoint[id]) in from) endpoint[twin[id]] = from[id, endpoint[id]]
}

function echo(id,   i) {
  for (i = 0; i < 3; i++) if (reaches(id)) {
    arrived(id)
    if (!mute && returns(id)) {
      got[id] += 150
      return 1
    }
  }
  return 0
}

# What comes from the other end meanwhile. It has a session while handshakes pass, and for 180 s; who is asked and says nothing
# sends a keepalive after 10 s (KEEPALIVE_TIMEOUT).
function comes(id, seconds,   i) {
  if (now - renewed[id] > 120 && reaches(id) && returns(id)) {
    shaken[id] = wall
    renewed[id] = now
    got[id] += 92
  }
  if (now - renewed[id] > 180) return
  for (i = 0; i < busy * seconds; i++) if (returns(id)) got[id] += 500
  if (mute && now - kept[id] > 10 && reaches(id) && returns(id)) {
    kept[id] = now
    got[id] += 32
  }
}

function simulate(   id, last, quiet) {
  for (now = last = START; now - START < seconds; now += wait() > 0.05 ? wait() : 0.05) {
    wall = 5000000 + now + (now - START > 60 ? jump : 0)
    for (id in device) {
      comes(id, now - last)
      split("", echoed)
      look(id, endpoint[id], sprintf("%d", shaken[id]), sprintf("%d", got[id]))
      if (asked[id] == "y") {
        if (echo(id)) answered(id)
        now += echoed[id] ? 0.02 : PROBE / 2 < 0.8 ? PROBE / 2 : 0.8
      }
      decide(id)
      if (cut(id)) quiet += now - last
      else quiet = 0
      if (quiet > gap) gap = quiet
    }
    last = now
  }
}

function peer(id, key, to) {
  device[id] = name[id] = substr(id, 1, 1)
  role[id] = "chooser"
  own[device[id]] = key
  endpoint[id] = to
  renewed[id] = old ? 0 : START - 50
  shaken[id] = 5000000 + renewed[id]
}

BEGIN {
  srand(seed)
  START = 1000
  if (probe) PROBE = probe
  if (!seconds) seconds = 600
  a = "a KEYB"; b = "b KEYA"
  peer(a, "KEYA", "b1")
  offer(a, "b1", "")
  offer(a, "b2", "")
  lost[a, "b1"] = loss
  count = split(cuts, cut_list, ",")
  for (i = 1; i <= count; i++) {
    split(cut_list[i], words, " ")
    broken[a, words[1]] = START + words[2] " " START + words[3]
  }
  if (run == "both") {
    # Each end prefers what the other does not: by b1 a is seen at a1, and by b2 at a2.
    peer(b, "KEYB", "a1")
    offer(b, "a2", "")
    offer(b, "a1", "")
    twin[a] = b; twin[b] = a
    from[a, "b1"] = "a1"; from[a, "b2"] = "a2"; from[b, "a1"] = "b1"; from[b, "a2"] = "b2"
  }
  simulate()
  printf "switches %d\nat %s\nsilent %.1f\n", switches, endpoint[a], gap
}
