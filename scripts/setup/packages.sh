# shellcheck shell=sh disable=SC2154 # root, cache and making come from lib.sh
# System packages; only the missing ones are installed.

missing_packages() {
  # shellcheck disable=SC2086,SC2154 # lists of words, from can.sh
  missing $lab_tools $other_tools
  # shellcheck disable=SC2086,SC2154
  [ "$(uname -m)" != x86_64 ] || missing $vm_tools
  has_venv || printf 'python3-venv '
}

packages_ready() { [ "$(uname -s)" != Linux ] || [ -z "$(missing_packages)" ]; }

# Without root or apt-get it goes on: what needs them is skipped by name, or refused by the demo.
packages_make() {
  lacking=$(missing_packages)
  if ! has apt-get; then
    say "  missing, and there is no apt-get here to install them (Debian's names): $lacking"
    return
  fi
  if ! can_root; then
    say "  missing, and neither root nor sudo to install them: apt-get install $lacking"
    return
  fi
  say "  apt-get install $lacking"
  logged apt-update as_root apt-get -q update ||
    say "  apt-get update failed; trying with the package lists that are there"
  # shellcheck disable=SC2086 # a list of names
  logged apt-install as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -q install -y --no-install-recommends $lacking
}
