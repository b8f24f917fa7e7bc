#!/usr/bin/env bats
# shellcheck disable=SC2016 # what stands in single quotes is for the shells under test
# The agents with the real ip, nft and wg, in a network namespace of their own, under each shell that is here.

bats_require_minimum_version 1.5.0

setup() {
  steps=$BATS_TEST_TMPDIR/agent.sh
  agents=$BATS_TEST_DIRNAME/../../../sdk/host/agents
  etc=$BATS_TEST_TMPDIR/etc run=$BATS_TEST_TMPDIR/run
  mkdir -p "$etc/boot.d" "$run"
  (cd "$agents" && cat networkd.sh steps.sh batches.sh verbs.sh files.sh rosenpass/psk.sh rosenpass/keys.sh) >"$steps" # sdk/host/agents.ts
}

# Root makes namespaces as it is, others as root of a user namespace.
in_namespace() {
  if [ "$(id -u)" = 0 ]; then unshare --net --mount "$@"; else unshare --map-root-user --net --mount "$@"; fi
}

# in_each_shell SCRIPT: once for each shell; SCRIPT finds the agents loaded.
in_each_shell() {
  for shell in dash 'bash --posix' 'busybox ash'; do
    command -v "${shell%% *}" >/dev/null || continue
    echo "# $shell"
    rm -rf "$etc" "$run" && mkdir -p "$etc/boot.d" "$run"
    # shellcheck disable=SC2086
    in_namespace $shell -euc ". '$agents/session.sh'; . '$agents/snapshot.sh'; . '$steps'
      overlay_etc='$etc' overlay_run='$run' overlay_networkd='$run/networkd'
      mount -t sysfs sysfs /sys # the one of this namespace
      must_fail() { if steps stop; then echo 'no failure' && exit 1; fi; }
      report() { printf '%s: %s [%s]\n' \"\$failed_line\" \"\$said\" \"\$failed_code\"; }
      $1"
  done
}

@test "lines of ip become devices, addresses, routes and rules" {
  in_each_shell '
    steps stop <<EOT
ip link add dev a type veth peer name b
ip link set dev a mtu 1420 group 28417 addrgenmode none alias overlay:net/prod:a-b
ip link set dev a up
ip link set dev b up
ip addr add fe80::2/64 dev a
ip -6 rule add pref 5111 not fwmark 0x6f/0xff lookup 111
ip route add 10.0.0.1/32 dev a proto 111 metric 4096
EOT
    [ "$(cat /sys/class/net/a/ifalias)" = overlay:net/prod:a-b ]
    [ "$(cat /sys/class/net/a/netdev_group)" = 28417 ]
    [ "$(ip -6 rule show pref 5111)" = "5111:	not from all fwmark 0x6f/0xff lookup 111" ]
    ip route show proto 111 | grep -q "^10.0.0.1 dev a .*metric 4096"
    ip addr show dev a | grep -q "fe80::2/64"'
}

@test "the first line that fails is named, and nothing after it is done" {
  in_each_shell '
    must_fail <<EOT
ip link add dev a type veth peer name b
ip link add dev a type veth peer name c
ip link add dev d type veth peer name e
EOT
    [ "$(report)" = "ip link add dev a type veth peer name c: RTNETLINK answers: File exists [1]" ]
    [ -d /sys/class/net/a ] && [ ! -d /sys/class/net/d ]'
}

@test "at boot a line of nft that is wrong is left out, and the others are there" {
  in_each_shell '
    left=$(steps boot 2>/dev/null <<EOT
nft add table inet overlay
nft add chain inet overlay guard { type filter hook postrouting priority 300 ; policy accept ; }
nft add rule inet overlay guard garbage
nft add rule inet overlay guard jump nowhere
nft add rule inet overlay guard counter
EOT
)
    [ "$left" = "nft add rule inet overlay guard garbage
nft add rule inet overlay guard jump nowhere" ]
    [ "$(nft list chain inet overlay guard | grep -c counter)" = 1 ]'
}

@test "lines of nft are one transaction, and the one that fails is named" {
  in_each_shell '
    must_fail <<EOT
nft add table inet overlay
nft add chain inet overlay guard { type filter hook postrouting priority 300 ; policy accept ; }
nft add rule inet overlay guard jump nowhere
EOT
    report | grep -q "^nft add rule inet overlay guard jump nowhere: "
    [ -z "$(nft list tables)" ]'
}

@test "lines of bridge are one batch, which knows what is there already, and the one that fails is named" {
  in_each_shell '
    mac=02:00:00:64:00:01
    twice() {
      cat <<EOT
ip link add dev vx type vxlan id 100 dstport 4789 ttl 64 local 10.255.0.2 nolearning
ip link set dev vx mtu 1370 group 28418
ip link set dev vx up
ip neigh replace 10.100.0.1 lladdr $mac dev vx nud permanent
bridge fdb append 00:00:00:00:00:00 dev vx dst 10.255.0.1
bridge fdb append 00:00:00:00:00:00 dev vx dst 10.255.0.3
bridge fdb replace $mac dev vx dst 10.255.0.1
ip link add dev br0 type bridge stp_state 0
ip link set dev vx master br0
ip link set dev vx type bridge_slave isolated on
EOT
    }
    twice | steps stop
    left=$(twice | steps boot 2>/dev/null)
    [ -z "$left" ]
    bridge fdb show dev vx | grep " dst " | sort >"$overlay_run/fdb"
    printf "%s\n" "00:00:00:00:00:00 dst 10.255.0.1 self permanent" "00:00:00:00:00:00 dst 10.255.0.3 self permanent" \
      "$mac dst 10.255.0.1 self permanent" >"$overlay_run/wanted"
    sed "s/ *$//" "$overlay_run/fdb" | diff - "$overlay_run/wanted"
    must_fail <<EOT
bridge fdb append 00:00:00:00:00:00 dev vx dst 10.255.0.9
bridge fdb del 02:00:00:64:00:09 dev vx dst 10.255.0.9
bridge fdb append 00:00:00:00:00:00 dev vx dst 10.255.0.10
EOT
    report | grep -q "^bridge fdb del 02:00:00:64:00:09 dev vx dst 10.255.0.9: .*No such file"
    bridge fdb show dev vx | grep -q 10.255.0.9
    ! bridge fdb show dev vx | grep -q 10.255.0.10'
}

@test "a route that another device of ours still has stands behind it until that one goes; one of others is not joined" {
  in_each_shell '
    for name in va vb; do
      printf "%s\n" "ip link add dev $name type veth peer name $name.peer" "ip link set dev $name up" \
        "ip link set dev $name.peer up" "ip addr add 10.255.0.1/32 dev $name" "ip addr add fd00:6f::1/128 dev $name"
    done | steps stop
    for route in "10.255.0.3/32 dev % proto 111 metric 4096 src 10.255.0.1" "fd00:6f::3/128 dev % proto 111 metric 4096 src fd00:6f::1"; do
      for name in va vb; do echo "ip route add $route" | sed "s/%/$name/"; done | steps stop
      ip route get "${route%%/*}" | grep -q "dev va"
      must_fail <<EOT
ip route add $(echo "$route" | sed "s/%/vb/")
EOT
      echo "ip route del $route" | sed "s/%/va/" | steps stop
      ip route get "${route%%/*}" | grep -q "dev vb"
    done
    ip route add 10.9.0.0/16 dev va metric 4096
    must_fail <<EOT
ip route add 10.9.0.0/16 dev vb proto 111 metric 4096
EOT
    report | grep -q "^ip route add 10.9.0.0/16 dev vb proto 111 metric 4096: .*File exists"'
}

@test "a sysctl keeps the value found first, and restore brings it back" {
  in_each_shell '
    before=$(cat /proc/sys/net/ipv4/ip_local_port_range)
    steps stop <<EOT
sysctl -w net/ipv4/ip_local_port_range=20000 30000
sysctl -w net/ipv4/ip_local_port_range=20000 40000
EOT
    [ "$(cat /proc/sys/net/ipv4/ip_local_port_range)" = "20000	40000" ]
    [ "$(cat "$overlay_etc/found/net/ipv4/ip_local_port_range")" = "$before" ]
    steps stop <<EOT
restore sysctl net/ipv4/ip_local_port_range
restore sysctl net/ipv4/ip_local_port_range
EOT
    [ "$(cat /proc/sys/net/ipv4/ip_local_port_range)" = "$before" ]
    [ ! -e "$overlay_etc/found" ]'
}

@test "a sysctl of our own device leaves no record, one of another device does" {
  in_each_shell '
    steps stop <<EOT
ip link add dev a.1 type veth peer name b
ip link set dev a.1 group 28417
sysctl -w net/ipv4/conf/a.1/rp_filter=2
sysctl -w net/ipv4/conf/b/rp_filter=2
EOT
    [ "$(cat /proc/sys/net/ipv4/conf/a.1/rp_filter)" = 2 ]
    [ ! -e "$overlay_etc/found/net/ipv4/conf/a.1" ]
    [ -e "$overlay_etc/found/net/ipv4/conf/b/rp_filter" ]'
}

@test "a sysctl of our own device, which stays, is restored to what a new device has" {
  in_each_shell '
    setting=net/ipv4/conf/a.1/forwarding
    for value in 0 1; do
      echo "$value" >/proc/sys/net/ipv4/conf/default/forwarding
      steps stop <<EOT
ip link add dev a.1 type veth peer name b
ip link set dev a.1 group 28417
sysctl -w $setting=$((1 - value))
EOT
      [ "$(cat "/proc/sys/$setting")" = $((1 - value)) ]
      echo "restore sysctl $setting" | steps stop
      [ "$(cat "/proc/sys/$setting")" = "$value" ]
      steps stop <<EOT
ip link delete dev a.1
restore sysctl $setting
restore sysctl net/ipv4/conf/lo/forwarding
EOT
    done'
}

@test "a sysctl that is not there fails with its line" {
  in_each_shell '
    must_fail <<EOT
sysctl -w net/ipv4/conf/nowhere/rp_filter=2
EOT
    report | grep -q "^sysctl -w net/ipv4/conf/nowhere/rp_filter=2: .*No such file"'
}

@test "put writes content and mode, remove takes file and empty folders" {
  printf ' a\n\t\n$(touch oops) "b"  \\n%%s' >"$BATS_TEST_TMPDIR/content"
  in_each_shell "
    steps stop <<'EOT'
put 0640 $etc/x/y  a\\n	\\n\$(touch oops) \"b\"  \\\\n%s
put 0600 $etc/x/empty 
put 0644 $etc/x/y2 once
put 0755 $etc/x/y2 twice
EOT
    [ \"\$(stat -c %a%F $etc/x/y)\" = '640regular file' ]
    cmp $etc/x/y $BATS_TEST_TMPDIR/content
    [ \"\$(stat -c %a $etc/x/y2)\$(cat $etc/x/y2)\" = 755twice ]
    [ \"\$(stat -c %s%a $etc/x/empty)\" = 0600 ]
    [ -z \"\$(find $etc -name '*overlay-new')\" ]
    steps stop <<EOT
remove $etc/x/y
remove $etc/x/y2
remove $etc/x/empty
remove $etc/x/never-there
EOT
    [ ! -e $etc/x ]"
}

@test "files and keys take their places together, or one by one where that breaks off; what who was killed left is written anew" {
  mkdir "$BATS_TEST_TMPDIR/bin"
  # shellcheck disable=SC2016
  printf '#!/bin/sh\necho "$*" >>"$SAID"\n[ -z "$BREAKS" ] || { mv "$3" "${3%%.overlay-new}" && exit 2; }\nexec %s "$@"\n' \
    "$(command -v rename.ul || echo false)" >"$BATS_TEST_TMPDIR/bin/rename.ul"
  chmod +x "$BATS_TEST_TMPDIR/bin/rename.ul"
  in_each_shell "
    export SAID=$run/said BREAKS PATH=$BATS_TEST_TMPDIR/bin:\$PATH
    for BREAKS in '' yes; do
      mkdir $etc/a && echo left >$etc/a/secret.overlay-new && chmod 644 $etc/a/secret.overlay-new
      steps stop <<EOT
put 0644 $etc/a/first one
put 0600 $etc/a/secret two
genkey $etc/a/key
put 0755 $etc/b/last three
EOT
      [ \"\$(cat $etc/a/first $etc/a/secret $etc/b/last)\" = onetwothree ] && wg pubkey <$etc/a/key >/dev/null
      [ \"\$(stat -c %a $etc/a/first $etc/a/secret $etc/a/key $etc/b $etc/b/last | tr '\n' ' ')\" = '644 600 600 755 755 ' ]
      [ \"\$(grep -c . $run/said)\" = 1 ] && [ -z \"\$(find $etc -name '*overlay-new')\" ]
      rm -r $etc/a $etc/b $run/said
    done"
}

@test "put on a full disk fails, keeps the old file and leaves nothing beside it" {
  content=$(head -c 80000 /dev/zero | tr '\0' a)
  in_each_shell "
    mkdir $etc/full && mount -t tmpfs -o size=16k tmpfs $etc/full
    echo old >$etc/full/file
    must_fail <<EOT
put 0644 $etc/full/before first
put 0644 $etc/full/file $content
put 0644 $etc/full/never last
EOT
    report | grep -q '^put 0644 $etc/full/file: .*No space left on device'
    [ \"\$(echo \$(ls $etc/full))\" = 'before file' ] && [ \"\$(cat $etc/full/file)\" = old ]"
}

@test "put on a read-only file system fails with the reason" {
  in_each_shell "
    mkdir $etc/ro && mount -t tmpfs -o ro tmpfs $etc/ro
    must_fail <<EOT
put 0644 $etc/ro/new/file hi
EOT
    report | grep -q '^put 0644 $etc/ro/new/file: .*Read-only file system'
    echo 'one two' | { read -r one two && [ \"\$two\" = two ]; }"
}

@test "lines of wg for a device are one process of it, and units are enabled together; what is wrong is named" {
  mkdir "$BATS_TEST_TMPDIR/bin"
  for tool in wg systemctl; do
    printf '#!/bin/sh\necho "%s $*" >>"$SAID"\ncase $* in *bad*) echo no >&2 && exit 1 ;; esac\n' $tool >"$BATS_TEST_TMPDIR/bin/$tool"
  done
  chmod +x "$BATS_TEST_TMPDIR/bin/"*
  in_each_shell '
    export SAID=$overlay_run/said PATH='"$BATS_TEST_TMPDIR/bin"':$PATH
    all="systemctl enable one.service
systemctl enable two.service
wg set a listen-port 11002 fwmark 0x6f
wg set a peer A= allowed-ips ::/0 endpoint [2001:db8::1]:1
wg set a peer B= remove
wg set a peer C= endpoint name.example:11002
wg set b peer A= allowed-ips 10.0.0.1/32
systemctl start three.service
systemctl disable --now one.service
systemctl disable --now two.service"
    echo "$all" | steps stop
    cat >"$overlay_run/wanted" <<EOT
systemctl --root=/ enable one.service two.service
wg set a listen-port 11002 fwmark 0x6f peer A= allowed-ips ::/0 endpoint [2001:db8::1]:1 peer B= remove
wg set a peer C= endpoint name.example:11002
wg set b peer A= allowed-ips 10.0.0.1/32
systemctl start three.service
systemctl --no-reload disable --now one.service two.service
systemctl daemon-reload
EOT
    cmp "$SAID" "$overlay_run/wanted"
    rm "$SAID"
    must_fail <<EOT
wg set a peer A= remove
wg set a peer bad
wg set a peer C= remove
systemctl enable never.service
EOT
    [ "$(report)" = "wg set a peer bad: no [1]" ]
    [ "$(tail -n 1 "$SAID")" = "wg set a peer bad" ]
    rm "$SAID"
    [ "$(echo "$all" | sed s/B=/bad/ | steps boot 2>/dev/null)" = "wg set a peer bad remove" ]
    grep -q "^wg set a peer A= .*:1$" "$SAID" && grep -q "^wg set b " "$SAID"'
}

@test "systemd is to read all units anew only where it has one of those loaded whose files have changed" {
  mkdir "$BATS_TEST_TMPDIR/bin"
  printf '#!/bin/sh\necho "$*" >>"$SAID"\ncase $* in list-units*"$LOADED"*) echo "$LOADED" ;; esac\n' >"$BATS_TEST_TMPDIR/bin/systemctl"
  chmod +x "$BATS_TEST_TMPDIR/bin/systemctl"
  in_each_shell '
    export SAID=$overlay_run/said PATH='"$BATS_TEST_TMPDIR/bin"':$PATH
    mount -t tmpfs tmpfs /etc/systemd/system
    for LOADED in none other.service; do
      export LOADED
      steps stop <<EOT
put 0644 /etc/systemd/system/one@.service [Service]
put 0644 /etc/systemd/system/other.service.d/50-overlay.conf [Service]
remove /etc/systemd/system/two.service
EOT
    done
    all="list-units --all --plain --no-legend two.service one@*.service other.service"
    [ "$(sed "s/legend .*/legend/" "$SAID")" = "$(printf "%s\n" "${all%% two*}" "${all%% two*}" daemon-reload)" ]
    for name in one@*.service other.service two.service; do [ "$(grep -c -F " $name" "$SAID")" = 2 ]; done'
}

@test "genkey makes a key once, for root only, and never prints it" {
  in_each_shell "
    [ -z \"\$(echo 'genkey $etc/keys/wireguard.key' | steps stop 2>&1)\" ]
    first=\$(cat $etc/keys/wireguard.key)
    [ \${#first} = 44 ] && [ \"\$(stat -c %a $etc/keys $etc/keys/wireguard.key | tr '\n' ' ')\" = '700 600 ' ]
    echo 'genkey $etc/keys/wireguard.key' | steps stop
    [ \"\$(cat $etc/keys/wireguard.key)\" = \"\$first\" ]"
}

@test "keepkey keeps the key of a device for good, makes one where there is none, and never prints it" {
  in_each_shell "
    kept() { echo \"keepkey $etc/keys/\$1.key \$1\" | steps stop; }
    mkdir $etc/bin && printf '#!/bin/sh\ncase \$1 in show) echo \$KEY ;; *) exec %s \$* ;; esac\n' \"\$(command -v wg)\" >$etc/bin/wg
    chmod +x $etc/bin/wg && PATH=$etc/bin:\$PATH
    ip link add wg0 type veth peer name wg1
    export KEY=\$(wg genkey)
    [ -z \"\$(kept wg0 2>&1)\" ] && [ \"\$(cat $etc/keys/wg0.key)\" = \"\$KEY\" ]
    first=\$KEY KEY='(none)'
    kept wg0 && [ \"\$(cat $etc/keys/wg0.key)\" = \"\$first\" ]
    for other in wg1 wg2; do
      kept \$other && [ \"\$(wc -c <$etc/keys/\$other.key)\" = 45 ] && ! grep -q \"\$first\" $etc/keys/\$other.key
    done"
}

@test "what is retired is kept under another name, and so is what was retired before" {
  in_each_shell "
    for content in one two; do
      echo \$content >$etc/wg0.conf
      echo 'retire $etc/wg0.conf' | steps stop
    done
    echo 'retire $etc/wg0.conf' | steps stop
    [ \"\$(cat $etc/wg0.conf.before-overlay $etc/wg0.conf.before-overlay.~1~ | tr '\n' ' ')\" = 'two one ' ]
    [ ! -e $etc/wg0.conf ]"
}

@test "a key file that holds none is named, kept, and never shown; an empty one is filled" {
  in_each_shell "
    mkdir $etc/keys && echo HUSH+4AgmKV/uo0QU5wj5VmGGyzTgfYb9ebEs3bhHo= >$etc/keys/broken
    for command in 'wg set wg0 private-key $etc/keys/broken' 'genkey $etc/keys/broken'; do
      must_fail <<EOT
\$command
EOT
      report | grep -q '^\(wg set\|genkey\) .*Key is not the correct length or format'
      if report | grep HUSH; then exit 1; fi
    done
    [ \"\$(cut -c 1-4 $etc/keys/broken)\" = HUSH ]
    : >$etc/keys/empty
    echo 'genkey $etc/keys/empty' | steps stop
    [ \"\$(wc -c <$etc/keys/empty)\" = 45 ]"
}

@test "one wireguard-go that hangs is missing in a look, and no other; no key is shown" {
  mkdir "$BATS_TEST_TMPDIR/bin"
  cat >"$BATS_TEST_TMPDIR/bin/wg" <<'EOT'
#!/bin/sh
case $* in
  'show interfaces') echo stuck well ;;
  'show well dump') printf 'HUSH\tPUB=\t11002\t0x6f\nPEER=\tHUSH\t(none)\t::/0\t0\t0\t0\toff\n' ;;
  *) exec sleep 100 ;;
esac
EOT
  chmod +x "$BATS_TEST_TMPDIR/bin/wg"
  in_each_shell "
    PATH=$BATS_TEST_TMPDIR/bin:\$PATH
    timeout() { shift && command timeout 0.3 \"\$@\"; }
    set +e # as a snapshot has it
    mount -t tmpfs run /run && mkdir /run/wireguard && : >/run/wireguard/stuck.sock
    wg_dump >$run/seen
    printf 'well\t(hidden)\tPUB=\t11002\t0x6f\nwell\tPEER=\t(hidden)\t(none)\t::/0\t0\t0\t0\toff\n' >$run/wanted
    cmp $run/seen $run/wanted || exit 1"
}

@test "what a line says is never run by a shell" {
  in_each_shell "
    cd $etc
    steps boot >missed 2>/dev/null <<'EOT'
ip link set dev \$(touch${IFS}oops) up
systemctl \`touch oops\` *
wg set a;touch oops
frob >oops
EOT
    [ ! -e oops ] && grep -qx 'frob >oops' missed"
}

@test "an unknown verb is an error" {
  in_each_shell '
    must_fail <<EOT
rm -rf /nowhere
EOT
    [ "$(report)" = "rm -rf /nowhere: steps.sh has no verb \"rm\" [1]" ]'
}

@test "boot: what exists is no failure, what fails is printed, the rest is done" {
  in_each_shell '
    lines="ip link add dev a type veth peer name b
ip link set dev a group 28417
ip link set dev a up
ip addr add 10.0.0.2/32 dev a
ip addr add fd00::2/128 dev a
ip route add 10.9.0.0/16 dev gone proto 111 metric 4096
ip route add unreachable 10.8.0.0/16 proto 111 metric 4294967295
ip rule add pref 5111 not fwmark 0x6f/0xff lookup 111
nft add table inet overlay
nft add map inet overlay guard { type inet_service : counter ; }
nft add chain inet overlay guard { type filter hook postrouting priority 300 ; policy accept ; }
nft add rule inet overlay guard meta mark & 0xff == 0x6f counter
nft add counter inet overlay a
nft add element inet overlay guard { 11002 : \"a\" }
sysctl -w net/ipv4/conf/a/rp_filter=2"
    for time in first second; do
      printf "%s\n" "$lines" | steps boot >"$overlay_run/missed" 2>/dev/null
      [ "$(cat "$overlay_run/missed")" = "ip route add 10.9.0.0/16 dev gone proto 111 metric 4096" ]
    done
    [ "$(nft list chain inet overlay guard | grep -c "meta mark")" = 1 ]
    [ "$(ip rule show pref 5111 | wc -l)" = 1 ]
    [ "$(ip route show 10.8.0.0/16)" = "unreachable 10.8.0.0/16 proto 111 metric 4294967295 " ]
    [ "$(cat /proc/sys/net/ipv4/conf/a/rp_filter)" = 2 ]'
}

@test "boot.sh: early does what it can, late the rest as soon as it holds" {
  mkdir "$BATS_TEST_TMPDIR/bin"
  cp "$agents/boot.sh" "$BATS_TEST_TMPDIR/bin"
  printf '. "%s"\noverlay_etc="%s" overlay_run="%s" overlay_networkd="%s"\n' \
    "$steps" "$etc" "$run" "$run/networkd" >"$BATS_TEST_TMPDIR/bin/steps.sh"
  in_each_shell "
    boot() { $BATS_TEST_TMPDIR/bin/boot.sh \"\$@\" 2>&1; }
    printf '# project::x\nip link add dev a type veth peer name b\nip link set dev a up\n' >$etc/boot.d/10-node
    printf '# project::y\nip route add 10.9.0.0/16 dev eth0 proto 111 metric 4096\nsysctl -w net/ipv4/conf/a/rp_filter=2\n' >$etc/boot.d/50-y
    echo garbage >$etc/boot.d/50-z.overlay-new
    boot early
    [ \"\$(cat $run/boot.todo)\" = 'ip route add 10.9.0.0/16 dev eth0 proto 111 metric 4096
sysctl -w net/ipv4/conf/a/rp_filter=2' ]
    echo 1 >/proc/sys/net/ipv4/conf/a/rp_filter # as udev may do
    (sleep 1; ip link add eth0 type veth peer name eth1; ip link set eth0 up) &
    boot late
    wait
    [ -n \"\$(ip route show 10.9.0.0/16)\" ] && [ \"\$(cat /proc/sys/net/ipv4/conf/a/rp_filter)\" = 2 ]
    [ -e $run/boot.todo ] && [ ! -s $run/boot.todo ]"
}

@test "boot.sh early leaves a host alone that a change over SSH is at work on" {
  mkdir "$BATS_TEST_TMPDIR/bin"
  cp "$agents/boot.sh" "$BATS_TEST_TMPDIR/bin"
  printf '. "%s"\noverlay_etc="%s" overlay_run="%s" overlay_networkd="%s"\n' \
    "$steps" "$etc" "$run" "$run/networkd" >"$BATS_TEST_TMPDIR/bin/steps.sh"
  in_each_shell "
    echo 'ip link add dev a type veth peer name b' >$etc/boot.d/10-node
    exec 8>$run/lock
    flock 8
    $BATS_TEST_TMPDIR/bin/boot.sh early && $BATS_TEST_TMPDIR/bin/boot.sh late
    [ ! -d /sys/class/net/a ]"
}

@test "a script that was cut off does nothing" {
  for shell in dash 'bash --posix' 'busybox ash'; do
    command -v "${shell%% *}" >/dev/null || continue
    whole=$(printf "{ frame MARK touch_it <<'MARK'\nsome input\nMARK\n}\n")
    cut=$((${#whole} - 1))
    while [ "$cut" -gt 0 ]; do
      # shellcheck disable=SC2086
      { cat "$agents/session.sh" && echo "touch_it() { touch $run/touched; }" && printf %s "${whole:0:cut}"; } | $shell >/dev/null 2>&1 || true
      [ ! -e "$run/touched" ] || { echo "$shell ran it after $cut characters" && false; }
      cut=$((cut - 4))
    done
    # shellcheck disable=SC2086
    { cat "$agents/session.sh" && echo "touch_it() { touch $run/touched; }" && printf '%s\n' "$whole"; } | $shell
    [ -e "$run/touched" ] && rm "$run/touched"
  done
}

@test "what nobody confirms is taken back, also where a line of it fails; what is confirmed stays" {
  in_each_shell '
    { sed "s|^overlay_run=.*|overlay_run=$overlay_run|" '"'$steps'"'; cat '"'$agents/undo.sh'"'; } >"$overlay_run/undo.sh"
    ip link add dev a type veth peer name b
    for id in 1 2; do
      mkdir "$overlay_run/undo.$id"
      printf "%s\n" "ip link delete dev nothing" "ip link set dev a mtu 1400" >"$overlay_run/undo.$id/commands"
    done
    mv "$overlay_run/undo.1/commands" "$overlay_run/undo.1/kept"
    (set -- "$overlay_run/undo.1" 0 && . "$overlay_run/undo.sh")
    [ "$(cat /sys/class/net/a/mtu)" = 1500 ]
    (set -- "$overlay_run/undo.2" 0 && . "$overlay_run/undo.sh") 2>"$overlay_run/said"
    [ "$(cat /sys/class/net/a/mtu)" = 1400 ] && [ ! -d "$overlay_run/undo.2" ]
    grep -q "no new login has confirmed" "$overlay_run/said" && grep -q "ip link delete dev nothing: " "$overlay_run/said"'
}
