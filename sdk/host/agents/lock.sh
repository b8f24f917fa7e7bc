# shellcheck shell=sh
# Who may change this host: whoever holds the lock, and only when no change of another run waits for its confirmation.

# Code 75: another run held it for 30 s.
lock() {
  [ -d /run/overlay ] || mkdir -p /run/overlay
  exec 9>/run/overlay/lock
  flock -w 30 9 || { [ $? -ne 1 ] || return 75; echo 'the command flock (util-linux) failed' >&2 && return 1; }
}

# What another run has changed may still be taken back; the lock is left to that meanwhile.
nothing_pends() {
  tries=0
  while pends; do
    tries=$((tries + 1))
    [ "$tries" -le 60 ] || return 75
    flock -u 9
    sleep 0.5
    lock || return
  done
}

pends() {
  set +f
  set -- /run/overlay/undo.*/commands
  set -f
  for pending in "$@"; do
    [ -e "$pending" ] || continue
    pending=${pending%/commands}
    ! systemctl --quiet is-active "overlay-undo-${pending##*/undo.}.service" </dev/null 9>&- || return 0
  done
  return 1
}
