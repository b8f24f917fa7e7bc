#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2317 # each test is a subshell: PATH is its own, and functions for what is sourced

bats_require_minimum_version 1.5.0

# The set-up's caches and the ways to a toolchain, without network: the release is downloaded from a folder.
# shellcheck disable=SC2154,SC2034 # variables of the sourced scripts, and theirs to read

setup() {
  root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
  own_cache=${XDG_CACHE_HOME-} own_path=$PATH
  export XDG_CACHE_HOME=$BATS_TEST_TMPDIR/cache OVERLAY_PULUMI_RELEASES=file://$BATS_TEST_TMPDIR/releases
  export PATH=/usr/bin:/bin # no pulumi, no go
  . "$root/scripts/lib.sh"
  . "$root/scripts/setup/toolchain.sh"
  mkdir -p "$cache"
}

fill() { mkdir "$making/bin" && echo one >"$making/bin/a" && echo two >"$making/bin/b"; }

@test "a folder of the cache is whole after it was made" {
  make_cached "$cache/thing" fill
  cached "$cache/thing"
  [ "$(ls "$cache")" = thing ]
}

@test "a truncated, a missing and an additional file are noticed" {
  make_cached "$cache/thing" fill
  for damage in 'printf o >bin/a' 'rm bin/b' 'echo >bin/c' 'rm .stamp'; do
    rm -rf "$cache/copy" && cp -r "$cache/thing" "$cache/copy"
    cached "$cache/copy"
    (cd "$cache/copy" && eval "$damage")
    run ! cached "$cache/copy"
  done
}

# The folders that hosts stand on, as rootfs.sh and vm/image.sh ask for them: `whole` counts files.
@test "a root file system with all of its files, one of them cut short, is noticed" {
  . "$root/test/lab/cached.sh"
  whole() { [ -f "$1/.stamp" ] && [ "$(find "$1" -type f | wc -l)" = 3 ]; }
  folder=$cache/rootfs/one making=$cache/rootfs/one.1
  mkdir -p "$making/usr" && echo systemd >"$making/usr/systemd" && echo sshd >"$making/usr/sshd" && : >"$making/.stamp"
  [ "$(finish)" = "$folder" ]
  [ "$(answer_if_whole)" = "$folder" ]
  printf s >"$folder/usr/sshd"
  [ -z "$(answer_if_whole)" ]
}

@test "a set-up that finds all there takes less than 5 s of processor time" {
  TIMEFORMAT='%U %S'
  spent=$({ time XDG_CACHE_HOME=$own_cache PATH=$own_path sh "$root/scripts/setup.sh" >/dev/null 2>&1; } 2>&1)
  awk -v spent="$spent" 'BEGIN { split(spent, part, " "); exit !(part[1] + part[2] < 5) }'
}

@test "what a killed set-up left is cleared away" {
  mkdir -p "$cache/thing.making.123"
  make_cached "$cache/thing" fill
  [ "$(ls "$cache")" = thing ]
}

@test "a cache that cannot be made leaves the old one" {
  make_cached "$cache/thing" fill
  broken() { false; }
  run make_cached "$cache/thing" broken
  [ "$status" -ne 0 ]
  cached "$cache/thing"
}

# A release as its makers lay it out, with a script in place of the binary.
publish() {
  shop=$BATS_TEST_TMPDIR/releases
  mkdir -p "$shop/pulumi"
  printf '#!/bin/sh\necho v%s\n' "$release" >"$shop/pulumi/pulumi"
  chmod +x "$shop/pulumi/pulumi"
  case $(uname -m) in x86_64) arch=x64 ;; *) arch=arm64 ;; esac
  archive=pulumi-v$release-$(uname -s | tr '[:upper:]' '[:lower:]')-$arch.tar.gz
  tar -czf "$shop/$archive" -C "$shop" pulumi
  (cd "$shop" && sha256 "$archive" >"pulumi-$release-checksums.txt")
}

@test "the official release is taken when its checksum is right" {
  publish
  make_cached "$toolchain_dir" toolchain_fetch
  [ "$("$toolchain_dir/bin/pulumi" version)" = "v$release" ]
  cached "$toolchain_dir"
}

@test "a release with another checksum is not used" {
  publish
  echo more >>"$shop/$archive"
  run make_cached "$toolchain_dir" toolchain_fetch
  [ "$status" -eq 2 ]
  [[ $output == *"does not have the checksum"* ]]
  [[ $output == *"Install one of the two"*"Pulumi 3.250"*"Go 1.25"* ]]
}

@test "with neither release nor Go it says what to install" {
  run make_cached "$toolchain_dir" toolchain_fetch
  [ "$status" -eq 2 ]
  [[ $output == *"does not answer"*"Install one of the two"* ]]
}

own_pulumi() {
  mkdir -p "$BATS_TEST_TMPDIR/own"
  printf '#!/bin/sh\necho %s\n' "$1" >"$BATS_TEST_TMPDIR/own/pulumi"
  cp "$BATS_TEST_TMPDIR/own/pulumi" "$BATS_TEST_TMPDIR/own/pulumi-language-nodejs"
  chmod +x "$BATS_TEST_TMPDIR"/own/*
  PATH=$BATS_TEST_TMPDIR/own:$PATH
}

@test "the machine's own Pulumi is taken when it is recent" {
  run ! machine_has_pulumi
  own_pulumi v3.249.3
  run ! machine_has_pulumi
  own_pulumi v3.250.0
  machine_has_pulumi
  own_pulumi v3.270.0-alpha.1
  machine_has_pulumi
  rm "$BATS_TEST_TMPDIR/own/pulumi-language-nodejs"
  run ! machine_has_pulumi
}

@test "what the set-up linked is not mistaken for the machine's own" {
  mkdir -p "$BATS_TEST_TMPDIR/dist/.bin"
  cp /bin/ls "$BATS_TEST_TMPDIR/dist/.bin/only-here"
  PATH=$BATS_TEST_TMPDIR/dist/.bin:$PATH
  run ! own only-here
  [ "$(own ls)" = "$(type -P ls)" ]
}

# What this machine can do, as can.sh decides it, with COMMANDs in place of the machine's own.
decided() (
  PATH=$BATS_TEST_TMPDIR/some:$PATH
  rm -rf "$BATS_TEST_TMPDIR/some" && mkdir "$BATS_TEST_TMPDIR/some"
  for command in "$@"; do
    printf '#!/bin/sh\n%s\n' "${command#*=}" >"$BATS_TEST_TMPDIR/some/${command%%=*}"
    chmod +x "$BATS_TEST_TMPDIR/some/${command%%=*}"
  done
  . "$root/scripts/can.sh"
  can </dev/null
)

@test "what cannot run has its reason in words" {
  [[ $(decided 'uname=echo Darwin') == *'"lab":"the lab needs Linux, this is Darwin"'* ]]
  [[ $(decided 'id=echo 1000' 'sudo=exit 1') == *'"lab":"the lab needs root, or sudo without a password"'* ]]
  [[ $(decided) == *'"engine":"no Pulumi 3.250 or later (install it, or Go to build it)"'* ]]
  [[ $(decided 'python3=exit 1') == *'"python":"no python3 that can make a virtual environment"'* ]]
}

@test "a package that the lab lacks is named" {
  . "$root/scripts/can.sh"
  lab_tools="no-such-command:some-package sh:dash"
  can_root() { true; }
  [ "$(lab_hindrance)" = "the lab needs packages that are not installed: some-package " ]
}

@test "without QEMU, or the image, hosts with a kernel of their own have a reason, and the set-up goes on" {
  . "$root/scripts/can.sh"
  . "$root/scripts/setup/vm.sh"
  uname() { echo x86_64; }
  as_root() { "$@"; }
  lab_hindrance() { true; }
  vm_tools="no-such-command:some-package sh:dash"
  [ "$(vm_hindrance)" = "hosts with a kernel of their own need packages that are not installed: some-package " ]
  vm_ready
  vm_tools="sh:dash"
  [[ $(vm_hindrance) == "no image for hosts"*"(sh scripts/setup.sh vm tries again, and says why)" ]]
  run ! vm_ready
}

@test "QEMU that cannot be installed does not stop the set-up, and is not tried again for a day" {
  . "$root/scripts/can.sh"
  . "$root/scripts/setup/packages.sh"
  uname() { case ${1-} in -m) echo x86_64 ;; *) echo Linux ;; esac }
  has() { [ "$1" = apt-get ]; }
  can_root() { true; }
  has_venv() { true; }
  lab_tools=nft:nftables other_tools="" vm_tools=qemu-img:qemu-utils
  as_root() { [[ $* != *qemu-utils* ]]; }
  run packages_make
  [ "$status" -eq 0 ]
  [[ $output == *"apt-get install nftables"*"apt-get install qemu-utils"*"no hosts with a kernel of their own"* ]]
  [ -z "$(missing_for_vms)" ]
  touch -t 202001010000 "$no_vms"
  [ "$(missing_for_vms)" = "qemu-utils " ]
  as_root() { [[ $* != *nftables* ]]; }
  run packages_make
  [ "$status" -ne 0 ]
}

@test "a release that could not be made is not tried again for a day" {
  . "$root/scripts/can.sh"
  . "$root/scripts/setup/images.sh"
  lab_hindrance() { true; }
  as_root() { [[ $* == *trixie || $* == *managers ]] || return 1; }
  run ! images_ready
  [ "$(images_to_make)" = noble ]
  run images_make
  [ "$status" -eq 0 ]
  [[ $output == *"hosts of noble will be skipped"* ]]
  images_ready
  [[ $(images_hindrance) == *"noble could be made (tried once a day; at once after: rm -r $cache/failed)" ]]
  touch -t 202001010000 "$cache"/failed/noble-*
  run ! images_ready
}
