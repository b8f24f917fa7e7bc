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
for need in lab engine; do
  hindrance=$(${need}_hindrance)
  [ -z "$hindrance" ] || { say "This cannot run here: $hindrance." && exit 1; }
done
room=$1
shift
as_root node "dist/test/$room/main.js" "$@"
