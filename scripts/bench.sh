#!/bin/sh
# npm run bench and npm run test:long: set-up, then a program of test/ that needs the lab and the engine.
#     bench.sh bench|long [ARGUMENT…]
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
. "$root/scripts/lib.sh"
. "$root/scripts/can.sh"
eval "$(sh scripts/env.sh)"
sh scripts/setup.sh
sh scripts/setup.sh vm || say "What is measured on hosts with a kernel of their own will be missing."
if [ "${1-}" = long ]; then
  for step in images minio rosenpass sdks yaml browser; do
    sh scripts/setup.sh $step || say "The tests that need it will be skipped, with the reason."
  done
fi
for need in lab engine; do
  hindrance=$(${need}_hindrance)
  [ -z "$hindrance" ] || { say "This cannot run here: $hindrance." && exit 1; }
done

# A long test is one of `npm test`, with its lab and its question what the machine can do; figures want no tests beside
# them.
OVERLAY_CAN=$(can)
export OVERLAY_CAN
# As the README advises to whoever runs Pulumi.
export NODE_COMPILE_CACHE="$cache/compiled"
if has flock; then
  exec 8>"$cache/.test-lock"
  flock -n 8 || { say "a test run is under way on this machine: waiting for it" && flock -w 5400 8; }
fi

room=$1
shift
as_root node "dist/test/$room/main.js" "$@" 8>&- # a lab that is left behind holds no lock
