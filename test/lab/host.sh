#!/bin/sh
# The life of one host of a lab, from its start until it is powered off.
#     host.sh LAB HOST ROOTFS
# Reads /run/overlay-lab/LAB/hosts/HOST/links: ip-batch(8) commands that plug the host in. Writes beside it the process
# ids `supervisor` (this) and `nspawn` (the machine; its only child is the host's init). Boots are boot.sh's.
set -eu
lab=$1 host=$2 rootfs=$3
here=$(cd "$(dirname "$0")" && pwd)
folder=/run/overlay-lab/$lab/hosts/$host
namespace=ol-$lab-$host

# A kernel that boots knows nothing of what it was told before: a new network namespace for each boot. The old one's
# interfaces go a moment after it, and would be in the way.
plug_in() {
  ip netns delete "$namespace" 2>/dev/null || true
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

# All of it is read before it begins: this file may change under a host that runs for days.
main() {
  # Everything of a lab is in its control group, by which `down` finds it. The lab made the groups: where they are gone
  # it went down in the meantime, and this host must not start.
  while read -r _ mounted type options _; do
    case $type:$options in
    cgroup2:* | cgroup:*name=systemd*) echo $$ >"$mounted/overlay-lab/$lab/$host/cgroup.procs" ;;
    esac
  done </proc/self/mounts
  cd "$folder"
  echo $$ >supervisor

  # Exit code 133 asks for a reboot (RestartForceExitStatus in systemd-nspawn@.service).
  code=133
  while [ $code = 133 ]; do
    plug_in
    code=0
    unshare --mount --propagation private sh "$here/boot.sh" "$lab" "$host" "$rootfs" &
    echo $! >nspawn
    wait $! || code=$?
    rm nspawn
  done
  ip netns delete "$namespace"
  rm supervisor
  exit
}
main
