#!/bin/sh
# The life of one host of a lab, from its start until it is powered off.
#     host.sh LAB HOST KIND IMAGE
# Reads /run/overlay-lab/LAB/hosts/HOST/links: ip-batch(8) commands that make the host's plugs in the lab's bridges.
# Writes beside it the process ids `supervisor` (this) and `machine` (another one after each boot). What a boot is, and
# plugging in, are the kind's: KIND/life.sh.
set -eu
lab=$1 host=$2 kind=$3 image=$4
here=$(cd "$(dirname "$0")" && pwd)
folder=/run/overlay-lab/$lab/hosts/$host
# shellcheck source=/dev/null
. "$here/$kind/life.sh"

# All of it is read before it begins: this file may change under a host that runs for days.
main() {
  # Everything of a lab is in its control group, by which `down` finds it. The lab made the groups: where they are gone
  # it went down in the meantime, and this host must not start.
  while read -r _ mounted type options _; do
    case $type:$options in
    cgroup2:* | cgroup:*name=systemd*) echo $$ >"$mounted/overlay-lab/$lab/$host/cgroup.procs" ;;
    esac
  done </proc/self/mounts
  cd "$folder"
  echo $$ >supervisor

  # Exit code 133 asks for a reboot (RestartForceExitStatus in systemd-nspawn@.service).
  code=133
  while [ $code = 133 ]; do
    plug_in
    code=0
    boot "$image" &
    echo $! >machine
    wait $! || code=$?
    rm machine
  done
  pull_out
  rm supervisor
  exit
}
main
