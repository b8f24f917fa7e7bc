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

npm_make() (
  cd "$root" || exit
  logged npm npm ci --ignore-scripts --prefer-offline --engine-strict=false
  hash_of package-lock.json >node_modules/.lock-hash
)
