# shellcheck shell=sh
# Changes and the look afterwards, in one round trip; and their confirmation, where they may have cut off the way here.

# apply: standard input is `run ID CHANGES` (the ID is one for all changes of a run), `owners NAME…`, `undo` or `undo ID SECONDS
# SCRIPT` with the Commands that lead back from all and a line `.`, then for each change Commands and a line `.`, and the
# queries of a snapshot. Exit codes:
# 75 another run holds the lock or waits for its confirmation, 77 the machine has another owner (printed), 78 the way back
# is not to be had: nothing was done.
#
# From the first step to the end nothing is printed, so that a connection which breaks in the middle (it may run through
# the very link that is being changed) does not stop the rest of the change; each step has its own time limit.
apply() {
  read -r _ run_id changes
  read -r _ owners
  read -r _ undo_id undo_seconds undo_script
  lock && nothing_pends || return
  echo || return 1 # who was cancelled while this waited hears nothing any more, and wants nothing to be begun
  owner=$(first_line /etc/overlay/owner)
  if [ -n "$owners" ] && [ -n "$owner" ]; then
    case " $owners " in *" $owner "*) ;; *) printf '%s\n' "$owner" && return 77 ;; esac
  fi
  if [ -e /run/overlay/stopped ]; then rm /run/overlay/stopped; fi # by overlay-host: it is wanted again
  if [ -n "$undo_id" ]; then arm "/run/overlay/undo.$undo_id" || return 78; fi
  carry_out "$changes"
}

# confirm: standard input is the ID of an undo, that of the run and the number of changes, for each of them Commands and a
# line `.`, queries. The commands are carried out when it was not too late; else there is a section `takenBack`. Called in a
# login of its own, which shows that logins work.
confirm() {
  # shellcheck disable=SC2034 # generations.sh wants to know
  read -r undo_id run_id changes
  lock || return
  undo=/run/overlay/undo.$undo_id
  if mv "$undo/commands" "$undo/kept" 2>/dev/null; then
    systemctl stop "overlay-undo-$undo_id.service" </dev/null 9>&- || :
    rm -rf "$undo"
    carry_out "$changes"
  else
    section takenBack
    while [ "$changes" -gt 0 ] && read -r line; do
      [ "$line" != . ] || changes=$((changes - 1))
    done
    snapshot
  fi
}

# arm FOLDER: keeps what leads back, and starts who carries it out unless `confirm` comes first (undo.sh). It waits for
# the lock, which is held from here to the end of the change, before it begins to count.
arm() {
  {
    mkdir -m 700 "$1" &&
      printf '%s' "$undo_script" | base64 -d >"$1/undo.sh" &&
      while IFS= read -r line && [ "$line" != . ]; do printf '%s\n' "$line" || return; done >"$1/commands" &&
      systemd-run --quiet --collect --unit="overlay-undo-${1##*/undo.}" /bin/sh "$1/undo.sh" "$1" "$undo_seconds" \
        </dev/null >&2 9>&-
  } && return 0
  rm -rf "$1"
  return 1
}

# carry_out CHANGES: Commands up to a line `.`, so many times, then a snapshot by the queries that follow.
carry_out() {
  report='' change=1 changes=$1 queries='' broke='' new_folders=''
  begin_steps stop
  todo=$(cat 9>&-)
  # shellcheck disable=SC2154 # of steps.sh
  [ -d "$overlay_etc" ] || make_folders
  # shellcheck disable=SC2154 # of session.sh
  IFS=$newline
  for line in $todo; do
    unset IFS
    if [ "$change" -gt "$changes" ]; then
      queries=$queries$line$newline
    elif [ "$line" != . ]; then
      [ -n "$broke" ] || step "$line" || broke=yes
    else
      [ -n "$broke" ] || end_steps || broke=yes
      # shellcheck disable=SC2154 # what failed() of steps.sh leaves
      [ -z "$broke" ] || report=$report$(
        section "failed $change"
        printf '%s\n%s\n%s' "$failed_code" "$failed_line" "$said"
      )$newline
      change=$((change + 1)) broke=''
      begin_steps stop
    fi
  done
  unset IFS
  # shellcheck disable=SC2086 # paths
  [ -z "${report:+$new_folders}" ] || rmdir $new_folders 2>/dev/null || : # those that are empty
  seen=$(
    snapshot <<EOT
$queries
EOT
  )
  exec 9>&-
  printf '%s\n%s\n' "$report" "$seen"
}
