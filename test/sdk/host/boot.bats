#!/usr/bin/env bats
# The agents with stand-ins for ip: what no namespace shows at will.

bats_require_minimum_version 1.5.0

setup() {
  agents=$BATS_TEST_DIRNAME/../../../sdk/host/agents
  etc=$BATS_TEST_TMPDIR/etc run=$BATS_TEST_TMPDIR/run bin=$BATS_TEST_TMPDIR/bin
  mkdir -p "$etc/boot.d" "$run" "$bin"
}

@test "a kernel that refuses WireGuard is known for it, also where there is no wireguard-go yet" {
  printf '#!/bin/sh\ncat >/dev/null\nprintf "Error: Unknown device type.\\nCommand failed -:1\\n" >&2\nexit 1\n' >"$bin/ip"
  chmod +x "$bin/ip"
  for tool in timeout cat mkdir sh; do ln -s "$(command -v $tool)" "$bin"; done
  PATH=$bin sh -euc ". '$agents/steps.sh'; overlay_run='$run'
    if echo 'ip link add dev a type wireguard' | steps stop; then exit 1; fi"
  [ -e "$run/userspace" ]
}
