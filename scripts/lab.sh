#!/bin/sh
# npm run -s lab -- COMMAND: brings up to date what the lab's command-line tool (test/lab/main.ts) needs, silently when
# nothing is to do, and runs it.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/lib.sh"
. "$root/scripts/can.sh"
eval "$(sh "$root/scripts/env.sh")"
# Only `up` starts from the root file system.
case ${1-} in up) rootfs=rootfs ;; *) rootfs= ;; esac
# shellcheck disable=SC2086 # a word or none
sh "$root/scripts/setup.sh" --quiet packages node npm build $rootfs
hindrance=$(lab_hindrance)
[ -z "$hindrance" ] || { say "$hindrance" && exit 1; }
as_root node "$root/dist/test/lab/main.js" "$@"
