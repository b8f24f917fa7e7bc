# Where a peer is called: the decision, without a host. An id is `DEVICE PUBLICKEY`; times are seconds of a clock that nobody
# sets. A round is look() for each peer, answered() for each of those whose asked[id] is "y" then and whose echo came, and decide()
# for each peer. What is to be done comes out by act(id, ENDPOINT) and tell(id, TEXT), which others define.

BEGIN {
  SESSION = 170 # a session of this age still carries: 180 s (REJECT_AFTER_TIME, the WireGuard paper, section 6.1) and a margin
  OVERDUE = 135 # a handshake is renewed after 120 s, and tried for 15 s: then what comes in proves nothing
  HANDSHAKE = 7 # without a session a candidate needs this: a call is repeated after 5 s (REKEY_TIMEOUT), and its answer
  QUIET = 15 # who answers no echo says something after 10 s (KEEPALIVE_TIMEOUT), and is given this
  LONGEST = 3600 # between trials of the preferred endpoint
  PROBE = 2; COUNT = 3; HOLD = 120
}

function age(id) { return now - shookat[id] }
function session(id) { return age(id) < SESSION }

function meet(id, handshake, bytes) {
  mode[id] = "good"
  at[id] = endpoint[id]
  rx[id] = bytes
  seen[id] = heard[id] = held[id] = due[id] = now
  hold[id] = HOLD
  shook[id] = handshake
  # Of a clock that was set, a handshake may be of any time: one that makes no sense is none.
  shookat[id] = handshake > 0 && wall - handshake >= 0 && wall - handshake < 1000 ? now - (wall - handshake) : -1000
  fails[id] = since[id] = left[id] = answers[id] = undone[id] = yields[id] = rate[id] = lived[id] = badtill[id] = kicks[id] = 0
  home[id] = bad[id] = "-"
}

# look(ID, ENDPOINT, HANDSHAKE, BYTES): what wg(8) shows of a peer.
function look(id, to, handshake, bytes,   more, before) {
  endpoint[id] = to
  asked[id] = "-"
  if (!(id in mode)) meet(id, handshake, bytes)
  if (handshake != shook[id]) {
    shook[id] = handshake
    shookat[id] = now
  }
  if (bytes != rx[id]) heard[id] = now
  if (to != at[id] && mode[id] == "good") moved(id)
  if (!chooses(id) || due[id] > now + 0.05) return
  more = bytes - rx[id]
  if (more < 0) more = bytes
  before = rate[id]
  rate[id] = now > seen[id] ? more / (now - seen[id]) : 0
  rx[id] = bytes
  seen[id] = now
  # A device of one peer was looked at already (glance.awk).
  alive[id] = device[id] in watched ? !(device[id] in silent) : proves(more, rate[id], before)
  asked[id] = mode[id] == "good" && answers[id] && age(id) <= OVERDUE && alive[id] && !risen[device[id]] ? "n" : "y"
}

function chooses(id) { return role[id] == "chooser" && candidates[id] > 0 }

# Packets of the other end have moved the endpoint. Twice within an hour after it was chosen here: then the other end chooses
# as well, and one of the two, both know which, has no preference any more for an hour.
function moved(id) {
  at[id] = endpoint[id]
  if (chooses(id) && since[id] > 0 && now - since[id] < LONGEST && session(id)) {
    longer(id)
    if (++undone[id] >= 2 && own[device[id]] > peer_key(id)) {
      yields[id] = now + LONGEST
      tell(id, "the other end chooses as well, and has moved it to " at[id] ": it stays where it works for an hour")
    }
  }
  held[id] = now
}

function peer_key(id) { return substr(id, index(id, " ") + 1) }
function longer(id) { hold[id] = 2 * hold[id] < LONGEST ? 2 * hold[id] : LONGEST }

function answered(id) { echoed[id] = 1 }

function decide(id,   ok) {
  if (asked[id] == "-") return
  if (echoed[id]) answers[id] = 1
  ok = asked[id] == "n" || echoed[id] || !answers[id] && session(id) && heard[id] > since[id] && now - heard[id] <= QUIET
  due[id] = seen[id] + PROBE
  if (mode[id] == "trial") trial(id, ok)
  else if (mode[id] == "good") good(id, ok)
  else probation(id, ok)
}

function good(id, ok,   best) {
  best = following(id, "")
  if (!ok && risen[device[id]]) {
    bad[id] = at[id]
    badtill[id] = now + (hold[id] > 600 ? hold[id] : 600)
    lose(id, "packets to it were about to leave by a tunnel")
  } else if (!ok) {
    fails[id]++
    if (!answers[id] && session(id)) lose(id, "nothing came from there for " QUIET " s")
    else if (fails[id] >= COUNT) lose(id, fails[id] " probes failed")
  } else {
    fails[id] = 0
    if (best == "" || best == at[id]) {
      if (hold[id] > HOLD && now - held[id] >= hold[id]) {
        hold[id] = HOLD
        undone[id] = 0
      }
    } else if (answers[id] && now >= yields[id] && now - held[id] >= (why_not(id, at[id]) != "" && hold[id] == HOLD ? 0 : hold[id])) {
      home[id] = at[id]
      mode[id] = "trial"
      kicks[id] = 0
      since[id] = now
      send(id, best)
      due[id] = now
    }
  }
}

# Whether the preferred endpoint works, while another does: at once, or it is left.
function trial(id, ok) {
  if (ok && endpoint[id] == at[id]) {
    settle(id)
    tell(id, home[id] " -> " at[id] ": " (why_not(id, home[id]) == "" ? "it is preferred, and answers" : "the other " why_not(id, home[id])))
  } else if (ok && ++kicks[id] < 3 && now - since[id] < 0.5) { # what was on its way has moved it back
    send(id, at[id])
    due[id] = now
  } else {
    longer(id)
    tell(id, "a trial of " at[id] " failed: it stays with " home[id] " for " hold[id] " s")
    send(id, home[id])
    settle(id)
  }
}

# After a switch only an echo counts: what comes in may have been on its way.
function probation(id, ok,   over, to) {
  if (ok) {
    if (mode[id] == "lost") tell(id, "answers again at " endpoint[id])
    at[id] = endpoint[id]
    settle(id)
    return
  }
  fails[id]++
  if (lived[id] && session(id)) over = fails[id] >= COUNT
  else {
    over = now - since[id] >= HANDSHAKE - 0.05
    if (since[id] + HANDSHAKE < due[id] && !over) due[id] = since[id] + HANDSHAKE
  }
  if (!over) {
    # Packets by the old way still come; not so where the other end has called from elsewhere.
    if (endpoint[id] != at[id] && shookat[id] <= since[id] && fits(id) > 0) send(id, at[id])
    return
  }
  to = following(id, at[id])
  if (mode[id] == "trying" && --left[id] < 0) {
    mode[id] = "lost"
    tell(id, "none of its endpoints answers; they are tried in turn")
  }
  if (to == "") fails[id] = 0
  else go(id, to, lived[id] && session(id) ? fails[id] " probes failed" : "no answer in " HANDSHAKE " s")
}

function settle(id) {
  mode[id] = "good"
  fails[id] = 0
  held[id] = now
  changed = 1
}

function lose(id, why,   to) {
  to = following(id, at[id])
  # One that fails soon after it was preferred again is not tried again so soon.
  if (now - held[id] < hold[id] && at[id] == following(id, "") && since[id] > 0) longer(id)
  if (to == "") {
    mode[id] = "lost"
    since[id] = now
    lived[id] = 0
    changed = 1
    tell(id, at[id] " does not answer (" why "), and there is no other endpoint to try")
    return
  }
  mode[id] = "trying"
  left[id] = fits(id) - (why_not(id, at[id]) == "" && listed(id, at[id])) - 1
  go(id, to, why)
}

function go(id, to, why) {
  if (mode[id] == "trying") tell(id, at[id] " -> " to ": " why)
  since[id] = now
  lived[id] = session(id)
  fails[id] = 0
  due[id] = now + PROBE / 4
  send(id, to)
}

function send(id, to) {
  at[id] = to
  changed = 1
  act(id, to)
}

# offer(ID, ENDPOINT, WHY NOT): one candidate more; empty: it is fit.
function offer(id, to, why) {
  candidates[id]++
  candidate[id, candidates[id]] = to
  place[id, to] = candidates[id]
  unfit[id, to] = why
}

function listed(id, to) { return (id, to) in place }
function why_not(id, to) {
  if (bad[id] == to && now < badtill[id]) return "sent packets into a tunnel"
  return (id, to) in place ? unfit[id, to] : ""
}

function fits(id,   i, count) {
  for (i = 1; i <= candidates[id]; i++) if (why_not(id, candidate[id, i]) == "") count++
  return count + 0
}

# following(ID, ENDPOINT): the next candidate after it, in turn, and none where there is no other; after none the preferred.
function following(id, from,   i, start, to) {
  start = listed(id, from) ? place[id, from] : 0
  for (i = 1; i <= candidates[id]; i++) {
    to = candidate[id, (start + i - 1) % candidates[id] + 1]
    if (to != from && why_not(id, to) == "") return to
  }
  return ""
}

# wait(): seconds until somebody is due.
function wait(   id, least) {
  least = PROBE
  for (id in due) if (id in endpoint && chooses(id) && due[id] - now < least) least = due[id] - now
  return least > 0 ? least : 0
}

# saved(ID) and restore(LINE, FROM): all that is remembered of a peer, as words.
function saved(id) {
  return mode[id] " " at[id] " " fails[id] " " time(since[id]) " " time(due[id]) " " hold[id] " " time(held[id]) " " home[id] " " left[id] " " answers[id] " " undone[id] " " yields[id] " " rx[id] " " time(seen[id]) " " time(rate[id]) " " time(heard[id]) " " shook[id] " " time(shookat[id]) " " asked[id] " " lived[id] " " bad[id] " " time(badtill[id]) " " kicks[id]
}

function time(seconds) { return sprintf("%.2f", seconds) }

function restore(id, words, from) {
  if (!(from + 22 in words)) return
  mode[id] = words[from]; at[id] = words[from + 1]; fails[id] = words[from + 2]; since[id] = words[from + 3]
  due[id] = words[from + 4]; hold[id] = words[from + 5]; held[id] = words[from + 6]; home[id] = words[from + 7]
  left[id] = words[from + 8]; answers[id] = words[from + 9]; undone[id] = words[from + 10]; yields[id] = words[from + 11]
  rx[id] = words[from + 12]; seen[id] = words[from + 13]; rate[id] = words[from + 14]; heard[id] = words[from + 15]
  shook[id] = words[from + 16]; shookat[id] = words[from + 17]; asked[id] = words[from + 18]; lived[id] = words[from + 19]
  bad[id] = words[from + 20]; badtill[id] = words[from + 21]; kicks[id] = words[from + 22]
}
