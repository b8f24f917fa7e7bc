#!/bin/sh
# Runs a command in a vm as root, whatever its network does: through the connection that connect.sh keeps open.
#     exec.sh LAB HOST COMMAND…
set -eu
cd "/run/overlay-lab/$1/hosts/$2"
shift 2

# One that just boots, or has just been asked to reboot.
tries=0
until [ -S exec ]; do
  tries=$((tries + 1))
  [ $tries -lt 200 ] || { echo "exec.sh: $PWD: the vm has not said a word for 10 s" >&2 && exit 255; }
  sleep 0.05
done

# The shell at the far end gets one line, in which every argument is in quotation marks.
line=
for word in "$@"; do
  quoted=
  while :; do
    case $word in
    *\'*)
      quoted="$quoted${word%%\'*}'\\''"
      word=${word#*\'}
      ;;
    *) break ;;
    esac
  done
  line="$line '$quoted$word'"
done

terminal=-T
[ ! -t 0 ] || [ ! -t 1 ] || terminal=-t
# Without a connection to share, it must not look for a machine of that name.
exec ssh -F none -S exec -o ProxyCommand=false -o LogLevel=ERROR $terminal root@vm "exec$line"
