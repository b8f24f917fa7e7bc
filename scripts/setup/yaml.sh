# shellcheck shell=sh
# Pulumi's language host for YAML. Where it cannot be had, the test that needs it is skipped with the reason (can.sh).

yaml_ready() { go_command_ready yaml pulumi-language-yaml; }

yaml_make() {
  go_command_make yaml pulumi-language-yaml github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml \
    "the language host for YAML"
}
