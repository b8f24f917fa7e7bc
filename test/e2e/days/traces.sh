# shellcheck shell=sh
# All that a change could leave behind on this host: devices, addresses, rules, routes, nft, kernel settings, files,
# units, processes.
set -u
export LC_ALL=C
ip -d link | sed 's/^[0-9]*: //'
ip addr | sed -e 's/^[0-9]*: //' -e 's/valid_lft [0-9]*sec//' -e 's/preferred_lft [0-9]*sec//'
for family in 4 6; do
  ip "-$family" rule show
  ip "-$family" route show table all | sed 's/ expires [0-9]*sec//' | sort
done
nft -s list ruleset
sysctl -a 2>/dev/null | grep '^net\.' | grep -v -e conntrack_count -e nf_log
find /etc /usr/local /usr/lib/systemd/system /var/lib/systemd /root /home -xdev ! -type d ! -path '*/random-seed' \
  ! -path '*/timers/*' -exec stat -c '%A %U %N' {} + | sort # with where a link leads: a unit is enabled by one
find /etc /usr/local -xdev -type d | sort
find /etc /usr/local -xdev -type f -exec sha256sum {} + | sort -k 2
find /run/wireguard /run/systemd/system /run/systemd/transient -xdev ! -type d 2>/dev/null | sort # wireguard-go leaves its folder until the next boot
find /var/lib/overlay /run/overlay/rosenpass -xdev ! -type d 2>/dev/null | sort
for name in wireguard overlay; do pgrep -l $name; done | sed 's/^[0-9]* //'
