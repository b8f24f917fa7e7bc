# shellcheck shell=sh disable=SC2154,SC2034,SC2086 # what the other parts set and read; lists of words
# What one link's file says, and what its daemon is told. Part of rosenpass.sh on a host.

# read_conf FILE: WORD VALUE a line.
read_conf() {
  binary='' mode='' device='' peer='' port='' endpoints='' delay='' sole=''
  while read -r word value; do
    case $word in
      binary) binary=$value ;;
      mode) mode=$value ;;
      device) device=$value ;;
      peer) peer=$value ;;
      port) port=$value ;;
      endpoint) endpoints="$endpoints $value" ;;
      delay) delay=$value ;;
      sole) sole=$value ;;
    esac
  done <"$1"
}

# What a daemon would say less clearly, or not at all.
fit() {
  case $binary in /*) ;; *) binary=$(command -v "$binary") || binary=/nonexistent ;; esac
  [ -x "$binary" ] || { said="there is no Rosenpass at $binary" && return 1; }
  has_size "$overlay_etc/keys/rosenpass.secret" "$rosenpass_secret_size" &&
    has_size "$overlay_etc/keys/rosenpass.public" "$rosenpass_public_size" &&
    has_size "$overlay_etc/rosenpass/$name.peer" "$rosenpass_public_size" || return
  ! bound "$port" || { said="UDP port $port is somebody else's (ss -lunp shows whose)" && return 1; }
}

# calls: whether the daemon is to call the other end, and which of its endpoints ($called): where WireGuard does. Who has a delay
# answers first, and calls when nobody has called in that time: two that call each other at once have keys that differ.
calls() {
  called=''
  [ -n "$endpoints" ] || return
  if [ -n "$delay" ] && [ ! -e "$keep/late" ]; then return 1; fi
  rm -f "$keep/late"
  if see_peer "$device" "$peer" && way; then called=$by; else
    set -- $endpoints
    called=$1
  fi
}

# way: leaves in $by the one of the endpoints whose address WireGuard has for the peer. After see_peer.
way() {
  for by in $endpoints; do
    [ "${by%:*}" != "${endpoint%:*}" ] || return 0
  done
  return 1
}

# Linux has one socket for both families, where the kernel has IPv6 and nobody wants it otherwise: ipv6(7), IPV6_V6ONLY.
listen() {
  v6only=''
  if [ ! -e /proc/net/if_inet6 ]; then
    printf '"0.0.0.0:%s"' "$port"
  else
    read -r v6only </proc/sys/net/ipv6/bindv6only
    printf '"[::]:%s"' "$port"
    [ "$v6only" = 0 ] || printf ', "0.0.0.0:%s"' "$port"
  fi
}

toml() {
  printf '%s\n' \
    "public_key = \"$overlay_etc/keys/rosenpass.public\"" \
    "secret_key = \"$overlay_etc/keys/rosenpass.secret\"" \
    "listen = [$(listen)]" \
    'verbosity = "Quiet"' \
    '' \
    '[[peers]]' \
    "public_key = \"$overlay_etc/rosenpass/$name.peer\"" \
    ${called:+"endpoint = \"$called\""} \
    "key_out = \"$keep/key\""
}

# bound PORT: somebody has a socket there, proc_net(5).
bound() { grep -q -s "^ *[0-9]*: [0-9A-F]*:$(printf %04X "$1") " /proc/net/udp /proc/net/udp6; }
