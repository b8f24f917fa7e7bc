# shellcheck shell=sh
# What this host booted from before each of the last runs that changed it: /etc/overlay/generations/NUMBER, each a whole
# boot.d, the newest with the highest number. Hard links: they need no room and no sync, and `put` renames a new file over
# the old one, which stays here.

generations_kept=3

# before_change PATH: called before a run ($run_id) writes a boot file (its new content is PATH.overlay-new) or removes one.
# A run makes one generation at most, and none where it changes no boot file.
before_change() {
  last_run=''
  if [ -r "${overlay_run:?}/run" ]; then read -r last_run <"$overlay_run/run"; fi
  [ "$last_run" != "${run_id:?}" ] || return 0
  if [ ! -e "$1.overlay-new" ]; then
    [ -e "$1" ] || return 0
  elif [ -e "$1" ]; then
    ! cmp -s "$1" "$1.overlay-new" || return 0
  fi
  keep_generation && forget_generation && printf '%s\n' "$run_id" >"$overlay_run/run"
}

# boot.d as it is becomes the newest generation; of an empty one there is nothing to keep.
keep_generation() (
  set +f
  set --
  for path in "${overlay_etc:?}"/boot.d/*; do
    case $path in *.overlay-new | */'*') ;; *) set -- "$@" "$path" ;; esac
  done
  [ $# -gt 0 ] || return 0
  count_generations
  new=$overlay_etc/generations/new
  if [ -e "$new" ]; then rm -rf "$new"; fi # of who was cut off here
  umask 022
  mkdir -p "$new" && cp -l "$@" "$new" && mv "$new" "$overlay_etc/generations/$((newest + 1))"
)

# The oldest, where there are too many.
forget_generation() (
  set +f
  count_generations
  [ "$count" -le "$generations_kept" ] || rm -rf "$overlay_etc/generations/$oldest"
)

# Leaves their numbers in $count, $oldest and $newest, without a process of its own.
count_generations() {
  count=0 oldest=0 newest=0
  for path in "$overlay_etc"/generations/*; do
    number=${path##*/}
    case $number in *[!0-9]*) continue ;; esac
    count=$((count + 1))
    if [ "$count" = 1 ] || [ "$number" -lt "$oldest" ]; then oldest=$number; fi
    if [ "$number" -gt "$newest" ]; then newest=$number; fi
  done
}
