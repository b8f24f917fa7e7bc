#!/bin/sh
# ssh.sh FILE COMMAND…: writes to FILE which host is to be connected to, one line a connection, and becomes COMMAND: an
# ssh command line with the host after its last `--`.
set -eu
file=$1
shift
before='' host=''
for word; do
  if [ "$before" = -- ]; then host=$word; fi
  before=$word
done
printf '%s\n' "$host" >>"$file"
exec "$@"
