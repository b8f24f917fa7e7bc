# shellcheck shell=sh disable=SC2034 # what the other parts read
# Chooses where each peer is called and which nodes are reached by a relay, by what their stacks say in signed documents and
# what this host sees. It changes endpoints and routes by relays only: never keys, allowed IPs or peers. The decisions are
# those of decide.awk and relays.awk.
#     choose.sh            in rounds, for ever
#     choose.sh stopped    after that, where it is not to run again: nothing stays

overlay_run=/run/overlay
run=$overlay_run/choose
truth=/etc/overlay/truth
keys=/etc/overlay/keys
kept=/var/lib/overlay/truth
lib=${0%/*}/choose

main() {
  export LC_ALL=C
  umask 022
  case ${1-} in
    stopped) stopped ;;
    *) choose ;;
  esac
}

choose() {
  [ -d "$run" ] || mkdir -p "$run"
  [ -d "$kept" ] || mkdir -p "$kept"
  rm -f "$run"/extract.* "$run"/text.* "$run/hangs" "$run/peers" "$run/unset" "$run/news"
  for file in began peers state unset said glanced watched refused; do : >>"$run/$file"; done
  probe=$(setting probe 2) every=$(setting fetch 60) patience=$(patience)
  next_look=0 watch='' pause=0 names='' next_fit=0 next_fetch=0 next_resolve=0 next_relays=0 fetching=''
  relaying=$(grep -s -h -e '^far ' -e '^relayed ' "$truth/conf" "$overlay_run/choice") through=''
  kept_documents
  while :; do
    round
    case $pause in 0.0*) ;; *) sleep "$pause" ;; esac
  done
}

setting() {
  value=$(of_conf "$1")
  printf '%s' "${value:-$2}"
}

# Milliseconds for each of three echoes: half a round, and in a trial, while another endpoint works, less than a second.
patience() { awk -v probe="$probe" 'BEGIN { printf "%d", 1000 * (probe / 2 < 0.8 ? probe / 2 : 0.8) / 3 }'; }

round() {
  if ! running "$fetching" && changed; then exec /bin/sh "$0"; fi
  read -r now _ </proc/uptime
  seconds=${now%.*}
  if [ "$seconds" -ge "$next_fetch" ] && ! running "$fetching"; then
    next_fetch=$((seconds + every))
    documents &
    fetching=$!
  fi
  [ -z "$watch" ] || [ "$next_fit" -le $((seconds + 5)) ] || next_fit=$((seconds + 5))
  if [ "$seconds" -ge "$next_fit" ] || learned; then
    fit
    next_relays=0
  fi
  if relays_due; then relays; fi
  if ! glance && [ -z "$watch" ] && [ "$seconds" -lt "$next_look" ] && [ -s "$run/watched" ]; then
    pause=$probe
    return
  fi
  look || return 0
  read -r word _ <"$run/said" || word=''
  if [ "$word" = ask ]; then
    ask
    decide decide "$run/alive" || return 0
  fi
  carry_out
  if [ -n "$names" ] && [ "$seconds" -ge "$next_resolve" ]; then
    next_resolve=$((seconds + 15))
    # shellcheck disable=SC2086 # names, without white space
    resolve $names &
  fi
}

running() { [ -n "$1" ] && kill -0 "$1" 2>/dev/null; }

# What it was started with is another by now.
# shellcheck disable=SC3013 # every shell of a host has -nt
changed() {
  for file in "$truth/conf" "$truth/signers" "$keys/truth" "$0" "$lib"/*.awk; do
    if [ "$file" -nt "$run/began" ]; then
      rm -f "$run/began"
      return 0
    fi
  done
  return 1
}

# shellcheck disable=SC3013
learned() { [ -e "$run/news" ] && ! [ "$run/fitted" -nt "$run/news" ]; }

# Where it is to run again its routes stay, and what says that they are its own.
stopped() {
  if systemctl --quiet is-enabled overlay-choose.service 2>/dev/null; then
    [ ! -e "$overlay_run/choice" ] || status 'chosen|candidate|follows'
  else
    no_relays
    rm -rf "$run" "$kept" "$overlay_run/choice"
  fi
}

main "$@"
