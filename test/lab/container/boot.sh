#!/bin/sh
# One boot of a lab's host (host.sh), in a mount namespace of its own: what is mounted here goes when the host ends,
# however it ends.
#     boot.sh LAB HOST ROOTFS
set -eu
lab=$1 host=$2 rootfs=$3
disk=/var/tmp/overlay-lab/$lab/$host.img
namespace=ol-$lab-$host

# The boot before lets go of the disk a moment after its last process.
tries=0
while losetup --noheadings --associated "$disk" | grep -q .; do
  tries=$((tries + 1))
  [ $tries -lt 200 ] || { echo "$disk is still in use" && exit 1; }
  sleep 0.05
done

cd "/run/overlay-lab/$lab/hosts/$host"
mkdir -p disk root
mount -o loop "$disk" disk
# From inside the root file system: a colon in its path would be taken for the end of it.
here=$PWD
(cd "$rootfs" && mount -t overlay overlay -o "lowerdir=.,upperdir=$here/disk/upper,workdir=$here/disk/work" "$here/root")

# --keep-unit: a reboot ends nspawn with a code, instead of another round inside of it in the same network namespace.
SYSTEMD_NSPAWN_API_VFS_WRITABLE=network SYSTEMD_NSPAWN_LOCK=0 exec systemd-nspawn --quiet --register=no --keep-unit \
  --machine="$namespace" --hostname="$host" --directory="$here/root" \
  --network-namespace-path="/run/netns/$namespace" --capability=CAP_NET_ADMIN --bind=/dev/net/tun \
  --resolv-conf=off --timezone=off --link-journal=no --console=pipe --boot
