# shellcheck shell=sh disable=SC2154,SC2034 # what the other parts set and read
# Runs the Rosenpass daemon of one link, and gives WireGuard the keys that it exchanges. The daemon itself never touches
# WireGuard: it would make a peer that is not there, and replace a key that has grown old by one that nobody has.
#     rosenpass.sh NAME
#
# This shell becomes the daemon, so that systemd starts both anew when that ends. Beside it runs a reader of its lines (watch.sh),
# without which the daemon ends with its next line.

newline='
'
overlay_run=/run/overlay
overlay_etc=/etc/overlay

main() {
  export LC_ALL=C
  umask 077
  name=$1 seen_device='' received=0 packets=0 sent=0
  keep=$overlay_run/rosenpass/$name
  [ -d "$keep" ] || mkdir -p "$keep"
  read_conf "$overlay_etc/rosenpass/$name.conf"
  read -r began _ </proc/uptime
  began=${began%.*}
  unhurried
  if ! fit; then
    why=$said
    [ "$mode" != strict ] || restored
    trouble "$why"
    exit 1
  fi
  : >"$keep/asked"
  calls || called=''
  toml >"$keep/config.toml"
  rm -f "$keep/lines" "$keep/trouble" "$keep/fresh" "$keep/busy"
  mkfifo "$keep/lines"
  exec 3<>"$keep/lines"
  watch &
  exec "$binary" exchange-config "$keep/config.toml" >"$keep/lines" 3>&-
}

# What ends as soon as it has begun is not tried again every second.
unhurried() {
  starts=0 before=0
  [ ! -s "$keep/starts" ] || read -r starts before <"$keep/starts"
  printf '%d %d\n' $((starts + 1)) "$began" >"$keep/starts"
  [ $((began - before)) -ge 3 ] || [ -e "$keep/late" ] || sleep 3
}

main "$@"
