# shellcheck shell=sh disable=SC2016,SC2154 # of awk; of session.sh
# Whether those answer whom a device calls.

# unanswered: standard input is a WireGuard device and lines `PUBLICKEY` or `PUBLICKEY again`. Prints those of these peers that
# have had no handshake, and the bytes that have come from them; where that is none, after 0.3 s. Calls that crossed were both
# in vain: where something came, those `again` are called once more.
unanswered() {
  read -r device
  asked='' again=''
  while read -r key more; do asked="$asked $key" again="$again${more:+ $key}"; done
  tries=6
  while
    left=$(of_no_handshake "$asked" '{ print $1, $6 }')
    tries=$((tries - 1))
    case $tries,$left$newline in 0,*) false ;; *" 0$newline"*) ;; *) false ;; esac
  do sleep 0.05; done
  [ -n "$left" ] || return 0
  printf '%s\n' "$left"
  [ -z "$again" ] || call_again
}

# of_no_handshake PUBLICKEYS ACTION: what awk(1) says of those, by their lines of wg(8).
of_no_handshake() {
  timeout 5 wg show "$device" dump | awk -v asked="$1" '
    BEGIN { count = split(asked, keys, " "); while (count) of_these[keys[count--]] }
    NF == 8 && $5 == 0 && $1 in of_these '"$2"
}

# A peer that is made anew is called at once, where WireGuard would wait for 5 s (REKEY_TIMEOUT). An answer may be on its way:
# it gets a moment, in which nobody listens to a second call anyway (20 ms, INITIATIONS_PER_SECOND). A peer with a preshared
# key is left alone, for that is not to be seen here; and where somebody is changing this host, all are.
call_again() {
  sleep 0.05
  [ -d /run/overlay ] || return 0
  exec 9>/run/overlay/lock
  flock -n 9 || return 0
  anew=$(of_no_handshake "$again" '&& $2 == "(none)" && $3 != "(none)" && $6 > 0 {
    if ($4 == "(none)") $4 = ""
    print "peer", $1, "remove peer", $1, "endpoint", $3, "persistent-keepalive", $8, ($4 ? "allowed-ips " $4 : "")
  }' 9>&-)
  # shellcheck disable=SC2086 # words
  [ -z "$anew" ] || timeout 5 wg set "$device" $anew 9>&-
}
