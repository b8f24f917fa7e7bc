# shellcheck shell=sh disable=SC2154 # root, cache and making come from lib.sh
# npm packages, as package-lock.json has them.

npm_ready() (
  cd "$root/node_modules" 2>/dev/null || return 1
  [ "$(cat .lock-hash 2>/dev/null)" = "$(hash_of ../package-lock.json)" ] || return 1
  # Half deleted? npm's own list names every folder that it made.
  sed -n 's|^    "\(node_modules/[^"]*\)": {$|\1|p' .package-lock.json | while read -r folder; do
    [ -f "../$folder/package.json" ] || exit 1
  done
)

# Not `npm ci`: it refuses a lock file that lacks another platform's optional package, and a registry's mirror may carry
# only some platforms. This installs the same versions, with the same checksums, and writes nothing back.
npm_make() (
  cd "$root" || exit
  # Without npm's own list it looks at every folder, and mends what is half deleted.
  rm -f node_modules/.package-lock.json
  logged npm npm install --no-save --ignore-scripts --prefer-offline --engine-strict=false
  hash_of package-lock.json >node_modules/.lock-hash
)
