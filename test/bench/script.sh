#!/bin/sh
# What a good engineer has plain ssh run on a host, to be timed beside `up`: it makes a key, and devices from a boot file
# of ip(8)'s and wg(8)'s own words. The operator's side appends the call, with the boot file as a here-document.
set -eu

# The host's public key.
key() {
  umask 077
  mkdir -p /etc/mesh
  [ -s /etc/mesh/key ] || wg genkey >/etc/mesh/key
  wg pubkey </etc/mesh/key
}

# The boot file, from standard input.
write() {
  cat >/etc/mesh/up.new
  mv /etc/mesh/up.new /etc/mesh/up
}

# Writes the boot file, has it run at boot, and runs it.
install() {
  write
  cat >/etc/systemd/system/mesh.service <<'END'
[Unit]
Before=network-pre.target
Wants=network-pre.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -e /etc/mesh/up

[Install]
WantedBy=multi-user.target
END
  systemctl --quiet enable mesh.service
  sh -e /etc/mesh/up
}

# What is there, for the operator to compare.
check() {
  wg show all allowed-ips
  ip -brief address show
  ip route show proto 112
  ip -6 route show proto 112
}

# As it was found.
remove() {
  systemctl --quiet disable mesh.service 2>/dev/null || :
  for name in $(wg show interfaces); do ip link delete dev "$name"; done
  # wireguard-go ends a moment after its device.
  tries=0
  while [ -n "$(wg show interfaces)" ] && [ $tries -lt 50 ]; do
    tries=$((tries + 1))
    sleep 0.1
  done
  rm -rf /etc/mesh /etc/systemd/system/mesh.service
  systemctl daemon-reload
}
