#!/bin/sh
# In place of ssh: notes the arguments of each connection in a file, then is the command that it was given; a bastion's (-W)
# is part of that of the host behind it.
#     ssh.sh FILE COMMAND…
set -eu
file=$1
shift
noted=yes
for word; do if [ "$word" = -W ]; then noted=''; fi; done
[ -z "$noted" ] || printf '%s\n' "$*" >>"$file"
exec "$@"
