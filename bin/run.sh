# shellcheck shell=sh disable=SC2154 # self
# Runs one of the package's programs, for the scripts beside it: `run FILE OPTION …`, FILE in dist, OPTION one of node's.
# `self` is the path of that script.
root=$(cd -P "${self%/*}/.." && pwd -P)
# Set-up links a newer Node there when the machine's own is too old.
node=$root/dist/.bin/node
[ -x "$node" ] || node=node

complain() {
  echo "${0##*/}: $* [cli/node]" >&2
  exit 1
}

run() {
  main=$root/dist/$1 option=$2
  shift 2
  command -v "$node" >/dev/null || complain "there is no node on PATH; install Node 22 or later"
  [ -f "$main" ] || complain "$main is not there; run \`npm run build\` in $root"
  # What node has made of hundreds of files is kept beside set-up's cache: a fifth of a start.
  cache=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}
  [ -z "$cache" ] || export NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE:-$cache/pulumi-overlay/compiled}"
  exec "$node" "$option" "$main" "$@"
}
