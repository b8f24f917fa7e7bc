# shellcheck shell=sh
# What this host booted from before each of the last runs that changed it: /etc/overlay/generations/NUMBER, each a whole
# boot.d, the newest with the highest number. Hard links: they need no room and no sync, and `put` renames a new file over
# the old one, which stays here.

generations_kept=3

# before_change PATH: called before a run ($run_id) writes a file (its new content is PATH.overlay-new) or removes one. A
# run makes one generation at most, and none where it changes no boot file.
before_change() {
  case $1 in "${overlay_etc:?}"/boot.d/*) ;; *) return 0 ;; esac
  last_run=''
  if [ -r "${overlay_run:?}/run" ]; then read -r last_run <"$overlay_run/run"; fi
  [ "$last_run" != "${run_id:?}" ] || return 0
  if [ -e "$1.overlay-new" ]; then ! cmp -s "$1" "$1.overlay-new" || return 0; else [ -e "$1" ] || return 0; fi
  keep_generation && forget_generations && printf '%s\n' "$run_id" >"$overlay_run/run"
}

# A copy of boot.d becomes the newest generation; of an empty one there is nothing to keep.
keep_generation() (
  set +f
  set --
  for path in "$overlay_etc"/boot.d/*; do
    case $path in *.overlay-new | */'*') ;; *) set -- "$@" "$path" ;; esac
  done
  [ $# -gt 0 ] || return 0
  newest=$(generations | tail -n 1)
  new=$overlay_etc/generations/new
  rm -rf "$new" && (umask 022 && mkdir -p "$new") && cp -l "$@" "$new" &&
    mv "$new" "$overlay_etc/generations/$((${newest:-0} + 1))"
)

forget_generations() {
  generations | head -n "-$generations_kept" | while read -r old; do rm -rf "$overlay_etc/generations/$old"; done
}

# Their numbers, the oldest first.
generations() (
  set +f
  for path in "$overlay_etc"/generations/*; do
    case ${path##*/} in *[!0-9]*) ;; *) printf '%s\n' "${path##*/}" ;; esac
  done | sort -n
)
