#!/bin/sh
# The overlay network of lux, without overlay: run this as root after `overlay-host stop` and
# `systemctl disable overlay-early overlay-late`. The private keys stay where the files below say. Where overlay itself
# is to be removed (pulumi destroy), copy them first and run this afterwards: devices of group 28417 and these tables
# would go with it. As long as it is there, two files of it stay active: after the next boot, a reload of nftables.service
# brings these tables back (/etc/systemd/system/nftables.service.d/50-overlay.conf), and networkd leaves routes and rules
# of others alone (/etc/systemd/networkd.conf.d/50-overlay.conf). wg-quick brings its links back at boot; the other lines
# are gone then, and belong with whatever sets up the rest of this host.
set -euC # a file that is there already is not written over
umask 077

nft 'add table inet overlay'
nft 'add map inet overlay guard { type inet_service : counter ; }'
nft 'add chain inet overlay clamp { type filter hook forward priority -150 ; policy accept ; }'
nft 'add chain inet overlay forward { type filter hook forward priority 0 ; policy accept ; }'
nft 'add chain inet overlay guard { type filter hook postrouting priority 300 ; policy accept ; }'
nft 'add chain inet overlay nested'
nft 'add rule inet overlay clamp iifgroup { 28417, 28418 } tcp flags syn tcp option maxseg size set rt mtu'
nft 'add rule inet overlay clamp oifgroup { 28417, 28418 } tcp flags syn tcp option maxseg size set rt mtu'
nft 'add rule inet overlay forward iifgroup 28417 oifgroup 28417 counter drop'
nft 'add rule inet overlay guard meta mark & 0xff == 0x6f oifgroup { 28417, 28418 } jump nested'
nft 'add rule inet overlay guard meta mark & 0xff == 0x6f meta oifkind { "amt", "bareudp", "erspan", "geneve", "gre", "gretap", "gtp", "ip6erspan", "ip6gre", "ip6gretap", "ip6tnl", "ipip", "ovpn", "sit", "tun", "vti", "vti6", "vxlan", "wireguard", "xfrm" } oifname != { "hetzner0", "tun0" } jump nested'
nft 'add rule inet overlay nested counter name udp sport map @guard drop'
nft 'add rule inet overlay nested counter drop'
sysctl -w 'net/ipv4/tcp_rmem=4096 131072 6291456'
sysctl -w 'net/ipv6/conf/eth0/accept_ra=2'
sysctl -w 'net/ipv4/ip_forward=1'
sysctl -w 'net/ipv6/conf/all/forwarding=1'
ip route add unreachable 10.255.0.0/24 proto 111 metric 4294967295
ip route add unreachable fd00:6f::/48 proto 111 metric 4294967295
ip rule add pref 5111 not fwmark 0x6f/0xff lookup 111
ip -6 rule add pref 5111 not fwmark 0x6f/0xff lookup 111
nft 'add counter inet overlay link-mesh'
nft 'add element inet overlay guard { 11001 : "link-mesh" }'

cat >/etc/wireguard/mesh.conf <<'EOT'
# /etc/wireguard/mesh.conf
[Interface]
Table = off
MTU = 1420
ListenPort = 11001
FwMark = 0x6f
Address = 10.255.0.1/32
Address = fd00:6f::1/128
Address = fe80::1/64
PostUp = ip link set dev %i group 28417
PostUp = wg set %i private-key /etc/overlay/keys/wireguard.key
PostUp = sysctl -w net/ipv4/conf/%i/rp_filter=2
PostUp = sysctl -w net/ipv6/conf/%i/accept_ra=0
PostUp = sysctl -w net/ipv6/conf/%i/disable_ipv6=0
PostUp = ip route add 192.168.7.0/24 dev %i table 111 proto 111 metric 4096 src 10.255.0.1
PostUp = ip route add fd07::/64 dev %i table 111 proto 111 metric 4096 src fd00:6f::1
PostUp = ip route add 10.255.0.2/32 dev %i proto 111 metric 4096 src 10.255.0.1
PostUp = ip route add 10.255.0.3/32 dev %i proto 111 metric 4096 src 10.255.0.1
PostUp = ip route add fd00:6f::2/128 dev %i proto 111 metric 4096 src fd00:6f::1
PostUp = ip route add fd00:6f::3/128 dev %i proto 111 metric 4096 src fd00:6f::1

[Peer]
PublicKey = Z/nQ151/XO7fH+SlX5Ri5Uf10wssuR5ZNx5DfPaOJiM=
AllowedIPs = 10.255.0.2/32,192.168.7.0/24,fd00:6f::2/128,fd07::/64
Endpoint = 198.51.100.9:11002
PersistentKeepalive = 25

[Peer]
PublicKey = uHmhAC1YycGGHZM+2jay84Rf+cUcB78Rulu/uUTpeFk=
AllowedIPs = 10.255.0.3/32,fd00:6f::3/128
EOT

systemctl enable --now wg-quick@mesh
