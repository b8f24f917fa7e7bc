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
  { [ -d "${2%/*}" ] || mkdir -p "${2%/*}" 9>&-; } &&
    if [ $# -lt 5 ]; then
      # shellcheck disable=SC2059
      printf "$3" "$4" >"$2.overlay-new"
    else
      # shellcheck disable=SC2059
      printf "$3" "$4" 2>/dev/null | cat >"$2.overlay-new" 9>&-
    fi && { [ "$1" = 0644 ] || chmod "$1" "$2.overlay-new" 9>&-; }
}

# enqueue_file 'put MODE PATH TEXT', where TEXT has \n for a newline and \\ for a backslash. It is written at once, takes its
# place together with those that follow, and leaves in the batch what is for anybody's eyes.
enqueue_file() {
  set -- "${1#put }"
  set -- "${1%% *}" "${1#* }"
  set -- "$1" "${2%% *}" "${2#* }"
  line="put $1 $2"
  if [ -e "$2.overlay-new" ]; then flush && batch_tool=put || return; fi # written twice, one after the other
  [ "$2" != "$3" ] || set -- "$1" "$2" '' # no text, and not even the blank before it
  write_beside "$1" "$2" %b "$3" && part=$part$line$newline && return
  set -- $? "$line" "$said" "$2"
  rm -f "$4.overlay-new" 2>/dev/null
  flush || return
  line=$2 said=$3
  failed "$1"
}

# Their contents reach the disk together, and then they take their places; that their names are there, too, is seen to at
# the end, once for each folder.
flush_files() {
  queue=$batch # which is not empty
  batch='' batch_tool=''
  set --
  IFS=$newline
  for line in $queue; do set -- "$@" "${line#put ???? }.overlay-new"; done
  unset IFS
  if sync "$@" 2>/dev/null 9>&-; then set -- synced; else set -- ''; fi
  IFS=$newline
  for line in $queue; do
    unset IFS
    place "${line#put ???? }" "$1" || failed $? || {
      for left in $queue; do rm -f "${left##* }.overlay-new"; done 2>/dev/null
      return 1
    }
  done
}

# place PATH SYNCED: what stands beside it takes its place.
place() {
  note_path "$1"
  { [ -n "$2" ] || said=$(sync "$1.overlay-new" 2>&1 9>&-); } &&
    kept_before "$1" &&
    said=$(mv -f "$1.overlay-new" "$1" 2>&1 9>&-) &&
    note_folder "${1%/*}" && networkd_file put "$1" && return 0
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

# make_key PATH [DEVICE]: a private key for good, a new one or the one that DEVICE has; one that is there stays, and what
# is there and is none is not ours to throw away. (On a full disk `wg genkey >FILE` leaves the file empty and succeeds;
# cat fails, and says why.)
make_key() {
  if [ -s "$1" ]; then
    said=$(wg pubkey <"$1" 2>&1 >/dev/null 9>&-)
    return
  fi
  said=$({
    umask 022
    # shellcheck disable=SC2174 # the folders above are for all to read
    mkdir -p -m 700 "${1%/*}" && umask 077 && key=$(new_key "${2-}") &&
      printf '%s\n' "$key" | cat >"$1.overlay-new" && sync "$1.overlay-new" && mv -f "$1.overlay-new" "$1"
  } 2>&1 9>&-) && note_folder "${1%/*}" && return 0
  set -- $? "$1"
  rm -f "$2.overlay-new" 2>/dev/null
  return "$1"
}

new_key() {
  if [ -n "$1" ] && [ -e "/sys/class/net/$1" ]; then
    key=$(timeout 10 wg show "$1" private-key) || return
    if [ "$key" != '(none)' ]; then printf '%s\n' "$key" && return; fi
  fi
  wg genkey
}
