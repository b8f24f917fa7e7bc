# shellcheck shell=sh
# Behind steps.sh in a file of its own, which systemd runs: takes a change back unless a new login confirms it first.

# undo FOLDER SECONDS: the seconds are counted from the end of the change, which holds the lock. Whoever moves
# FOLDER/commands away has decided, under the lock or without it.
undo() {
  export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  exec 9>"${overlay_run:?}/lock"
  flock -w 600 9 || :
  flock -u 9
  sleep "$2"
  flock -w 60 9 || :
  mv "$1/commands" "$1/taken" 2>/dev/null || exit 0
  echo "overlay: no new login has confirmed the change within $2 s: it is taken back" >&2
  steps boot <"$1/taken" >/dev/null || :
  rm -rf "$1"
}

set -u
umask 077
undo "$@"
