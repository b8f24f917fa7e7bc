#!/usr/bin/env bats
# overlay-host: what it makes of boot files, which needs no kernel.

bats_require_minimum_version 1.5.0

setup() {
  steps=$BATS_TEST_TMPDIR/agent.sh
  agents=$BATS_TEST_DIRNAME/../../../sdk/host/agents
  golden=$BATS_TEST_DIRNAME/../../golden
  etc=$BATS_TEST_TMPDIR/etc run=$BATS_TEST_TMPDIR/run
  mkdir -p "$etc/boot.d" "$run"
  (cd "$agents" && cat networkd.sh steps.sh batches.sh verbs.sh files.sh) >"$steps" # sdk/host/agents.ts
}

# with_agents SCRIPT
with_agents() {
  dash -euc ". '$steps'; . '$agents/generations.sh'; . '$agents/console/turn.sh'; . '$agents/console/export.sh'
    overlay_etc='$etc' overlay_run='$run' overlay_networkd='$run/networkd'
    $(sed -n '/^boot_lines() (/,/^)/p' "$agents/console/main.sh")
    $1"
}

# turned SED: what leads from the boot files of a node with two links to the same, edited by sed.
turned() {
  cat >"$etc/boot.d/10-node" <<'EOT'
# overlay:node:Host::lux
sysctl -w net/ipv4/ip_forward=1
nft add table inet overlay
nft add chain inet overlay guard { type filter hook postrouting priority 300 ; policy accept ; }
nft add rule inet overlay guard counter drop
nft insert rule inet filter input udp dport 11002 accept comment "overlay:net/prod:lux"
EOT
  for link in fra hkg; do
    cat >"$etc/boot.d/50-$link" <<EOT
# overlay:wireguard:Interface::$link
ip link add dev $link type wireguard
ip link set dev $link mtu 1420
sysctl -w net/ipv4/conf/$link/rp_filter=2
wg set $link listen-port 11002 fwmark 0x6f private-key /etc/overlay/keys/wireguard.key
wg set $link peer $link= allowed-ips 0.0.0.0/0 endpoint 192.0.2.7:11001 persistent-keepalive 25
ip addr add 10.255.0.1/32 dev $link
ip route add 10.255.0.2/32 dev $link proto 111 metric 4096 src 10.255.0.1
nft add counter inet overlay link-$link
nft add element inet overlay guard { 1100 : "link-$link" }
EOT
  done
  rm -rf "$etc/new" && cp -r "$etc/boot.d" "$etc/new"
  sed -i "$1" "$etc"/new/*
  find "$etc/new" -empty -delete
  with_agents "turn '$etc/boot.d' '$etc/new'"
}

@test "the same boot files ask for nothing; a changed setting, address or route for itself alone" {
  [ -z "$(turned '')" ]
  [ "$(turned 's/^ip link set dev fra mtu 1420/ip link set dev fra mtu 1380/')" = '+ ip link set dev fra mtu 1380' ]
  diff - <(turned 's/10.255.0.1\(.*\)fra/10.255.0.9\1fra/; s/fra\(.*\)src 10.255.0.1/fra\1src 10.255.0.9/') <<'EOT'
- ip route del 10.255.0.2/32 dev fra proto 111 metric 4096 src 10.255.0.1
- ip addr del 10.255.0.1/32 dev fra
+ ip addr add 10.255.0.9/32 dev fra
+ ip route add 10.255.0.2/32 dev fra proto 111 metric 4096 src 10.255.0.9
EOT
  [ "$(turned 's/^nft insert rule inet filter input udp dport 11002.*//')" = \
    '- nft delete rule inet filter input udp dport 11002 accept comment "overlay:net/prod:lux"' ]
  [ "$(turned '/ip_forward/d')" = '- restore sysctl net/ipv4/ip_forward' ]
}

@test "a peer stays where it can be told, and is made again where something of it goes" {
  peer='wg set fra peer fra= allowed-ips 0.0.0.0/0'
  [ "$(turned '/peer fra/s/11001/500/')" = "+ $peer endpoint 192.0.2.7:500 persistent-keepalive 25" ]
  [ "$(turned '/peer fra/s/ persistent.*//')" = "- wg set fra peer fra= remove
+ $peer endpoint 192.0.2.7:11001" ]
  [ "$(turned '/peer fra/s/ endpoint [^ ]*//')" = "- wg set fra peer fra= remove
+ $peer persistent-keepalive 25" ]
  [ "$(turned '/peer fra/d')" = '- wg set fra peer fra= remove' ]
}

@test "a link that goes takes with it what stands on it, and nothing of another one" {
  diff - <(turned '/^# .*fra$/d; /[ /]fra[ /]\|[ -]fra$\|-fra"/d') <<'EOT'
- nft delete element inet overlay guard { 1100 }
- nft delete counter inet overlay link-fra
- ip link delete dev fra
EOT
}

@test "a table that is another is made again with all that stands in it" {
  diff - <(turned 's/counter drop/drop/') <<'EOT'
- nft delete table inet overlay
+ nft add table inet overlay
+ nft add chain inet overlay guard { type filter hook postrouting priority 300 ; policy accept ; }
+ nft add rule inet overlay guard drop
+ nft add counter inet overlay link-fra
+ nft add element inet overlay guard { 1100 : "link-fra" }
+ nft add counter inet overlay link-hkg
+ nft add element inet overlay guard { 1100 : "link-hkg" }
EOT
}

@test "a link without post-quantum keys loses the daemon, then the key; with them the daemon comes last" {
  mkdir -p "$etc/with" && cat >"$etc/with/50-fra" <<'EOT'
ip link add dev fra type wireguard
wg set fra peer fra= allowed-ips 0.0.0.0/0
EOT
  cp -r "$etc/with" "$etc/without"
  echo 'psk fra fra= permissive lux-fra' >"$etc/with/52-lux-fra"
  echo 'ip rule add pref 5109 ipproto udp sport 21001 lookup main' >"$etc/with/65-lux-fra"
  diff - <(with_agents "turn '$etc/with' '$etc/without'") <<'EOT'
- systemctl disable --now overlay-rosenpass@lux-fra.service
- ip rule del pref 5109 ipproto udp sport 21001 lookup main
- psk fra fra= none lux-fra
EOT
  diff - <(with_agents "turn '$etc/without' '$etc/with'") <<'EOT'
+ psk fra fra= permissive lux-fra
+ ip rule add pref 5109 ipproto udp sport 21001 lookup main
+ systemctl enable overlay-rosenpass@lux-fra.service
+ systemctl start overlay-rosenpass@lux-fra.service
EOT
  cp -r "$etc/with" "$etc/strict" && sed -i s/permissive/strict/ "$etc/strict/52-lux-fra"
  [ "$(with_agents "turn '$etc/with' '$etc/strict'")" = '+ psk fra fra= strict lux-fra' ]
  sed -i 's/^ip link.*/& mtu 1380/' "$etc/strict/50-fra"
  diff - <(with_agents "turn '$etc/strict' '$etc/with'") <<'EOT'
- ip link delete dev fra
+ ip link add dev fra type wireguard
+ wg set fra peer fra= allowed-ips 0.0.0.0/0
+ psk fra fra= permissive lux-fra
EOT
}

@test "a mesh is exported as one file of wg-quick, and the node as lines of a shell" {
  cp "$golden/node/lux.txt" "$etc/boot.d/10-node"
  sed -i '/^apt-get\|^install\|^wg genkey\|^systemctl/d' "$etc/boot.d/10-node"
  cp "$golden/mesh/lux.txt" "$etc/boot.d/50-mesh"
  with_agents 'uname() { echo lux; }; new_devices_have_ipv6() { :; }; host_export' >"$run/exported"
  dash -n "$run/exported"
  diff "$golden/console/lux.sh" "$run/exported"
  # Where IPv6 is off for new devices, wg-quick itself could not give them such an address.
  with_agents 'new_devices_have_ipv6() { false; }; host_export' >"$run/off"
  run -1 grep '^Address = .*:' "$run/off"
  grep -A 1 'disable_ipv6=0$' "$run/off" | grep -qx 'PostUp = ip addr add fd00:6f::1/128 dev %i'
}

@test "called wrongly it says how, and does nothing" {
  cat "$agents/console/usage.sh" "$agents/lock.sh" "$agents/console/main.sh" >"$run/overlay-host"
  run -2 dash "$run/overlay-host" restart
  [[ $output == *'it cannot "restart"'*'overlay-host rollback [NUMBER]'* ]]
  run -2 dash "$run/overlay-host" stop now
  run -2 dash "$run/overlay-host" rollback 3 4
  run -2 dash "$run/overlay-host" rollback ../keys
  run -2 dash "$run/overlay-host" --force stop
  run -0 dash "$run/overlay-host"
  [[ $output == *'Exit codes: '* ]]
}
