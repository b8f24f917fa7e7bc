# shellcheck shell=sh disable=SC2154 # root, cache and making come from lib.sh
# The Pulumi CLI and its language hosts: a recent one on PATH, else the official release with its checksum verified,
# else built from Go modules (scripts/toolchain has a go.mod and go.sum for each binary).

oldest_pulumi=250                                # 3.250; older ones were never tried
release=$(cat "$root/scripts/toolchain/release") # what is downloaded: the SDK's twin
releases=${OVERLAY_PULUMI_RELEASES:-https://get.pulumi.com/releases/sdk}
# What is built: 3.68 is the last release whose module holds the language hosts.
built_cli=v3.259.0
built_hosts=v3.68.0

toolchain_dir=$cache/toolchain/$(hash_of "$root/scripts/toolchain/release" "$root"/scripts/toolchain/pulumi*/go.*)
toolchain_binaries="pulumi pulumi-language-nodejs pulumi-language-python pulumi-language-python-exec"

machine_has_pulumi() {
  own_pulumi=$(own pulumi) || return 1
  own pulumi-language-nodejs >/dev/null || return 1
  version=$("$own_pulumi" version 2>/dev/null) || return 1
  case $version in v3.*) ;; *) return 1 ;; esac
  version=${version#v3.}
  [ "${version%%.*}" -ge "$oldest_pulumi" ]
}

toolchain_ready() {
  if machine_has_pulumi; then
    for binary in $toolchain_binaries; do rm -f "$root/dist/.bin/$binary"; done
  else
    [ "$(readlink "$root/dist/.bin/pulumi")" = "$toolchain_dir/bin/pulumi" ] && cached "$toolchain_dir"
  fi
}

toolchain_make() {
  if ! cached "$toolchain_dir"; then
    make_cached "$toolchain_dir" toolchain_fetch || {
      code=$?
      # No means: what needs Pulumi is skipped by name, or refused by the demo. All else is a failure.
      [ $code = 2 ] && return || return $code
    }
  fi
  mkdir -p "$root/dist/.bin"
  for binary in $toolchain_binaries; do
    ln -sf "$toolchain_dir/bin/$binary" "$root/dist/.bin/$binary"
  done
}

toolchain_fetch() {
  mkdir "$making/bin" && { download_pulumi || build_pulumi; } && "$making/bin/pulumi" version >/dev/null
}

# Returns 1, having said why, when the release cannot be had.
download_pulumi() {
  case $(uname -m) in
  x86_64) arch=x64 ;;
  aarch64 | arm64) arch=arm64 ;;
  *) return 1 ;;
  esac
  archive=pulumi-v$release-$(uname -s | tr '[:upper:]' '[:lower:]')-$arch.tar.gz
  # 3 s for name, connection and TLS together: many a machine that builds things reaches nothing but package registries.
  get="curl -fsSL --connect-timeout 3 --speed-limit 10000 --speed-time 20"
  if ! $get --max-time 15 -o "$making/checksums" "$releases/pulumi-$release-checksums.txt" 2>/dev/null; then
    say "  $releases does not answer"
    return 1
  fi
  say "  downloading Pulumi $release"
  $get -o "$making/$archive" "$releases/$archive" || return 1
  if ! (cd "$making" && grep " $archive\$" checksums | sha256 -c - >/dev/null); then
    say "  $archive does not have the checksum that its makers give: not used"
    return 1
  fi
  tar -xzf "$making/$archive" -C "$making/bin" --strip-components 1 && rm "$making/$archive" "$making/checksums"
}

# Returns 2 where there is nothing to build it with.
build_pulumi() {
  if ! has go; then
    say "  There is no Go to build Pulumi with, either. Install one of the two, then run again:"
    say "    Pulumi 3.$oldest_pulumi or later   https://www.pulumi.com/docs/iac/download-install/"
    say "    Go 1.25 or later       https://go.dev/doc/install"
    return 2
  fi
  say "  building Pulumi from Go modules: about 4 minutes on 2 cores, once"
  build_go pulumi pkg/v3/cmd/pulumi $built_cli &&
    build_go pulumi-language-nodejs sdk/v3/nodejs/cmd/pulumi-language-nodejs $built_hosts &&
    build_go pulumi-language-python sdk/v3/python/cmd/pulumi-language-python $built_hosts &&
    module=$(cd "$root/scripts/toolchain/pulumi-language-python" && go list -m -f '{{.Dir}}' github.com/pulumi/pulumi/sdk/v3) &&
    install -m 755 "$module/python/cmd/pulumi-language-python-exec" "$making/bin/"
}

# build_go BINARY PACKAGE VERSION
build_go() (
  cd "$root/scripts/toolchain/$1" || exit
  logged "toolchain-$1" nice env CGO_ENABLED=0 GOWORK=off GOFLAGS=-mod=readonly go build -trimpath \
    -ldflags "-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=$3" \
    -o "$making/bin/" "github.com/pulumi/pulumi/$2"
)
