# shellcheck shell=sh disable=SC2154 # root, cache and making come from lib.sh
# Pulumi's language host for YAML: the machine's own, else built from Go modules (scripts/toolchain/yaml). Where it cannot be
# had, the test that needs it is skipped with the reason (can.sh); it is tried again in a day.

yaml_dir=$cache/yaml/$(hash_of "$root"/scripts/toolchain/yaml/go.*)
no_yaml=$cache/failed/${yaml_dir##*/}-yaml

yaml_ready() {
  if own pulumi-language-yaml >/dev/null; then
    rm -f "$root/dist/.bin/pulumi-language-yaml"
  else
    { [ "$(readlink "$root/dist/.bin/pulumi-language-yaml")" = "$yaml_dir/bin/pulumi-language-yaml" ] && cached "$yaml_dir"; } ||
      lately "$no_yaml"
  fi
}

yaml_make() {
  if ! cached "$yaml_dir"; then
    has go || { say "  There is no Go to build the language host for YAML with." && return 1; }
    make_cached "$yaml_dir" yaml_build || { note_failure "$no_yaml" && return 1; }
  fi
  mkdir -p "$root/dist/.bin"
  ln -sf "$yaml_dir/bin/pulumi-language-yaml" "$root/dist/.bin/pulumi-language-yaml"
}

yaml_build() (
  say "  building Pulumi's language host for YAML from Go modules: about 2 minutes on 2 cores, once"
  mkdir "$making/bin" && cd "$root/scripts/toolchain/yaml" || exit
  logged yaml nice env CGO_ENABLED=0 GOWORK=off GOFLAGS=-mod=readonly go build -trimpath -ldflags "-s -w" \
    -o "$making/bin/" github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml
)
