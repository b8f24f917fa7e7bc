#!/bin/sh
# Sets up all that the demo, the tests and the lab need, and nothing twice.
#     setup.sh [--quiet] [STEP…]     steps: packages node npm build toolchain rootfs (all of these when none is named),
#     vm images minio rosenpass sdks yaml browser (what only the tests and figures need)
# --quiet says nothing about what is ready. Each step is one file in scripts/setup/ with two functions: STEP_ready,
# quick, and STEP_make.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/lib.sh"
. "$root/scripts/can.sh"
eval "$(sh "$root/scripts/env.sh")"
for file in "$root"/scripts/setup/*.sh; do
  # shellcheck source=/dev/null
  . "$file"
done

now() { date +%s%N | sed 's/N$/000000000/'; } # macOS has no %N: whole seconds there
tenths() { awk -v from="$1" -v to="$2" 'BEGIN { printf "%.1f s", (to - from) / 1e9 }'; }

quiet=
if [ "${1-}" = --quiet ]; then
  quiet=yes
  shift
fi
[ $# -gt 0 ] || set -- packages node npm build toolchain rootfs

title() {
  case $1 in
  packages) echo "system packages" ;;
  node) echo "Node 22" ;;
  npm) echo "npm packages" ;;
  build) echo "build" ;;
  toolchain) echo "Pulumi toolchain" ;;
  rootfs) echo "lab's root file system" ;;
  images) echo "other root file systems for the lab" ;;
  minio) echo "MinIO" ;;
  rosenpass) echo "Rosenpass" ;;
  sdks) echo "Pulumi's generators of SDKs" ;;
  yaml) echo "Pulumi's language host for YAML" ;;
  browser) echo "Chromium" ;;
  vm) echo "kernel and disk of the lab's vms" ;;
  *) return 1 ;;
  esac
}

step() {
  title=$(title "$1") || { title=arguments && say "setup.sh: no step is called $1" && return 1; }
  began=$(now)
  if "$1_ready"; then
    [ "$quiet" ] || say "$title … ready ($(tenths "$began" "$(now)"))"
    return
  fi
  say "$title …"
  "$1_make" 9>&-
  say "$title … $(tenths "$began" "$(now)")"
}

# One set-up at a time: two would build the same things on the same cores.
mkdir -p "$cache"
if has flock; then
  exec 9>"$cache/.lock"
  flock -n 9 || { say "another set-up is running: waiting for it" && flock -w 3600 9; }
fi

title=start
trap '[ $? = 0 ] || say "set-up failed at: $title. Mend what is said above and run the same command again."' EXIT
for name in "$@"; do
  step "$name"
done
