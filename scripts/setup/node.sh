# shellcheck shell=sh disable=SC2154 # root, cache and making come from lib.sh
# Node 22, which the Pulumi SDK needs: the machine's own, or else npm's package of it, pinned by scripts/node. Without
# install scripts, which npm no longer runs unasked.

node_dir=$cache/node/$(hash_of "$root/scripts/node/package-lock.json")

machine_has_node() {
  own_node=$(own node) || return 1
  version=$("$own_node" --version)
  version=${version#v}
  [ "${version%%.*}" -ge 22 ]
}

node_ready() {
  if machine_has_node; then
    rm -f "$root/dist/.bin/node"
  else
    [ "$(readlink "$root/dist/.bin/node")" = "$node_dir/bin/node" ] && cached "$node_dir"
  fi
}

node_make() {
  rm -f "$root/dist/.bin/node" # npm runs on the machine's own while this one is missing or broken
  cached "$node_dir" || make_cached "$node_dir" node_fetch
  mkdir -p "$root/dist/.bin"
  ln -sf "$node_dir/bin/node" "$root/dist/.bin/node"
}

node_fetch() {
  cp "$root/scripts/node/package.json" "$root/scripts/node/package-lock.json" "$root/.npmrc" "$making" &&
    logged node npm install --no-save --prefix "$making" --ignore-scripts || return
  if ! mv "$making"/node_modules/node-*/bin "$making/bin" || ! "$making/bin/node" --version >/dev/null; then
    say "npm gave no Node 22 that runs on this machine ($(uname -sm)); is the registry reachable? Or install Node 22 or later by hand."
    return 1
  fi
  rm -rf "$making/node_modules" "$making/.npmrc"
}
