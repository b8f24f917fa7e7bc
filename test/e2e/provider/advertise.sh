#!/bin/sh
# advertise.sh kernel|networkd: a router on a network of the host's own, which says that it is the way to everything
# (RFC 4861, 4.2), and who on the host listens to it. Perl is what each Debian has.
set -eu
if [ "$1" = networkd ]; then
  # Of the metric of the host's static default route it would become one more way of that.
  printf '[Match]\nName=uplink\n[Network]\nIPv6AcceptRA=yes\n[IPv6AcceptRA]\nRouteMetric=2048\n' >/run/systemd/network/10-uplink.network
  networkctl reload
fi
ip netns add router
ip link add dev uplink type veth peer name router0 netns router
ip link set dev uplink up
ip -n router link set dev router0 up
[ "$1" = networkd ] || sysctl -q -w net.ipv6.conf.uplink.accept_ra=1
settled() { [ -z "$(ip -6 addr show dev uplink tentative)$(ip -n router -6 addr show dev router0 tentative)" ]; }
for _ in 1 2 3 4 5 6 7 8 9 10; do settled || sleep 0.5; done
advertise() {
  # shellcheck disable=SC2016 # perl's
  ip netns exec router perl -MSocket=:all -e '
    socket(my $raw, AF_INET6, SOCK_RAW, 58) or die "socket: $!";
    setsockopt($raw, 41, 18, pack("i", 255)) or die "hops: $!";
    my ($index) = `cat /sys/class/net/router0/ifindex`;
    setsockopt($raw, 41, 17, pack("i", $index)) or die "interface: $!";
    # Type 134, a lifetime of 1800 s; the kernel writes the checksum.
    my $advertisement = pack("CCnCCnNN", 134, 0, 0, 64, 0, 1800, 0, 0);
    send($raw, $advertisement, 0, pack_sockaddr_in6(0, inet_pton(AF_INET6, "ff02::1"))) or die "send: $!";'
}
for _ in 1 2 3 4 5 6 7 8 9 10; do
  advertise
  sleep 0.2
  [ -z "$(ip -6 route show default dev uplink proto ra)" ] || exit 0
done
echo "no default route came by router advertisement" >&2
exit 1
