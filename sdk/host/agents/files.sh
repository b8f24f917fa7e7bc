# shellcheck shell=sh disable=SC2154,SC2034 # what steps.sh sets and reads
# Files and keys: what is there is the old one or the new one, whenever the power goes. Part of steps.sh on a host.

# write_beside MODE PATH FORMAT TEXT: a new file beside the one whose place it is to take; FORMAT is printf's. What is wrong
# with a disk cat says, and not each shell's printf; and it is asked only where something is wrong.
write_beside() {
  case $1 in 0600) umask 077 ;; *) umask 022 ;; esac
  write_new "$@" 2>/dev/null || said=$(write_new "$@" cat 2>&1)
  set -- $?
  umask 077
  return "$1"
}

write_new() {
  { [ -d "${2%/*}" ] || make_folder "$1" "${2%/*}"; } &&
    if [ $# -lt 5 ]; then
      # shellcheck disable=SC2059
      printf "$3" "$4" >"$2.overlay-new"
    else
      # shellcheck disable=SC2059
      printf "$3" "$4" 2>/dev/null | cat >"$2.overlay-new" 9>&-
    fi && case $1 in 0600 | 0644) ;; *) chmod "$1" "$2.overlay-new" 9>&- ;; esac
}

# make_folder MODE FOLDER: for files of that mode; the folders above are for all to read.
make_folder() {
  # shellcheck disable=SC2174
  case $1 in
    0600) (umask 022 && exec mkdir -p -m 700 "$2" 9>&-) ;;
    *) mkdir -p "$2" 9>&- ;;
  esac
}

# make_folders: on a host that is new, those of all files of $todo by one process; they are left in $new_folders, the last first.
# Which of them cannot be made its file tells.
make_folders() {
  IFS=$newline
  for line in $todo; do
    case $line in 'put 0644 '* | 'put 0755 '*) ;; *) continue ;; esac
    line=${line#put 0??? }
    line=${line%% *}
    line=${line%/*}
    case " $new_folders " in *" $line "*) ;; *) [ -d "$line" ] || new_folders="$line${new_folders:+ }$new_folders" ;; esac
  done
  unset IFS
  umask 022
  # shellcheck disable=SC2086 # paths
  [ -z "$new_folders" ] || mkdir -p $new_folders 2>/dev/null 9>&- || :
  umask 077
}

# enqueue_file LINE: `put MODE PATH TEXT`, where TEXT has \n for a newline and \\ for a backslash, `genkey PATH` or `keepkey PATH
# DEVICE`. It is written at once, takes its place together with those that follow, and leaves in the batch what is for anybody's
# eyes: `PATH LINE`.
enqueue_file() {
  line=$1
  case $1 in
    put*)
      set -- "${1#put }"
      set -- "${1%% *}" "${1#* }"
      set -- "$1" "${2%% *}" "${2#* }"
      line="put $1 $2"
      [ "$2" != "$3" ] || set -- "$1" "$2" '' # no text, and not even the blank before it
      enqueue_text "$1" "$2" %b "$3"
      ;;
    *)
      # shellcheck disable=SC2086 # a line becomes words; set -f is on
      set -- $1
      enqueue_key "$2" "${3-}"
      ;;
  esac && return
  set -- $? "$line" "$said"
  flush || return
  line=$2 said=$3
  failed "$1"
}

# enqueue_text MODE PATH FORMAT TEXT, of $line.
enqueue_text() {
  if [ -e "$2.overlay-new" ]; then # written twice, one after the other, or somebody was killed here
    set -- "$@" "$line"
    flush && batch_tool=put && rm -f "$2.overlay-new" || return
    line=$5
  fi
  write_beside "$1" "$2" "$3" "$4" && part="$part$2 $line$newline" && return
  set -- $? "$2"
  rm -f "$2.overlay-new" 2>/dev/null
  return "$1"
}

# Their contents reach the disk together, and then they take their places; that their names are there, too, is seen to at
# the end, once for each folder.
flush_files() {
  queue=$batch # which is not empty
  batch='' batch_tool=''
  set --
  IFS=$newline
  for line in $queue; do set -- "$@" "${line%% *}.overlay-new"; done
  unset IFS
  if sync "$@" 2>/dev/null 9>&-; then
    rename_together "$@" || : # of those that are left each says why
    set -- synced
  else set -- ''; fi
  IFS=$newline
  for line in $queue; do
    unset IFS
    path=${line%% *} line=${line#* }
    place "$path" "$1" || failed $? || {
      IFS=$newline
      for left in $queue; do rm -f "${left%% *}.overlay-new"; done 2>/dev/null
      unset IFS
      return 1
    }
  done
  unset IFS
}

# rename_together FILE…: by one process, where util-linux has it under the name that Debian and its kin give it.
rename_together() {
  { [ $# -gt 1 ] && command -v rename.ul; } >/dev/null || return
  for file; do kept_before "${file%.overlay-new}" || return; done
  rename.ul .overlay-new '' "$@" 2>/dev/null 9>&-
}

# place PATH SYNCED: what stands beside it takes its place, unless it has.
place() {
  note_path "$1"
  [ ! -e "$1.overlay-new" ] || {
    { [ -n "$2" ] || said=$(sync "$1.overlay-new" 2>&1 9>&-); } &&
      kept_before "$1" &&
      said=$(mv -f "$1.overlay-new" "$1" 2>&1 9>&-)
  } && note_folder "${1%/*}" && networkd_file put "$1" && return 0
  rm -f "$1.overlay-new" 2>/dev/null
  return 1
}

# kept_before PATH: what a run is to change of what this host boots from is kept (generations.sh).
kept_before() {
  case ${run_id:+$1} in "$overlay_etc"/boot.d/*) said=$(before_change "$1" 2>&1 9>&-) ;; esac
}

note_folder() {
  case " $folders " in *" $1 "*) ;; *) folders="$folders $1" ;; esac
}

sync_folders() {
  set --
  for folder in $folders; do
    [ ! -d "$folder" ] || set -- "$@" "$folder" # what came after may have removed it
  done
  [ $# -gt 0 ] || return 0
  tell sync "$@" || { line="sync $*" && failed $?; }
}

# remove PATH, and the folders that it leaves empty and that are ours, or were made for us.
remove() {
  note_path "$1"
  networkd_file remove "$1"
  kept_before "$1" && said=$(rm -f "$1" 2>&1) || return
  set -- "${1%/*}"
  while :; do
    case $1 in
      "$overlay_etc"* | /usr/local/lib/overlay* | /etc/systemd/networkd.conf.d | *.service.d) rmdir "$1" 2>/dev/null || break ;;
      *) break ;;
    esac
    case $1 in "$overlay_etc"/boot.d) rm -rf "$overlay_etc/generations" ;; esac # the node itself is gone
    set -- "${1%/*}"
  done
}

# retire PATH: a file of others that we have taken the place of stays as a backup, under a name that nobody looks for.
retire() {
  [ -e "$1" ] || return 0
  said=$(mv --backup=numbered -T "$1" "$1.before-overlay" 2>&1)
}

# enqueue_key PATH [DEVICE], of $line: a private key for good, a new one or the one that DEVICE has; one that is there stays, and
# what is there and is none is not ours to throw away.
enqueue_key() {
  if [ -e "$1.overlay-new" ]; then flush && batch_tool=put || return; fi
  if [ -s "$1" ]; then
    said=$(wg pubkey <"$1" 2>&1 >/dev/null 9>&-)
    return
  fi
  key=$(new_key "${2-}" 2>/dev/null 9>&-) || {
    set -- $? "${2-}"
    said=$(new_key "$2" 2>&1 >/dev/null 9>&-)
    return "$1"
  }
  enqueue_text 0600 "$1" '%s\n' "$key"
}

new_key() {
  if [ -n "$1" ] && [ -e "/sys/class/net/$1" ]; then
    key=$(timeout 10 wg show "$1" private-key) || return
    if [ "$key" != '(none)' ]; then printf '%s\n' "$key" && return; fi
  fi
  wg genkey
}
