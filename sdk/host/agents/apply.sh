# shellcheck shell=sh
# A change and the look afterwards, in one round trip.

# apply: standard input is `owners NAME…`, Commands, a line `.`, then the queries of a snapshot.
# Exit codes: 75 another run holds the lock, 77 the machine has another owner (printed).
#
# From the first step to the end nothing is printed, so that a connection which breaks in the middle (it may run through
# the very link that is being changed) does not stop the rest of the change; each step has its own time limit.
apply() {
  read -r _ owners
  mkdir -p /run/overlay
  exec 9>/run/overlay/lock
  flock -w 30 9 || { [ $? -ne 1 ] || return 75; echo 'the command flock (util-linux) failed' >&2 && return 1; }
  echo || return 1 # who was cancelled while this waited hears nothing any more, and wants nothing to be begun
  owner=$(first_line /etc/overlay/owner)
  if [ -n "$owners" ] && [ -n "$owner" ]; then
    case " $owners " in *" $owner "*) ;; *) printf '%s\n' "$owner" && return 77 ;; esac
  fi
  report=''
  # shellcheck disable=SC2154 # steps sets what is reported
  if ! steps stop; then
    report=$(
      section failed
      printf '%s\n%s\n%s' "$failed_code" "$failed_line" "$said"
    )
    while [ -z "$ended" ] && IFS= read -r line && [ "$line" != . ]; do :; done
  fi
  seen=$(snapshot)
  exec 9>&-
  printf '%s\n%s\n' "$report" "$seen"
}
