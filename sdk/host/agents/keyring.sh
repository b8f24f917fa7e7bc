#!/bin/sh
# keyring.sh FOLDER: what a private ssh-agent is started for, on the operator's machine (sdk/host/keyring.ts). It ends
# with the pipe that is its standard input, and ssh-agent then ends by itself.
set -eu
cat >/dev/null
rm -rf -- "$1"
