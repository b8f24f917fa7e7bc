#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031 # stand-ins are written in single quotes; each test has an environment of its own
# The agents with stand-ins for ip: what no namespace shows at will.

bats_require_minimum_version 1.5.0

setup() {
  steps=$BATS_TEST_TMPDIR/agent.sh
  agents=$BATS_TEST_DIRNAME/../../../sdk/host/agents
  etc=$BATS_TEST_TMPDIR/etc run=$BATS_TEST_TMPDIR/run bin=$BATS_TEST_TMPDIR/bin
  mkdir -p "$etc/boot.d" "$run" "$bin"
  (cd "$agents" && cat networkd.sh steps.sh batches.sh verbs.sh files.sh) >"$steps" # sdk/host/agents.ts
}

@test "a kernel that refuses WireGuard is known for it, also where there is no wireguard-go yet" {
  printf '#!/bin/sh\ncat >/dev/null\nprintf "Error: Unknown device type.\\nCommand failed -:1\\n" >&2\nexit 1\n' >"$bin/ip"
  chmod +x "$bin/ip"
  for tool in timeout cat mkdir sh; do ln -s "$(command -v $tool)" "$bin"; done
  PATH=$bin sh -euc ". '$steps'; overlay_run='$run' overlay_networkd='$run/networkd'
    if echo 'ip link add dev a type wireguard' | steps stop; then exit 1; fi"
  [ -e "$run/userspace" ]
}

@test "addresses and routes that a setting of udev's takes away after early come back late, in silence" {
  cat >"$bin/ip" <<'EOT'
#!/bin/sh
# ip -batch -, and the kernel under it
count=0
while IFS= read -r line; do
  count=$((count + 1))
  case $line in '' | *' set '*) continue ;; esac
  if grep -qxF "$line" "$KERNEL"; then
    printf 'RTNETLINK answers: File exists\nCommand failed -:%s\n' "$count" >&2
    exit 1
  fi
  printf '%s\n' "$line" >>"$KERNEL"
done
EOT
  chmod +x "$bin/ip"
  cp "$agents/boot.sh" "$bin"
  printf '. "%s"\noverlay_etc="%s" overlay_run="%s" overlay_networkd="%s"\n' \
    "$steps" "$etc" "$run" "$run/networkd" >"$bin/steps.sh"
  cat >"$etc/boot.d/50-a" <<'EOT'
# project::a
ip link add dev a type wireguard
ip link set dev a up
ip addr add 10.255.0.2/32 dev a
ip addr add fe80::2/64 dev a
ip route add fd00:6f::1/128 dev a proto 111 metric 4096
EOT
  export KERNEL=$BATS_TEST_TMPDIR/kernel PATH=$bin:$PATH
  : >"$KERNEL"
  "$bin/boot.sh" early
  cp "$KERNEL" "$KERNEL.whole"
  grep -v : "$KERNEL.whole" >"$KERNEL"
  [ -z "$("$bin/boot.sh" late 2>&1)" ]
  sort "$KERNEL.whole" | cmp - <(sort "$KERNEL")
  [ ! -s "$run/boot.todo" ]
}

@test "a line that does not hold is tried by late for a minute, and by its unit until it does" {
  printf '#!/bin/sh\n[ -e "$RUN/device" ] && exit\necho "Cannot find device \\"late0\\"" >&2\nexit 1\n' >"$bin/nft"
  printf '#!/bin/sh\necho "$1" >>"$RUN/slept"\n' >"$bin/sleep" # nobody waits a minute for a test
  chmod +x "$bin"/*
  cp "$agents/boot.sh" "$bin"
  printf '. "%s"\noverlay_etc="%s" overlay_run="%s" overlay_networkd="%s"\n' \
    "$steps" "$etc" "$run" "$run/networkd" >"$bin/steps.sh"
  export RUN=$run PATH=$bin:$PATH
  echo 'nft add table inet overlay' >"$run/boot.todo"
  for _ in 1 2; do # as often as systemd starts it
    run -1 "$bin/boot.sh" late
    [[ $output == *'do not hold yet'*'nft add table inet overlay' ]]
    grep -qx 'nft add table inet overlay' "$RUN/boot.todo"
  done
  [ "$(awk '{ all += $1 } END { print all }' "$RUN/slept")" -eq 112 ]
  : >"$RUN/device"
  run -0 "$bin/boot.sh" late
  [ ! -s "$RUN/boot.todo" ]
  grep -qx 'Restart=on-failure' "$agents/overlay-late.service"
  grep -qx 'StartLimitIntervalSec=0' "$agents/overlay-late.service"
}

@test "tables that somebody flushes during a change come back after it, and nobody has to wait for that" {
  printf '#!/bin/sh\ncase $* in list*) exit 1 ;; *) cat >>"$KERNEL" ;; esac\n' >"$bin/nft"
  cat >"$bin/flock" <<EOT
#!/bin/sh
[ "\$*" != '-w 10 9' ] || set -- -n 9 # nobody waits that long for a test
exec $(command -v flock) "\$@"
EOT
  cat >"$bin/systemd-run" <<'EOT'
#!/bin/sh
while case $1 in -*) ;; *) false ;; esac; do shift; done
"$@" >/dev/null 2>&1 3>&- &
EOT
  chmod +x "$bin"/*
  cp "$agents/boot.sh" "$bin"
  printf '. "%s"\noverlay_etc="%s" overlay_run="%s" overlay_networkd="%s"\n' \
    "$steps" "$etc" "$run" "$run/networkd" >"$bin/steps.sh"
  echo 'nft add table inet overlay' >"$etc/boot.d/10-node"
  export KERNEL=$BATS_TEST_TMPDIR/kernel
  : >"$KERNEL"
  exec 8>"$run/lock"
  flock 8
  PATH=$bin:$PATH "$bin/boot.sh" again nft
  [ ! -s "$KERNEL" ]
  flock -u 8
  for _ in {1..50}; do [ -s "$KERNEL" ] || sleep 0.1; done
  grep -qx 'add table inet overlay' "$KERNEL"
}
