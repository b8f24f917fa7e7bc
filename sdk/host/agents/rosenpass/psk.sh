# shellcheck shell=sh disable=SC2154,SC2034,SC2086 # what steps.sh or main.sh sets, and what they and watch.sh read; words
# The preshared key of a link that Rosenpass protects, wg(8). Its files are in /run/overlay/rosenpass/NAME, for root alone:
# psk        the key of the last exchange, or a random one that nobody else has
# exchanged  SECONDS PEER of that exchange: by /proc/uptime, which nobody sets
# fresh      there is an exchange of the daemon that runs now, with the files that it is to have
# first      HANDSHAKE when a key was set and the peer had none: a later one is protected
# asked      when wg was last asked by which endpoint it calls the other end
# dead       there may be no session any more, so that the next key begins one at once

rosenpass_kept=/var/lib/overlay/rosenpass
rosenpass_stale=180 # seconds that a key is good for: REJECT_AFTER_TIME of Rosenpass, as that of WireGuard
wg_limit='timeout 5' # words before wg, which waits for wireguard-go

# set_psk DEVICE PEER permissive|strict|closed|none NAME: what a host may have without a new exchange. Permissive: the last key,
# which outlives a boot. Strict: the last key while it is good, else one that nobody has, so that nothing passes.
set_psk() {
  keep=$overlay_run/rosenpass/$4
  see_peer "$1" "$2" || return
  case $3 in
    none)
      no_psk "$@"
      return
      ;;
    permissive)
      if ! exchanged_with "$2" && ! { read_key "$rosenpass_kept/$4" && [ "$whose" = "$2" ] && write_psk; }; then
        [ ! -e "$keep/psk" ] || { no_psk "$@" && rm -f "$keep/psk" "$keep/exchanged" "$keep/first"; }
        return
      fi
      ;;
    strict)
      rm -f "$rosenpass_kept/$4"
      good_key || random_key || return
      ;;
    closed) random_key || return ;;
  esac
  note_first
  if [ "$3.$psk" != 'strict.(none)' ]; then
    use_psk "$1" "$2"
  else
    # What session there may be was made without a key.
    remake_peer "$1" "$2"
  fi
}

no_psk() { wg_set "$1" peer "$2" preshared-key /dev/null; }

# forget NAME: whoever has that name next may be another machine.
forget() {
  set -- "$overlay_run/rosenpass" "$rosenpass_kept" "${1:?}"
  said=$(rm -rf "${1:?}/$3" "${2:?}/$3" 2>&1 9>&-) || return
  rmdir "$1" "$2" 2>/dev/null 9>&- || :
}

# exchanged_with PEER: in this boot. The other end may be another machine since, which has no such key.
exchanged_with() { [ -s "$keep/exchanged" ] && read -r _ whose <"$keep/exchanged" && [ "$whose" = "$1" ]; }

# good_key: the last exchange is of this boot, and young enough.
good_key() {
  [ -s "$keep/exchanged" ] && [ -s "$keep/psk" ] || return 1
  read -r exchanged _ <"$keep/exchanged"
  read -r clock _ </proc/uptime
  [ $((${clock%.*} - exchanged)) -lt "$rosenpass_stale" ]
}

# A key that nobody else has, and no exchange any more.
random_key() {
  rm -f "$keep/exchanged"
  key=$(wg genpsk 9>&-) && write_psk && : >"$keep/dead"
}

# read_key FILE: leaves a whole one in $key, and in $whose of which peer it is, where the file says that.
read_key() {
  key='' whose=''
  [ ! -r "$1" ] || read -r key whose <"$1" || :
  [ ${#key} = 44 ] && [ "${key%=}" != "$key" ]
}

write_psk() {
  [ -d "$keep" ] || mkdir -p "$keep"
  umask 077 && printf '%s\n' "$key" >"$keep/psk"
}

# After see_peer, before a key is set.
note_first() {
  if [ "$psk" = '(none)' ] || [ ! -s "$keep/first" ]; then printf '%s\n' "$handshake" >"$keep/first"; fi
}

# use_psk DEVICE PEER: after see_peer and under the host's lock, because wg makes a peer that is not there. One that somebody has
# removed since then is back without addresses.
use_psk() {
  had=$allowed
  set_key "$1" "$2" || return
  ! see_peer "$1" "$2" || not_made "$1" "$2"
}

set_key() { wg_set "$1" peer "$2" preshared-key "$keep/psk"; }

# not_made DEVICE PEER: after see_peer. $had: its addresses before a key was set.
not_made() {
  if [ "$had" = '(none)' ] || [ "$allowed" != '(none)' ]; then return 0; fi
  wg_set "$1" peer "$2" remove
  said="$1 has no peer $2" && return 1
}

# What wg(8) cannot read as a key it repeats.
wg_set() {
  said=$($wg_limit wg set "$@" 2>&1 9>&-) && return
  case $said in *'Key is not the correct length or format'*) said='wg takes the preshared key for none' ;; esac
  return 1
}

# remake_peer DEVICE PEER: with its key. A session ends, and a keepalive that begins calls at once, where WireGuard would wait
# for a packet, and for 5 s after a call in vain (REKEY_TIMEOUT).
remake_peer() {
  set -- "$1" "$2" "$endpoint" "$allowed" "$keepalive"
  [ "$3" != '(none)' ] || set -- "$1" "$2" '' "$4" "$5"
  [ "$4" != '(none)' ] || set -- "$1" "$2" "$3" '' "$5"
  every_seconds=$5
  [ "$5" != off ] || every_seconds=25
  wg_set "$1" peer "$2" remove peer "$2" preshared-key "$keep/psk" ${3:+endpoint "$3"} allowed-ips "$4" \
    persistent-keepalive "$every_seconds" || return
  [ "$5" != off ] || wg_set "$1" peer "$2" persistent-keepalive 0
}

# see_peer DEVICE PEER: fails where there is none. Leaves what wg(8) says of it, and in $alone whether it is the device's only one.
see_peer() {
  dump=$($wg_limit wg show "$1" dump 2>/dev/null 9>&-) || { said="wg shows no $1" && return 1; }
  peers=${dump#*"$newline"} # what comes first has the private key
  case $newline$peers in *"$newline$2	"*) ;; *) said="$1 has no peer $2" && return 1 ;; esac
  case $peers in *"$newline"*) alone='' ;; *) alone=yes ;; esac
  dump=${peers#*"$2	"}
  psk=${dump%%	*} dump=${dump#*	}
  # Without the key, for a shell may write a here-document into a file.
  IFS='	' read -r endpoint allowed handshake heard told keepalive <<EOT
${dump%%"$newline"*}
EOT
}
