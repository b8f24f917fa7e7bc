# shellcheck shell=sh
# Whence somebody is logged in.

# `CLIENT PORT SERVER PORT`, as sshd says it, or nothing. sudo takes the variable away from its child alone.
ssh_connection() {
  connection=${SSH_CONNECTION-} pid=$PPID tries=0
  while [ -z "$connection" ] && [ "$pid" -gt 1 ] && [ "$tries" -lt 8 ]; do
    connection=$(tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | sed -n 's/^SSH_CONNECTION=//p')
    pid=$(awk '$1 == "PPid:" { print $2 }' "/proc/$pid/status") || return 0
    tries=$((tries + 1))
  done
  [ -z "$connection" ] || printf '%s\n' "$connection"
}
