# shellcheck shell=sh disable=SC2154 # root, cache and making come from lib.sh
# System packages, by the command that each is wanted for. Only the missing ones are installed.

wanted_packages="
  curl:curl
  shellcheck:shellcheck
  ip:iproute2
  nft:nftables
  ping:iputils-ping
  ssh:openssh-client
  systemd-nspawn:systemd-container
  debootstrap:debootstrap
"

missing_packages() {
  for pair in $wanted_packages; do
    has "${pair%%:*}" || echo "${pair#*:}"
  done
  # Debian's python3 comes without what makes a virtual environment.
  python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
}

packages_ready() { [ "$(uname -s)" != Linux ] || [ -z "$(missing_packages)" ]; }

packages_make() {
  missing=$(missing_packages | tr '\n' ' ')
  if ! has apt-get; then
    say "  missing, and there is no apt-get here to install them (Debian's names): $missing"
    return
  fi
  if ! can_root; then
    say "  missing, and neither root nor sudo to install them: apt-get install $missing"
    return
  fi
  say "  apt-get install $missing"
  logged apt-update as_root apt-get -q update ||
    say "  apt-get update failed; trying with the package lists that are there"
  # shellcheck disable=SC2086 # a list of names
  logged apt-install as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -q install -y --no-install-recommends $missing
}
