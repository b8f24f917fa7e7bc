#!/bin/sh
# Keeps the lab's way into a vm open while the vm runs: one SSH connection over the vm's serial port (guest/exec), which
# all commands share (exec.sh). QEMU has that port's other end on the loopback interface of the lab's own namespace. A word
# each second of silence, should a port ever miss the interrupt of the one before.
#     connect.sh LAB HOST
set -eu
lab=$1 host=$2
cd "/run/overlay-lab/$lab/hosts/$host"
while kill -0 $PPID 2>/dev/null; do
  nsenter --net="/run/netns/ol-$lab-net" ssh -F none -N -M -S "$PWD/exec" -i "/run/overlay-lab/$lab/identity" \
    -o IdentitiesOnly=yes -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -o LogLevel=QUIET \
    -o ConnectTimeout=600 -o ServerAliveInterval=1 -o ServerAliveCountMax=60 -p "$(cat port)" root@127.0.0.1 </dev/null || sleep 0.1
done
