#!/bin/sh
# npm run demo: set-up, then the demonstration (scripts/demo.ts).
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
. "$root/scripts/lib.sh"
. "$root/scripts/can.sh"
eval "$(sh scripts/env.sh)"
sh scripts/setup.sh
for need in lab engine; do
  hindrance=$(${need}_hindrance)
  [ -z "$hindrance" ] || { say "The demo cannot run here: $hindrance." && exit 1; }
done
as_root node dist/scripts/demo.js "$@"
