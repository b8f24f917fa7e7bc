# shellcheck shell=sh disable=SC2154 # lab, host and here are host.sh's
# A container's boots, and its cables: veth pairs into a network namespace. Sourced by host.sh.

namespace=ol-$lab-$host

# A kernel that boots knows nothing of what it was told before: a new network namespace for each boot. The old one's
# interfaces go a moment after it, and would be in the way.
plug_in() {
  pull_out
  awk '$1 == "link" && $2 == "add" { print "link delete " $3 }' links |
    ip -force -netns "ol-$lab-net" -batch - 2>/dev/null || true
  # nspawn leaves it when it is killed, and complains of it the next time.
  rmdir "/run/systemd/nspawn/propagate/$namespace" 2>/dev/null || true
  ip netns add "$namespace"
  # The machine's own settings are copied into new namespaces (devconf_inherit_init_net); these are the kernel's.
  nsenter --net="/run/netns/$namespace" sysctl -q -w \
    net.ipv4.ip_forward=0 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
  ip -netns "$namespace" link set dev lo up
  ip -netns "ol-$lab-net" -batch links
}

pull_out() { ip netns delete "$namespace" 2>/dev/null || true; }

# boot ROOTFS: becomes nspawn, whose only child is the host's init. Its exit code 133 asks for a reboot.
boot() { exec unshare --mount --propagation private sh "$here/container/boot.sh" "$lab" "$host" "$1"; }
