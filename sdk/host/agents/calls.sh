# shellcheck shell=sh disable=SC2016,SC2154 # of awk; of session.sh
# Whether those answer whom a device calls, and calls that are made again.

# unanswered: standard input is a WireGuard device and lines `PUBLICKEY` or `PUBLICKEY again`. Prints those of these peers that
# have had no handshake, and the bytes that have come from them; where that is none, after 0.3 s. Calls that crossed were both
# in vain: where something came, those `again` are called once more.
unanswered() {
  read -r device
  asked='' again=''
  while read -r key more; do asked="$asked $key" again="$again${more:+ $key}"; done
  tries=6
  while
    left=$(of_peers "$asked" '$5 == 0' '$1, $6')
    tries=$((tries - 1))
    case $tries,$left$newline in 0,*) false ;; *" 0$newline"*) ;; *) false ;; esac
  do sleep 0.05; done
  [ -n "$left" ] || return 0
  printf '%s\n' "$left"
  # An answer may be on its way. It gets a moment, in which nobody listens to a second call anyway (20 ms,
  # INITIATIONS_PER_SECOND).
  [ -z "$again" ] || { sleep 0.05 && make_anew "$again" '$5 == 0 && $6 > 0'; }
}

# call_again: standard input is a WireGuard device and a peer's public key. Where more has come from it than calls are (148 and
# 92 bytes) it is in use, whoever believes it new: it was somebody's before, or its state is lost. It would lose packets.
call_again() {
  read -r device
  read -r asked
  make_anew "$asked" '$6 < 4096'
}

# of_peers PUBLICKEYS CONDITION WORDS: what awk(1) says of those, by their lines of wg(8).
of_peers() {
  timeout 5 wg show "$device" dump 9>&- | awk -v asked="$1" '
    BEGIN { count = split(asked, keys, " "); while (count) of_these[keys[count--]] }
    NF == 8 && $1 in of_these && '"$2 { print $3 }"
}

# make_anew PUBLICKEYS CONDITION: a peer that is made anew is called at once, where WireGuard would wait for 5 s (REKEY_TIMEOUT), or
# 15 s where it believes that it has a session. One with a preshared key is left alone, for that is not to be seen
# here. All are where Rosenpass may be setting one in this moment (it calls again by itself), or somebody else changes this host.
make_anew() {
  if [ ! -d /run/overlay ] || [ -d /etc/overlay/rosenpass ]; then return 0; fi
  exec 9>/run/overlay/lock
  flock -n 9 || return 0
  anew=$(of_peers "$1" "$2"' && $2 == "(none)" && $3 != "(none)"' \
    '"peer", $1, "remove peer", $1, "endpoint", $3, "persistent-keepalive", $8, ($4 == "(none)" ? "" : "allowed-ips " $4)')
  # shellcheck disable=SC2086 # words
  [ -z "$anew" ] || timeout 5 wg set "$device" $anew 9>&-
}
