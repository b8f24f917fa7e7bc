# shellcheck shell=sh disable=SC2154,SC2034 # what steps.sh sets and reads
# What Rosenpass needs on a host: its key pair, and files that no line of text could be. Part of steps.sh on a host.

rosenpass_public_size=524160 rosenpass_secret_size=13568 # of Classic McEliece 460896, Rosenpass 0.2

# make_pair BINARY: the node's key pair for good. One that is there stays, and half of one is not ours to throw away.
make_pair() {
  set -- "$1" "$overlay_etc/keys/rosenpass"
  if [ -e "$2.secret" ] || [ -e "$2.public" ]; then
    has_size "$2.secret" "$rosenpass_secret_size" && has_size "$2.public" "$rosenpass_public_size"
    return
  fi
  said=$({
    umask 022
    # shellcheck disable=SC2174 # the folders above are for all to read
    mkdir -p -m 700 "${2%/*}" && umask 077 && rm -f "$2.public.overlay-new" "$2.secret.overlay-new" &&
      timeout 30 "$1" gen-keys -p "$2.public.overlay-new" -s "$2.secret.overlay-new"
  } 2>&1 9>&-) &&
    has_size "$2.secret.overlay-new" "$rosenpass_secret_size" && has_size "$2.public.overlay-new" "$rosenpass_public_size" &&
    said=$({
      sync "$2.secret.overlay-new" "$2.public.overlay-new" &&
        mv -f "$2.public.overlay-new" "$2.public" && mv -f "$2.secret.overlay-new" "$2.secret"
    } 2>&1 9>&-) && note_folder "${2%/*}" && return 0
  set -- $? "$2"
  rm -f "$2.public.overlay-new" "$2.secret.overlay-new"
  return "$1"
}

has_size() {
  set -- "$1" "$2" "$(wc -c <"$1" 2>/dev/null 9>&-)"
  [ "$2" = "$3" ] || { said="$1 has ${3:-no} bytes, and not $2: a key of another version of Rosenpass, or not all of it" && return 1; }
}

# decode MODE PATH SHA256 BASE64|gz:BASE64: a binary file takes its place when it is whole.
decode() {
  line="decode $1 $2" # what is said of it when it fails
  case $1 in 0600) umask 077 ;; *) umask 022 ;; esac
  said=$({
    mkdir -p "${2%/*}" && case $4 in
      gz:*) printf '%s\n' "${4#gz:}" | base64 -d | gzip -d ;;
      *) printf '%s\n' "$4" | base64 -d ;;
    esac >"$2.overlay-new" && chmod "$1" "$2.overlay-new"
  } 2>&1 9>&-)
  set -- $? "$2" "$3" "$(sha256sum <"$2.overlay-new" 2>/dev/null 9>&-)"
  umask 077
  if [ "$1" = 0 ] && [ "${4%% *}" != "$3" ]; then set -- 1 "$2" && said="$2 has not arrived whole: its SHA-256 is another"; fi
  if [ "$1" = 0 ]; then place "$2" ''; else
    rm -f "$2.overlay-new"
    return "$1"
  fi
}
