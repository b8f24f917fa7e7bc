#!/bin/sh
# In place of ssh: keeps what a host is told, each login in a file of its own, then is the command that it was given.
#     early.sh FOLDER COMMAND…
set -eu
folder=$1
shift
for word; do
  [ "${before-}" != -- ] || host=$word
  before=$word
done
tee "$folder/$host.$$" | "$@"
