#!/bin/sh
# Prints the picture of the README: the network of the demo's stack, whose lab has to be up (npm run demo).
#     picture.sh >docs/topology.svg
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
eval "$(sh scripts/env.sh)"
PULUMI_BACKEND_URL=file:///run/overlay-lab/${OVERLAY_LAB:-lab}/demo
PULUMI_CONFIG_PASSPHRASE=''
export PULUMI_BACKEND_URL PULUMI_CONFIG_PASSPHRASE
exec bin/overlay topology --stack lab
