# shellcheck shell=sh disable=SC2154,SC2034 # what main.sh sets and reads
# What this host sees: its peers, the ways to their endpoints, and who answers. Part of choose.sh on a host.

# fit: which endpoints are candidates now, by the ways that encrypted packets would take.
fit() {
  next_fit=$((seconds + 60))
  : >"$run/fitted"
  clock=$(($(date +%s) - seconds))
  cat "$run"/extract.* "$run"/name.* >"$run/known" 2>/dev/null
  awk '$1 == "endpoint" { print "route get " $3 " mark 0x6f" }
    $1 == "resolved" { for (i = 3; i <= NF; i++) print "route get " $i " mark 0x6f" }' "$run/known" |
    ip -o -force -batch - >"$run/ways" 2>/dev/null
  awk '{ for (i = 2; i < NF; i++) if ($i == "dev" && !seen[$(i + 1)]++) print "link show dev " $(i + 1) }' "$run/ways" |
    ip -N -j -d -force -batch - >"$run/devices" 2>/dev/null
  grep -H . /sys/class/net/*/mtu >>"$run/devices" 2>/dev/null
  awk -f "$lib/prefix.awk" -f "$lib/fit.awk" "$truth/conf" "$run/known" "$run/ways" "$run/devices" >"$run/peers.new" &&
    mv "$run/peers.new" "$run/peers"
}

# glance: whether some counter does not prove that its link is alive.
glance() {
  awk -v now="$now" -v glanced="$run/glanced" -f "$lib/prove.awk" -f "$lib/glance.awk" \
    "$run/glanced" "$run/watched" /proc/net/dev >"$run/silent"
  [ -s "$run/silent" ]
}

# look: what is known of each peer by now, and in $run/targets whom to ask.
look() {
  : >"$run/targets"
  if [ -n "$watch" ] || [ "$seconds" -ge "$next_look" ]; then
    next_look=$((seconds + 10))
    nft list counters table inet overlay >"$run/counters" 2>/dev/null
  else
    : >"$run/counters"
  fi
  wg_dump | decide look "$run/unset" "$run/watched" "$run/silent" "$run/counters" - || return
  : >"$run/unset"
}

# wg_dump: `wg show all dump`. One wireguard-go that hangs holds up the look at all: then, for a minute, each device is asked by
# itself, and it alone is missing.
wg_dump() {
  if ! hung; then
    shown=$(timeout 5 wg show all dump) || hangs $?
    if ! hung; then
      printf '%s\n' "$shown"
      return
    fi
  fi
  for device in $(timeout 5 wg show interfaces); do
    timeout 1 wg show "$device" dump | awk -v device="$device" '{ print device "\t" $0 }'
  done
}

# hangs CODE: notes whether timeout(1) ended it.
hangs() { [ "$1" -ne 124 ] || echo $((seconds + 60)) >"$run/hangs"; }
hung() {
  again=0
  [ ! -r "$run/hangs" ] || read -r again <"$run/hangs"
  [ "$seconds" -lt "$again" ]
}

# ask: who answers one of three echoes is in $run/alive.
ask() {
  fping -a -i 1 -r 2 -B 1 -t "$patience" <"$run/targets" >"$run/alive" 2>/dev/null
  read -r now _ </proc/uptime
}

# decide STEP FILE…: what is to be done, in $run/said.
decide() {
  step=$1
  shift
  awk -v step="$step" -v now="$now" -v wall=$((clock + seconds)) -v state="$run/state" -v targets="$run/targets" \
    -v status="$overlay_run/choice" -v watch_file="$run/watched" -f "$lib/prove.awk" -f "$lib/decide.awk" -f "$lib/round.awk" \
    "$truth/conf" "$run/peers" "$run/state" "$@" >"$run/said" || return
}

# resolve NAME…: each at its own time, because a name server may be silent.
resolve() {
  for name in "$@"; do
    addresses=$(timeout 10 getent ahosts "$name" | awk '!seen[$1]++ { printf " %s", $1 }')
    [ -z "$addresses" ] || printf 'resolved %s%s\n' "$name" "$addresses" >"$run/resolved.$name"
    [ ! -e "$run/resolved.$name" ] || cmp -s "$run/resolved.$name" "$run/name.$name" || {
      mv "$run/resolved.$name" "$run/name.$name"
      : >"$run/news"
      printf '%s is%s\n' "$name" "$addresses"
    }
  done
}
