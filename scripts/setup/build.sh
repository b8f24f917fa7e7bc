# shellcheck shell=sh disable=SC2154 # root, cache and making come from lib.sh
# TypeScript -> dist/. Types are checked by the tests, not here.

# A folder is newer, too, when a file in it was added or deleted.
build_ready() {
  [ -f "$root/dist/.built" ] && (
    cd "$root" &&
      [ -z "$(find .swcrc package-lock.json sdk components stacks test scripts -newer dist/.built | head -n 1)" ]
  )
}

build_make() { node "$root/scripts/build.js"; }
