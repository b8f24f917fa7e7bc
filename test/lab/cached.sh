# shellcheck shell=sh disable=SC2154 # who sources this has set them
# What rootfs.sh and vm/image.sh share: a folder of the user's cache, made once, that hosts then stand on. They say which
# ($folder), whether it is only asked for ($check), and when it is `whole FOLDER`.

say() { printf '%s\n' "$*" >&2; }

# source_line DISTRIBUTION SUITE COMPONENTS: what apt calls a source, of the machine's own mirror. Nothing where it has
# none, as of Debian on Ubuntu: mmdebstrap knows Debian's and Ubuntu's.
source_line() {
  apt-get indextargets --format "\$(ORIGIN) \$(CODENAME) \$(REPO_URI)" "Created-By: Packages" 2>/dev/null |
    awk -v distribution="$1" -v rest="$2 $3" '$1 == distribution && $2 !~ /-/ { print "deb " $3 " " rest; exit }'
}

# The bytes of all its files: one that was cut short, by a disk that ran full or hands, is noticed where none is missing.
bytes() { find "$1" -xdev -type f ! -path "$1/.stamp" -printf '%s\n' | awk '{ all += $1 } END { printf "%.0f\n", all }'; }

# What was made before its bytes were counted has no such file.
as_made() { [ ! -f "$1.bytes" ] || [ "$(bytes "$1")" = "$(cat "$1.bytes")" ]; }

# The stamp's time is when the folder was last asked for.
answer_if_whole() {
  if whole "$folder" && as_made "$folder"; then
    touch -c "$folder/.stamp" 2>/dev/null || true
    printf '%s\n' "$folder"
    exit
  fi
}

# begin SCRIPT WHAT: goes on where there is something to make, as the only one who does: in $making, with what the tools
# say in $log. `finish` ends it.
begin() {
  script=$1 what=$2
  answer_if_whole
  [ -z "$check" ] || exit 1
  [ "$(id -u)" = 0 ] || { say "$script: making $what needs root: run it with sudo"; exit 1; }
  # One at a time: what another has just made must not be made again under the hosts that run on it.
  mkdir -p "${folder%/*}"
  exec 9>"${folder%/*}/.lock"
  flock -n 9 || { say "  another process makes $what: waiting for it" && flock -w 1800 9; }
  answer_if_whole

  # What a run that was killed left half-made.
  for old in "${folder%/*}"/*.[0-9]*; do
    [ ! -d "$old" ] || [ -d "/proc/${old##*.}" ] || rm -rf "$old"
  done
  remove_unused
  making=$folder.$$
  log=$folder.log
  done=
  trap give_up EXIT
  trap 'exit 1' HUP INT TERM
}

# What nobody has asked for in 30 days, as that of an earlier version of these scripts. Not what a lab runs on.
remove_unused() {
  find "${folder%/*}" -mindepth 2 -maxdepth 2 -name .stamp -mtime +30 | while read -r stamp; do
    old=${stamp%/.stamp}
    grep -qsF "$old\"" /run/overlay-lab/*/images.json || rm -rf "$old" "$old.log" "$old.bytes"
  done
}

give_up() {
  rm -rf "$making" "$making".*
  [ -z "$done" ] || return 0
  tail -n 15 "$log" >&2
  say "$script: $what could not be made (all of it: $log)."
  say "Is a mirror in reach? Try: apt-get update"
}

# $making is whole: it takes its place.
finish() {
  rm -rf "$folder" "$folder.bytes"
  bytes "$making" >"$making.bytes"
  mv "$making" "$folder"
  mv "$making.bytes" "$folder.bytes"
  done=yes
  printf '%s\n' "$folder"
}
