# shellcheck shell=sh
# Pulumi's generators of SDKs, which language hosts have, for tests of what they make of the package's schema. Where they cannot
# be had, these are skipped with the reason (can.sh).

sdks_ready() { go_command_ready gen-sdk gen-sdk; }

sdks_make() { go_command_make gen-sdk gen-sdk . "Pulumi's generators of SDKs"; }
