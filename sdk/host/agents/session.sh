# shellcheck shell=sh
# The far end of a session (sdk/host/session.ts): sent once, before the other agents, to the shell that sshd started.
# Only definitions and settings: a text that was cut off on its way does nothing.

# shellcheck disable=SC2034 # what the others read; boot.sh has it from steps.sh
newline='
'
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
umask 077

# frame MARK AGENT: runs an agent between `MARK<` and `MARK>CODE`, on both streams, so that the other end knows what
# belongs to it and how it ended. MARK is random for each operation.
frame() {
  frame_mark=$1
  shift
  printf '%s<' "$frame_mark"
  printf '%s<' "$frame_mark" >&2
  (
    set -euf
    "$@"
  )
  frame_code=$?
  printf '%s>%d\n' "$frame_mark" "$frame_code"
  printf '%s>%d\n' "$frame_mark" "$frame_code" >&2
}

# The first thing that a session asks: what kernel this is.
hello() {
  kernel=something
  if [ -r /proc/sys/kernel/ostype ]; then read -r kernel </proc/sys/kernel/ostype; fi
  printf '%s\n' "$kernel"
}
