#!/bin/sh
# npm test [-- JEST ARGUMENTS]: set-up, what this machine can do, then all tests. The last line is
# `N passed, N failed, N skipped`.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
. "$root/scripts/lib.sh"
. "$root/scripts/can.sh"
eval "$(sh scripts/env.sh)"
sh scripts/setup.sh
for step in vm images minio rosenpass sdks; do
  sh scripts/setup.sh $step || say "The tests that need it will be skipped, with the reason."
done

OVERLAY_CAN=$(can)
export OVERLAY_CAN
# Every run of Pulumi loads the same few hundred modules in new processes.
export NODE_COMPILE_CACHE="$cache/compiled"
# The labs of two runs would have the same names.
if has flock; then
  exec 8>"$cache/.test-lock"
  flock -n 8 || { say "another test run is under way on this machine: waiting for it" && flock -w 5400 8; }
fi

# What the compiler knows of files that are as they were in the last clone: half a minute less.
[ -e dist/.types ] || cp "$cache/types" dist/.types 2>/dev/null || :

# A test that never ends must not hold a CI machine for ever.
limit=
if has timeout; then limit="timeout --foreground --kill-after 60 ${OVERLAY_TEST_LIMIT:-85m}"; fi

if [ "$(lab_hindrance)" ]; then become=; else become=as_root; fi
code=0
# Workers take the option over: a tenth less of their time goes into collecting garbage.
# shellcheck disable=SC2086 # words
$become $limit node --max-semi-space-size=64 node_modules/jest/bin/jest.js "$@" </dev/null 8>&- || code=$? # a lab that is left behind holds no lock
[ ! -e dist/.types ] || { cp dist/.types "$cache/types.$$" && mv "$cache/types.$$" "$cache/types"; } || :
[ $code != 124 ] || say "The tests did not end within ${OVERLAY_TEST_LIMIT:-85 minutes} (OVERLAY_TEST_LIMIT) and were stopped."
exit $code
