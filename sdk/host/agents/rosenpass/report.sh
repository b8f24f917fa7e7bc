# shellcheck shell=sh disable=SC2154,SC3013 # every shell of a host has -nt; section and newline come from snapshot.sh and steps.sh
# How a link's post-quantum keys are: for a snapshot, and for overlay-host. Of a key its SHA-256 alone.

# rosenpass_report NAME: WORD VALUE a line, each where it is known.
rosenpass_report() {
  keep=/run/overlay/rosenpass/$1 device='' peer='' handshake=0
  [ -r "/etc/overlay/rosenpass/$1.conf" ] || return 0
  while read -r word value; do
    case $word in device) device=$value ;; peer) peer=$value ;; esac
  done <"/etc/overlay/rosenpass/$1.conf"
  read -r now _ </proc/uptime
  if [ -s "$keep/exchanged" ]; then
    read -r exchanged _ <"$keep/exchanged"
    printf 'exchanged %d\n' $((${now%.*} - exchanged))
  fi
  timeout 5 wg show "$device" dump 2>/dev/null | while read -r key psk _ _ handshake _; do
    [ "$key" = "$peer" ] || continue
    [ "$psk" = '(none)' ] || printf 'psk %s\n' "$(printf %s "$psk" | sha256sum | cut -d ' ' -f 1)"
    [ "$handshake" -gt 0 ] || continue
    printf 'handshake %d\n' $(($(date +%s) - handshake))
    if [ -s "$keep/first" ] && [ "$psk" != '(none)' ]; then
      read -r first <"$keep/first"
      [ "$handshake" = "$first" ] || echo 'protected yes'
    fi
  done
  if [ -s "$keep/config.toml" ]; then sed -n 's/^endpoint = "\(.*\)"$/endpoint \1/p' "$keep/config.toml"; fi
  if [ -s "$keep/starts" ]; then
    read -r starts _ <"$keep/starts"
    printf 'restarts %d\n' $((starts - 1))
  fi
  if [ -e "$keep/fresh" ]; then echo 'fresh yes'; fi
  if [ -s "$keep/trouble" ]; then sed 's/^/trouble /;q' "$keep/trouble"; fi
}

# rosenpass_node BINARY
rosenpass_node() {
  binary=$(command -v "$1") || binary=''
  if [ -n "$binary" ]; then
    printf 'binary %s\n' "$(sha256sum <"$binary" | cut -d ' ' -f 1)"
    printf 'version %s\n' "$(timeout 5 "$binary" --version 2>&1 | head -n 1)"
  fi
  pair=/etc/overlay/keys/rosenpass
  if [ -r "$pair.public" ]; then
    printf 'public %s %d\n' "$(sha256sum <"$pair.public" | cut -d ' ' -f 1)" "$(wc -c <"$pair.public")"
  fi
  if [ -r "$pair.secret" ]; then printf 'secret %d\n' "$(wc -c <"$pair.secret")"; fi
}

# rosenpass_public: the node's public key, in one line, where it has one.
rosenpass_public() {
  if [ -r /etc/overlay/keys/rosenpass.public ]; then base64 -w 0 /etc/overlay/keys/rosenpass.public && echo; fi
}

# bound_ports PORT…: those of them that somebody has, proc_net(5).
bound_ports() {
  for port in "$@"; do
    ! grep -q -s "^ *[0-9]*: [0-9A-F]*:$(printf %04X "$port") " /proc/net/udp /proc/net/udp6 || printf '%s\n' "$port"
  done
}
