# shellcheck shell=sh
# What this machine can do. Decided once, before a run; each hindrance is a reason in one line, or nothing.
# Sourced after lib.sh.

lab_hindrance() {
  if [ "$(uname -s)" != Linux ]; then
    echo "the lab needs Linux, this is $(uname -s)"
  elif ! can_root; then
    echo "the lab needs root, or sudo without a password"
  else
    for tool in systemd-nspawn ip nft debootstrap ssh; do
      has $tool || { echo "the lab needs $tool, which is not installed" && return; }
    done
  fi
}

engine_hindrance() { command -v pulumi >/dev/null || echo "no Pulumi on this machine, and no means to get one"; }

python_hindrance() {
  if ! command -v pulumi-language-python >/dev/null; then
    echo "no Pulumi language host for Python"
  elif ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    echo "no python3 that can make a virtual environment"
  fi
}

shellcheck_hindrance() { has shellcheck || echo "shellcheck is not installed"; }

# As JSON for test/can.ts. The reasons hold no quotes.
can() {
  printf '{'
  comma=
  for need in lab engine python shellcheck; do
    printf '%s"%s":"%s"' "$comma" $need "$(${need}_hindrance)"
    comma=,
  done
  printf '}\n'
}
