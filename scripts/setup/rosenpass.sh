# shellcheck shell=sh disable=SC2154 # root, cache and making come from lib.sh
# The Rosenpass of the lab's hosts, built by cargo. libsodium goes into it, so that a host needs nothing but the binary.
# Where it cannot be had, the tests that need it are skipped with the reason (can.sh); it is tried again in a day.

rosenpass_version=$(cat "$root/scripts/toolchain/rosenpass")
rosenpass_needs="cmake clang libclang-dev pkg-config libsodium-dev" # Debian's names
rosenpass_dir=$cache/rosenpass/$(hash_of "$root/scripts/toolchain/rosenpass")
no_rosenpass=$cache/failed/${rosenpass_dir##*/}-rosenpass

rosenpass_ready() {
  { [ "$(readlink "$root/dist/.bin/rosenpass")" = "$rosenpass_dir/bin/rosenpass" ] && cached "$rosenpass_dir"; } ||
    lately "$no_rosenpass"
}

rosenpass_make() {
  if ! cached "$rosenpass_dir"; then
    has cargo || { say "  There is no cargo to build Rosenpass with. Install Rust 1.77 or later, then run again." && return 1; }
    if has apt-get && can_root; then
      apt_install "$rosenpass_needs" || { logged apt-update as_root apt-get -q update && apt_install "$rosenpass_needs"; } || :
    fi
    make_cached "$rosenpass_dir" rosenpass_build || {
      say "  It needs $rosenpass_needs."
      note_failure "$no_rosenpass"
      return 1
    }
  fi
  mkdir -p "$root/dist/.bin"
  ln -sf "$rosenpass_dir/bin/rosenpass" "$root/dist/.bin/rosenpass"
}

# A folder with libsodium.a alone has the linker take that one.
rosenpass_build() (
  say "  building Rosenpass $rosenpass_version with cargo: about 3 minutes on 2 cores, once"
  static=$making/static
  mkdir "$static" && ln -s "$(pkg-config --variable=libdir libsodium)/libsodium.a" "$static/" &&
    printf '%s\n' 'Name: libsodium' 'Description: the one to link in' "Version: $(pkg-config --modversion libsodium)" \
      "Libs: -L$static -lsodium" >"$static/libsodium.pc" || exit
  logged rosenpass nice env PKG_CONFIG_PATH="$static" LIBSODIUM_STATIC=1 CARGO_TARGET_DIR="$making/target" \
    cargo install rosenpass --version "$rosenpass_version" --locked --no-track --root "$making" &&
    rm -rf "$making/target" "$static"
)
