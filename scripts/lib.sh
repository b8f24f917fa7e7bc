# shellcheck shell=sh disable=SC2154,SC2119,SC2120 # root comes from who sources this
# What the scripts share. Sourced with $root set to the project's folder.

cache=${XDG_CACHE_HOME:-${HOME:?is not set, and neither is XDG_CACHE_HOME}/.cache}/pulumi-overlay

# Standard output belongs to the command that was asked for; progress and complaints do not go there.
say() { printf '%s\n' "$*" >&2; }

# can_root: is this root, or somebody whom sudo lets become root (without a terminal: without a password)?
can_root() {
  [ "$(id -u)" = 0 ] && return
  command -v sudo >/dev/null || return 1
  [ -t 0 ] || sudo -n true 2>/dev/null
}

# as_root COMMAND…: runs it as root, with the caller's own folders and settings.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  else
    # shellcheck disable=SC2046 # a list of assignments
    sudo env PATH="$PATH" HOME="$HOME" XDG_CACHE_HOME="${cache%/*}" CI="${CI-}" OVERLAY_CAN="${OVERLAY_CAN-}" \
      PULUMI_HOME="${PULUMI_HOME-$HOME/.pulumi}" \
      $(sh "$root/scripts/env.sh" | sed -n 's/^export \(PULUMI_\)/\1/p') "$@"
  fi
}

# has COMMAND: Debian keeps some out of the PATH of those who are not root.
has() { PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null 2>&1; }

# own COMMAND: prints where the machine's own one is, not the one that the set-up linked into a project's dist/.bin.
own() (
  IFS=:
  for folder in $PATH; do
    case $folder in */dist/.bin) continue ;; esac
    if [ -x "$folder/$1" ]; then
      printf '%s\n' "$folder/$1"
      return
    fi
  done
  return 1
)

# sha256 [-c]: GNU has sha256sum, macOS has shasum.
sha256() { if has sha256sum; then sha256sum "$@"; else shasum -a 256 "$@"; fi; }

# hash_of FILE…: what a folder of the cache is named by, together with the platform: a home can be shared.
hash_of() { { uname -sm && cat "$@"; } | sha256 | cut -c1-16; }

# A folder of the cache carries a stamp, the list of its files and their sizes: one that was cut off, tampered with
# by a disk that ran full, or half deleted is noticed and made again.
sizes() (cd "$1" && find . -type f ! -name .stamp -exec wc -c {} + | LC_ALL=C sort)
cached() { [ -f "$1/.stamp" ] && [ "$(sizes "$1")" = "$(cat "$1/.stamp")" ]; }

# make_cached FOLDER FUNCTION: FUNCTION fills a new folder, $making, which then takes FOLDER's place if it succeeded.
make_cached() {
  rm -rf "$1".making.* # left by a set-up that was killed: there is one at a time
  making=$1.making.$$
  mkdir -p "$making" && "$2" || return
  sizes "$making" >"$making.stamp" && mv "$making.stamp" "$making/.stamp" && rm -rf "$1" && mv "$making" "$1"
}

# What could not be had is not tried anew by every run: a file of the cache says when it failed, and holds for a day.
note_failure() { mkdir -p "${1%/*}" && : >"$1"; }
lately() { [ "$(find "$1" -mtime -1 2>/dev/null)" ]; }

# logged NAME COMMAND…: keeps what the command says in a file; shows its end when the command fails.
logged() {
  log=$cache/log/$1.log
  shift
  mkdir -p "${log%/*}"
  if "$@" >"$log" 2>&1 </dev/null; then
    return
  fi
  tail -n 25 "$log" >&2
  say "(all of it: $log)"
  return 1
}

# A command that is the machine's own, or else built from the Go modules of scripts/toolchain/NAME, once for each go.sum
# and, of a program of ours, main.go. Where it cannot be had, that is tried again in a day.
go_command_dir() { printf '%s\n' "$cache/$1/$(hash_of "$root/scripts/toolchain/$1"/[gm]*)"; }

# go_command_ready NAME COMMAND
go_command_ready() {
  if own "$2" >/dev/null; then
    rm -f "$root/dist/.bin/$2"
  else
    go_dir=$(go_command_dir "$1")
    { [ "$(readlink "$root/dist/.bin/$2")" = "$go_dir/bin/$2" ] && cached "$go_dir"; } || lately "$cache/failed/${go_dir##*/}-$1"
  fi
}

# go_command_make NAME COMMAND PACKAGE TITLE
go_command_make() {
  go_dir=$(go_command_dir "$1") go_name=$1 go_package=$3 go_title=$4
  if ! cached "$go_dir"; then
    has go || { say "  There is no Go to build $go_title with." && return 1; }
    make_cached "$go_dir" go_command_build || { note_failure "$cache/failed/${go_dir##*/}-$1" && return 1; }
  fi
  mkdir -p "$root/dist/.bin"
  ln -sf "$go_dir/bin/$2" "$root/dist/.bin/$2"
}

go_command_build() (
  say "  building $go_title from Go modules: about 2 minutes on 2 cores, once"
  mkdir "$making/bin" && cd "$root/scripts/toolchain/$go_name" || exit
  logged "$go_name" nice env CGO_ENABLED=0 GOWORK=off GOFLAGS=-mod=readonly go build -trimpath -ldflags "-s -w" \
    -o "$making/bin/" "$go_package"
)
