# shellcheck shell=sh
# So many links of a host with another, in user space: choose.sh COUNT OWN-ID PEER-ID PEER-ADDRESS <KEYS, the peer's public keys,
# one a line. Each device has a key of its own; prints their public keys.
set -eu
for number in $(seq "$1"); do
  systemctl start "overlay-wireguard-go@many$number" &
  [ $((number % 10)) != 0 ] || wait
done
wait
for number in $(seq "$1"); do
  [ -e "/run/many$number" ] || (umask 077 && wg genkey >"/run/many$number")
  port=$((20000 + number))
  wg set "many$number" listen-port $port fwmark 0x6f private-key "/run/many$number"
  ip link set "many$number" mtu 1420 group 28417 up
  ip addr replace "fe80::$2/64" dev "many$number"
  if read -r key; then
    wg set "many$number" peer "$key" allowed-ips 0.0.0.0/0,::/0 endpoint "$4:$port" persistent-keepalive 25
  fi
  wg pubkey <"/run/many$number"
done
