# shellcheck shell=sh disable=SC2154 # root, cache and making come from lib.sh
# System packages; only the missing ones are installed.

missing_packages() {
  # shellcheck disable=SC2086,SC2154 # lists of words, from can.sh
  missing $lab_tools $other_tools
  has_venv || printf 'python3-venv '
}

# QEMU is large, and not every mirror has it.
missing_for_vms() {
  # shellcheck disable=SC2086,SC2154 # a list of words, from can.sh
  [ "$(uname -m)" != x86_64 ] || lately "$no_vms" || missing $vm_tools
}

no_vms=$cache/failed/vm-packages

packages_ready() { [ "$(uname -s)" != Linux ] || [ -z "$(missing_packages)$(missing_for_vms)" ]; }

# Without root or apt-get it goes on: what needs them is skipped by name, or refused by the demo.
packages_make() {
  lacking=$(missing_packages)
  for_vms=$(missing_for_vms)
  if ! has apt-get; then
    say "  missing, and there is no apt-get here to install them (Debian's names): $lacking$for_vms"
    return
  fi
  if ! can_root; then
    say "  missing, and neither root nor sudo to install them: apt-get install $lacking$for_vms"
    return
  fi
  logged apt-update as_root apt-get -q update ||
    say "  apt-get update failed; trying with the package lists that are there"
  [ -z "$lacking" ] || apt_install "$lacking" || return
  [ -z "$for_vms" ] || apt_install "$for_vms" || {
    note_failure "$no_vms"
    say "  There will be no hosts with a kernel of their own; all others can be had. It is tried again in a day."
  }
}

apt_install() {
  say "  apt-get install $1"
  # shellcheck disable=SC2086 # a list of names
  logged apt-install as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends $1
}
