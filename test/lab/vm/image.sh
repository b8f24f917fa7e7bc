#!/bin/sh
# What the lab's vms start from: Debian's cloud kernel, and a disk with a root file system of the lab (rootfs.sh), the
# kernel's modules and what makes it a guest (guest/). In a folder of the user's cache, named by the hash of those; a
# vm writes to a layer of its own above it.
#     image.sh ROOTFS            makes it where it is missing or broken, prints the folder; progress on standard error
#     image.sh --check ROOTFS    prints the folder if it is whole, else fails
set -eu

check=
if [ "${1-}" = --check ]; then
  check=yes
  shift
fi
rootfs=${1:?which root file system? See rootfs.sh}

# The oldest kernel that the overlay is run on; its modules are of it, whatever the root file system's own suite is.
suite=bookworm

# Of the kernel's modules: networks and what they stand on. A vm has no other hardware.
modules="net crypto lib arch drivers/net drivers/virtio drivers/char drivers/firmware"
hardware="drivers/net/ethernet drivers/net/wwan drivers/net/hyperv drivers/net/xen-netback"

# What a server has and a vm of the lab need not wait for, beyond what rootfs.sh masks for all hosts.
masked="
  cryptsetup.target integritysetup.target veritysetup.target remote-fs.target
  systemd-binfmt.service systemd-firstboot.service systemd-repart.service
  systemd-machine-id-commit.service systemd-network-generator.service systemd-random-seed.service
  systemd-journal-flush.service systemd-sysusers.service systemd-pcrphase.service systemd-pcrphase-sysinit.service
  systemd-hwdb-update.service systemd-remount-fs.service systemd-journal-catalog-update.service
  systemd-update-done.service systemd-boot-random-seed.service ldconfig.service
  sys-kernel-config.mount sys-kernel-debug.mount sys-kernel-tracing.mount
  systemd-journald-audit.socket systemd-initctl.socket
  systemd-ask-password-console.path systemd-ask-password-wall.path
  modprobe@configfs.service modprobe@dm_mod.service modprobe@drm.service modprobe@efi_pstore.service
  modprobe@fuse.service modprobe@loop.service
"

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=test/lab/cached.sh
. "$here/../cached.sh"

# The root file system's folder is named by a hash, too.
hash=$({ echo "${rootfs##*/}" && cat "$here/image.sh" "$here"/guest/*; } | sha256sum | cut -c1-16)
folder=${XDG_CACHE_HOME:-${HOME:?is not set, and neither is XDG_CACHE_HOME}/.cache}/pulumi-overlay/vm/$hash

# The stamp is the two files' sizes, and when they were last written to: nothing may write to a disk that layers stand on.
state() { (cd "$1" && stat -c '%n %s %y' vmlinuz disk); }
whole() { [ -f "$1/.stamp" ] && [ "$(state "$1" 2>/dev/null)" = "$(cat "$1/.stamp")" ]; }

# By mmdebstrap, which asks the mirror for its lists of today: the machine's own may be of another suite, or stale.
fetch_kernel() {
  from=$(source_line Debian $suite main)
  mmdebstrap --mode=root --variant=custom --format=directory \
    --customize-hook="cd '$1' && export APT_CONFIG=\$MMDEBSTRAP_APT_CONFIG &&
      apt-get -q -o APT::Sandbox::User=root download \$(
      apt-cache depends --important linux-image-cloud-amd64 | awk '/Depends: / { print \$2; exit }')" \
    $suite "$1/empty" ${from:+"$from"}
  rm -rf "$1/empty"
  dpkg -x "$1"/linux-image-*.deb "$1/kernel"
}

# fill UPPER: the layer above the root file system, which is mounted at $merged meanwhile.
fill() {
  kernel=$making/kernel
  version=$(ls "$kernel/lib/modules")
  mkdir -p "$1/usr/lib/modules/$version/kernel" "$1/lab" "$1/etc/systemd/system-generators"
  cp "$kernel/lib/modules/$version"/modules.order "$kernel/lib/modules/$version"/modules.builtin* \
    "$1/usr/lib/modules/$version/"
  for part in $hardware; do rm -rf "$kernel/lib/modules/$version/kernel/$part"; done
  for part in $modules; do
    (cd "$kernel/lib/modules/$version" && cp -r --parents "kernel/$part" "$1/usr/lib/modules/$version/")
  done
  cp "$here"/guest/* "$1/lab/"
  chmod 755 "$1/lab/init"
  mv "$1/lab/exec.service" "$1/etc/systemd/system/lab-exec.service"
  mkdir -p "$1/etc/systemd/system/sysinit.target.wants"
  ln -s ../lab-exec.service "$1/etc/systemd/system/sysinit.target.wants/"
  for unit in $masked; do ln -sf /dev/null "$1/etc/systemd/system/$unit"; done
  for generator in "$rootfs"/usr/lib/systemd/system-generators/*; do
    ln -s /dev/null "$1/etc/systemd/system-generators/${generator##*/}"
  done
  chroot "$merged" depmod "$version"
}

# The disk grows to this size only as far as it is written to.
make_disk() {
  upper=$making/upper merged=$making/merged
  mkdir -p "$upper" "$making/work" "$merged"
  (cd "$rootfs" && mount -t overlay overlay -o "lowerdir=.,upperdir=$upper,workdir=$making/work" "$merged")
  fill "$merged"
  mke2fs -q -t ext4 -m 0 -J size=16 -E root_owner=0:0,lazy_itable_init=1 -d "$merged" "$making/disk" 4G
  umount "$merged"
  cp "$making"/kernel/boot/vmlinuz-* "$making/vmlinuz"
  rm -rf "$making/kernel" "$upper" "$making/work" "$merged" "$making"/*.deb
}

# In a mount namespace of its own: what a run that was killed had mounted is gone.
if [ "${2-}" = --make ]; then
  making=$3
  fetch_kernel "$making"
  make_disk
  exit
fi

for tool in qemu-system-x86_64 qemu-img; do
  command -v $tool >/dev/null && continue
  say "image.sh: there is no $tool, by which hosts have a kernel of their own:"
  say "apt-get install --no-install-recommends qemu-system-x86 qemu-utils"
  exit 1
done
begin image.sh "the image for the lab's vms"
say "  Debian's cloud kernel and the root file system ${rootfs##*/}, into $folder: ten seconds"
mkdir "$making"
unshare --mount --propagation private sh "$here/image.sh" "$rootfs" --make "$making" >"$log" 2>&1 9>&-
state "$making" >"$making/.stamp"
finish
