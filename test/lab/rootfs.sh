#!/bin/sh
# The root file systems that the lab's hosts start from: a Debian or Ubuntu server, in a folder of the user's cache that
# is named by the hash of this file and the suite. Every host has a writable layer of its own above it (host.sh);
# nothing writes here.
#     rootfs.sh [SUITE]            makes it where it is missing or broken, prints the folder; progress on standard error
#     rootfs.sh --check [SUITE]    prints the folder if it is whole, else fails
# Suites: bookworm (Debian 12, where none is named), bullseye (11), trixie (13), noble (Ubuntu 24.04); managers, which is
# bookworm with all else that may manage a host's network or firewall, installed and switched off.
set -eu

check=
if [ "${1-}" = --check ]; then
  check=yes
  shift
fi
suite=${1:-bookworm}

# What somebody who orders a server gets, and what the overlay's links need. wireguard-go without its recommendations:
# they would pull in a kernel.
packages="
  apt systemd systemd-sysv dbus
  openssh-server sudo
  iproute2 nftables procps kmod ca-certificates curl
  wireguard-tools wireguard-go
  iputils-ping fping tcpdump iperf3
"

# Kept as packages too: a host can lose one and `apt-get install` it again, without the internet.
spare="wireguard-tools wireguard-go nftables fping"

# Off until a test starts them: to install one takes a host 20 s.
managers="ufw firewalld network-manager netplan.io cloud-init docker.io"
managers_units="
  ufw.service firewalld.service NetworkManager.service NetworkManager-wait-online.service
  cloud-init-local.service cloud-init.service cloud-config.service cloud-final.service
  docker.service docker.socket containerd.service
"

# What a host of the lab does not need, and what would make its boot long or its clock strike during a test.
masked="
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer systemd-tmpfiles-clean.timer
  console-getty.service getty.target systemd-logind.service dbus-org.freedesktop.login1.service systemd-pstore.service
  systemd-update-utmp.service systemd-update-utmp-runlevel.service e2scrub_reap.service
  sys-fs-fuse-connections.mount dev-hugepages.mount dev-mqueue.mount proc-sys-fs-binfmt_misc.automount
"

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=test/lab/cached.sh
. "$here/cached.sh"

release=$suite distribution=Debian components=main hooks='' off=''
case $suite in
bookworm | trixie) ;;
managers) release=bookworm packages="$packages $managers" off=$managers_units ;;
bullseye)
  # It has no wireguard-go: its hosts want a kernel that has WireGuard. /bin leads to /usr/bin, as its installer has it.
  packages=$(echo "$packages" | sed 's/wireguard-go//') spare=$(echo "$spare" | sed 's/wireguard-go//')
  hooks=--setup-hook=/usr/share/mmdebstrap/hooks/merged-usr/setup00.sh
  ;;
noble) distribution=Ubuntu components="main universe" ;; # universe: what Debian has in main
*) say "rootfs.sh: no suite is called $suite: bullseye, bookworm, trixie, noble, managers" && exit 1 ;;
esac

hash=$( (uname -m && echo "$suite" && cat "$here/rootfs.sh") | sha256sum | cut -c1-16)
folder=${XDG_CACHE_HOME:-${HOME:?is not set, and neither is XDG_CACHE_HOME}/.cache}/pulumi-overlay/rootfs/$hash

# The stamp is the number of files and folders: a cache that was half deleted is made again.
count() { find "$1" -xdev ! -path "$1/.stamp" | wc -l; }

whole() {
  [ -f "$1/.stamp" ] && [ "$(count "$1")" = "$(cat "$1/.stamp")" ] || return 1
  for file in usr/lib/systemd/systemd usr/sbin/sshd usr/bin/wg usr/sbin/nft etc/sudoers.d/admin; do
    [ -s "$1/$file" ] || return 1
  done
}

# ubuntu_keys FOLDER: what Ubuntu signs with. Debian has it as a package, signed by Debian's own keys.
ubuntu_keys() {
  mkdir -p "$1"
  debian=$(source_line Debian trixie main)
  mmdebstrap --mode=root --variant=custom --format=directory \
    --customize-hook="cd '$1' && APT_CONFIG=\$MMDEBSTRAP_APT_CONFIG \
      apt-get -q -o APT::Sandbox::User=root download ubuntu-keyring" \
    trixie "$1/empty" ${debian:+"$debian"}
  dpkg-deb --fsys-tarfile "$1"/*.deb | tar -x -C "$1" ./usr/share/keyrings
}

# unpack FOLDER [SOURCE]
unpack() {
  keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  if [ $distribution = Ubuntu ]; then
    ubuntu_keys "$1.keys"
    keyring=$1.keys/usr/share/keyrings/ubuntu-archive-keyring.gpg
  fi
  # shellcheck disable=SC2086 # lists of words
  mmdebstrap --mode=root --variant=minbase --format=directory --keyring="$keyring" --components="$components" $hooks \
    --include="$(echo $packages | tr ' ' ,)" \
    --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' --dpkgopt=force-unsafe-io \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
    --customize-hook="mkdir \"\$1/srv/packages\" && cd \"\$1/srv/packages\" &&
      chroot \"\$1\" sh -c 'cd /srv/packages && apt-get download $spare'" \
    "$release" "$@"
}

# An archive that apt reads from the disk: https://wiki.debian.org/DebianRepository/Format#Flat_Repository_Format
archive() {
  (
    cd "$1/srv/packages"
    for deb in *.deb; do
      dpkg-deb -f "$deb"
      printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$deb" "$(wc -c <"$deb")" "$(sha256sum "$deb" | cut -d' ' -f1)"
    done >Packages
  )
  rm -f "$1"/etc/apt/sources.list.d/*
  echo "deb [trusted=yes] file:/srv/packages ./" >"$1/etc/apt/sources.list"
  # The lab's hosts have no user namespace to drop into, and the archive is their own disk's.
  echo 'APT::Sandbox::User "root";' >"$1/etc/apt/apt.conf.d/lab"
  chroot "$1" apt-get -q update
}

settle() {
  # Each host has its own; nspawn gives the name.
  rm -f "$1"/etc/ssh/ssh_host_* "$1/etc/hostname" "$1/etc/resolv.conf"
  : >"$1/etc/machine-id"
  echo "HostKey /etc/ssh/ssh_host_ed25519_key" >"$1/etc/ssh/sshd_config.d/lab.conf"
  for unit in $masked; do
    ln -sf /dev/null "$1/etc/systemd/system/$unit"
  done
  ln -sf /usr/lib/systemd/system/multi-user.target "$1/etc/systemd/system/default.target"
  chroot "$1" systemctl --quiet enable systemd-networkd.service systemd-networkd-wait-online.service
  for unit in $off; do
    chroot "$1" systemctl --quiet disable "$unit"
  done
  chroot "$1" useradd --create-home --shell /bin/bash admin
  chroot "$1" useradd --create-home --shell /bin/bash guest
  echo "admin ALL=(ALL:ALL) NOPASSWD: ALL" >"$1/etc/sudoers.d/admin"
  chmod 0440 "$1/etc/sudoers.d/admin"
}

begin rootfs.sh "the lab's root file system of $distribution $suite"
from=$(source_line $distribution "$release" "$components")
say "  $distribution $suite (${from:-the usual mirror}), into $folder: half a minute"
{
  unpack "$making" ${from:+"$from"}
  archive "$making"
  settle "$making"
} >"$log" 2>&1 9>&-
count "$making" >"$making/.stamp"
whole "$making" || { echo "files that should be there are not" >>"$log" && exit 1; }
finish
