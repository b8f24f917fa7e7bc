#!/bin/sh
# In place of ssh: notes the arguments of each connection in a file, then is the command that it was given.
#     ssh.sh FILE COMMAND…
set -eu
file=$1
shift
printf '%s\n' "$*" >>"$file"
exec "$@"
