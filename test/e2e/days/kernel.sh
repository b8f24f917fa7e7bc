# shellcheck shell=sh
# What the overlay is to this host's kernel, without what is numbered, counted, or nobody's doing.
set -u
export LC_ALL=C
for device in $(ip -o link show group 28417 | sed 's/^[0-9]*: \([^:@]*\).*/\1/' | sort); do
  ip -d link show dev "$device" | sed 's/^[0-9]*: //'
  ip addr show dev "$device" | sed 's/^[0-9]*: //'
  wg show "$device" | grep -v -e handshake -e transfer -e 'private key'
  cat "/proc/sys/net/ipv6/conf/$device/accept_ra" "/proc/sys/net/ipv4/conf/$device/rp_filter"
done
for family in 4 6; do
  ip "-$family" route show table all proto 111 | sort
  ip "-$family" rule show
done
for table in $(nft list tables inet | sed -n 's/^table inet \(overlay.*\)/\1/p' | sort); do
  # Counters are listed in the order in which the links were made, and a boot makes them in another.
  nft -s list table inet "$table" | sed '/^\tcounter /,/^\t}/d'
  nft -s list table inet "$table" | grep '^	counter ' | sort
done
