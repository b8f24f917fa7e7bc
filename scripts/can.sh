# shellcheck shell=sh disable=SC2034,SC2154 # setup/ reads the lists; root and cache come from lib.sh
# What this machine can do. Decided once, before a run; each hindrance is a reason in one line, or nothing.
# Sourced after lib.sh.

# What a thing is known by here (a command, or a file), and the Debian package that it comes in.
lab_tools="
  systemd-nspawn:systemd-container
  ip:iproute2
  nft:nftables
  wg:wireguard-tools
  nsenter:util-linux
  ssh:openssh-client
  ping:iputils-ping
  mmdebstrap:mmdebstrap
  mkfs.ext4:e2fsprogs
  /usr/share/keyrings/debian-archive-keyring.gpg:debian-archive-keyring
  /usr/share/distro-info/ubuntu.csv:distro-info-data
"
# For hosts with a kernel of their own. QEMU's kernel here is Debian's for amd64.
vm_tools="
  qemu-system-x86_64:qemu-system-x86
  qemu-img:qemu-utils
"
other_tools="
  curl:curl
  shellcheck:shellcheck
"

# missing TOOL…: prints the packages of those that are not there.
missing() {
  for pair in "$@"; do
    has "${pair%%:*}" || [ -f "${pair%%:*}" ] || printf '%s ' "${pair#*:}"
  done
}

# Debian's python3 comes without what makes a virtual environment.
has_venv() { python3 -c 'import ensurepip, venv' 2>/dev/null; }

python_hindrance() {
  if ! has_venv; then
    echo "no python3 that can make a virtual environment"
  elif ! command -v pulumi-language-python >/dev/null; then
    echo "no Pulumi language host for Python"
  fi
}

go_hindrance() { has go || echo "no Go to compile with"; }

sdks_hindrance() { command -v gen-sdk >/dev/null || echo "no generators of SDKs, and none could be built (sh scripts/setup.sh sdks says why; at once after: rm -r $cache/failed)"; }

yaml_hindrance() { command -v pulumi-language-yaml >/dev/null || echo "no Pulumi language host for YAML, and none was built (sh scripts/setup.sh yaml says why; at once after: rm -r $cache/failed)"; }

# These plugins are no Go modules that could be built. The engine takes the version of the npm package and no other.
plugin_hindrance() {
  version=$(sed -n "s|.*\"@pulumi/$1\": \"\([0-9.]*\)\".*|\1|p" "$root/package.json")
  pulumi plugin ls 2>/dev/null | grep -q "^$1  *resource  *$version " ||
    echo "the plugin of @pulumi/$1 is not installed (pulumi plugin install resource $1 $version)"
}
command_hindrance() { plugin_hindrance command; }
cloudflare_hindrance() { plugin_hindrance cloudflare; }

browser_hindrance() { has chromium || echo "chromium is not installed (apt-get install chromium)"; }

shellcheck_hindrance() { has shellcheck || echo "shellcheck is not installed"; }

minio_hindrance() { command -v minio >/dev/null || echo "no MinIO, and none could be built (sh scripts/setup.sh minio says why; at once after: rm -r $cache/failed)"; }

rosenpass_hindrance() { command -v rosenpass >/dev/null || echo "no Rosenpass, and none could be built (sh scripts/setup.sh rosenpass says why; at once after: rm -r $cache/failed)"; }

engine_hindrance() { command -v pulumi >/dev/null || echo "no Pulumi 3.250 or later (install it, or Go to build it)"; }

lab_hindrance() {
  if [ "$(uname -s)" != Linux ]; then
    echo "the lab needs Linux, this is $(uname -s)"
  elif ! can_root; then
    echo "the lab needs root, or sudo without a password"
  else
    # shellcheck disable=SC2086 # a list of words
    lacking=$(missing $lab_tools)
    [ -z "$lacking" ] || echo "the lab needs packages that are not installed: $lacking"
  fi
}

qemu_hindrance() {
  if [ "$(uname -m)" != x86_64 ]; then
    echo "hosts with a kernel of their own need an x86_64 machine, this is $(uname -m)"
  else
    # shellcheck disable=SC2086 # a list of words
    lacking=$(missing $vm_tools)
    [ -z "$lacking" ] || echo "hosts with a kernel of their own need packages that are not installed: $lacking"
  fi
}

vm_image() { as_root sh "$root/test/lab/vm/image.sh" "$@" "$(as_root sh "$root/test/lab/rootfs.sh" --check)"; }

vm_hindrance() {
  lacking=$(qemu_hindrance)
  if [ "$lacking" ]; then
    echo "$lacking"
  elif ! vm_image --check >/dev/null 2>&1; then
    echo "no image for hosts with a kernel of their own could be made (sh scripts/setup.sh vm tries again, and says why)"
  fi
}

# What hosts of the lab can be of, beside the usual Debian (test/lab/rootfs.sh).
lab_images="trixie noble managers"

images_hindrance() {
  for suite in $lab_images; do
    as_root sh "$root/test/lab/rootfs.sh" --check "$suite" >/dev/null 2>&1 && continue
    echo "no root file system of $suite could be made (tried once a day; at once after: rm -r $cache/failed)"
    return
  done
}

# As JSON for test/can.ts. The reasons hold no quotes.
can() {
  printf '{'
  comma=
  for need in lab vm images engine python go sdks yaml command cloudflare shellcheck browser minio rosenpass; do
    printf '%s"%s":"%s"' "$comma" $need "$(${need}_hindrance)"
    comma=,
  done
  printf '}\n'
}
