/** From what people write about nodes and a link to the words that both kernels are told. */
import * as pulumi from "@pulumi/pulumi";
import { OverlayNode, WgLink, type WgLinkArgs, WgMesh } from "../../components";
import { Declared, registered } from "./declare";

const lux = { id: 1, addresses: ["10.255.0.1", "fd00:6f::1"], endpoints: ["203.0.113.5", "2001:db8:1::5"] };
const fra = { id: 2, addresses: ["10.255.0.2", "fd00:6f::2"], endpoints: ["198.51.100.9", "2001:db8:2::9"] };
/** Behind a NAT: nobody can call it. */
const nas = { id: 9, addresses: ["10.255.0.9"] };

const both = () => new Declared().node("lux", lux).node("fra", fra);
const words = (lines: string, pattern: RegExp): string[] => lines.split("\n").filter((line) => pattern.test(line));
const peer = (lines: string) => words(lines, / peer /)[0];
const listens = (lines: string) => / listen-port (\d+)/.exec(lines)?.[1];
const mtu = (lines: string) => / mtu (\d+)/.exec(lines)?.[1];

test("the side that calls is made when there is somebody to answer", () => {
  const all = both().node("nas", nas);
  expect(all.order("lux", "fra")).toEqual(["lux", "fra"]);
  expect(all.order("nas", "lux")).toEqual(["lux", "nas"]);
  expect(all.order("fra", "nas")).toEqual(["fra", "nas"]);
  expect(all.faults).toEqual([]);
});

test("two nodes and a link", () => {
  const [a, b] = both().link("lux", "fra");
  expect(a).toMatchInlineSnapshot(`
"ip link add dev inter-fra type wireguard
ip link set dev inter-fra mtu 1420 group 28417 addrgenmode none alias overlay:net/prod:lux-fra
ip link set dev inter-fra up
sysctl -w net/ipv4/conf/inter-fra/rp_filter=2
sysctl -w net/ipv6/conf/inter-fra/accept_ra=0
sysctl -w net/ipv6/conf/inter-fra/disable_ipv6=0
wg set inter-fra listen-port 11002 fwmark 0x6f private-key /etc/overlay/keys/wireguard.key
wg set inter-fra peer <known after peer is created> allowed-ips 0.0.0.0/0,::/0 endpoint 198.51.100.9:11001 persistent-keepalive 25
ip addr add 10.255.0.1/32 dev inter-fra
ip addr add fd00:6f::1/128 dev inter-fra
ip addr add fe80::1/64 dev inter-fra
ip route add 10.255.0.2/32 dev inter-fra proto 111 metric 4096 src 10.255.0.1
ip route add fd00:6f::2/128 dev inter-fra proto 111 metric 4096 src fd00:6f::1
nft add counter inet overlay link-inter-fra
nft add element inet overlay guard { 11002 : "link-inter-fra" }"
`);
  expect(b).toMatchInlineSnapshot(`
"ip link add dev inter-lux type wireguard
ip link set dev inter-lux mtu 1420 group 28417 addrgenmode none alias overlay:net/prod:lux-fra
ip link set dev inter-lux up
sysctl -w net/ipv4/conf/inter-lux/rp_filter=2
sysctl -w net/ipv6/conf/inter-lux/accept_ra=0
sysctl -w net/ipv6/conf/inter-lux/disable_ipv6=0
wg set inter-lux listen-port 11001 fwmark 0x6f private-key /etc/overlay/keys/wireguard.key
wg set inter-lux peer <known after peer is created> allowed-ips 0.0.0.0/0,::/0 endpoint 203.0.113.5:11002 persistent-keepalive 25
ip addr add 10.255.0.2/32 dev inter-lux
ip addr add fd00:6f::2/128 dev inter-lux
ip addr add fe80::2/64 dev inter-lux
ip route add 10.255.0.1/32 dev inter-lux proto 111 metric 4096 src 10.255.0.2
ip route add fd00:6f::1/128 dev inter-lux proto 111 metric 4096 src fd00:6f::2
nft add counter inet overlay link-inter-lux
nft add element inet overlay guard { 11001 : "link-inter-lux" }"
`);
});

test("who can be called by nobody calls, and keeps the NAT's mapping open; the other waits", () => {
  const [a, b] = new Declared().node("lux", lux).node("nas", nas).link("lux", "nas");
  expect(peer(a)).toBe("wg set inter-nas peer <known after peer is created> allowed-ips 0.0.0.0/0,::/0");
  expect(peer(b)).toMatch(/ endpoint 203\.0\.113\.5:11009 persistent-keepalive 25$/);
});

test("family chooses among the endpoints, and what IPv4 alone leaves", () => {
  const [v6] = both().link("lux", "fra", { family: "inet6" });
  expect(peer(v6)).toContain(" endpoint [2001:db8:2::9]:11001 ");
  expect(mtu(v6)).toBe("1420");
  const [v4] = both().link("lux", "fra", { family: "inet" });
  expect(peer(v4)).toContain(" endpoint 198.51.100.9:11001 ");
  expect(mtu(v4)).toBe("1440");
});

test("with IPv4 alone a link has room in 576 bytes, and nothing of IPv6 in it", () => {
  const small = () =>
    new Declared().node("lux", { ...lux, underlay: { mtu: 700 } }).node("fra", { ...fra, underlay: { mtu: 700 } });
  const network = small();
  const [a] = network.link("lux", "fra", { family: "v4" });
  expect(network.faults).toEqual([]);
  expect(a).toMatchInlineSnapshot(`
"ip link add dev inter-fra type wireguard
ip link set dev inter-fra mtu 640 group 28417 alias overlay:net/prod:lux-fra
ip link set dev inter-fra up
sysctl -w net/ipv4/conf/inter-fra/rp_filter=2
wg set inter-fra listen-port 11002 fwmark 0x6f private-key /etc/overlay/keys/wireguard.key
wg set inter-fra peer <known after peer is created> allowed-ips 0.0.0.0/0 endpoint 198.51.100.9:11001 persistent-keepalive 25
ip addr add 10.255.0.1/32 dev inter-fra
ip route add 10.255.0.2/32 dev inter-fra proto 111 metric 4096 src 10.255.0.1
nft add counter inet overlay link-inter-fra
nft add element inet overlay guard { 11002 : "link-inter-fra" }"
`);
  const [roomy] = both().link("lux", "fra", { family: "v4" });
  expect(words(roomy, /inet6|ipv6|[:]:| mtu /)).toMatchInlineSnapshot(`
[
  "ip link set dev inter-fra mtu 1440 group 28417 addrgenmode none alias overlay:net/prod:lux-fra",
  "sysctl -w net/ipv6/conf/inter-fra/accept_ra=0",
  "sysctl -w net/ipv6/conf/inter-fra/disable_ipv6=0",
]
`);

  const wrong = (args: Partial<WgLinkArgs>, network = small(), other = "fra"): string[] => {
    network.link("lux", other, args);
    return network.faults;
  };
  const routes = { a: ["::/0"], b: ["192.168.7.0/24", "fd00:7::/64"] };
  const six = small().node("six", { ...nas, addresses: ["fd00:6f::9"] });
  expect([
    ...wrong({}),
    ...wrong({ mtu: 1000 }, both()),
    ...wrong({ mtu: 9000 }, both()),
    ...wrong({ family: "v4", mtu: 641 }),
    ...wrong({ family: "v4", mtu: 575 }),
    ...wrong({ family: "v4", routes }),
    ...wrong({ family: "v4" }, six, "six"),
  ]).toMatchInlineSnapshot(`
[
  "lux-fra: mtu: legal is at least 1280 bytes for IPv6 (RFC 8200), and underlay 700 - WireGuard over IPv6 80 = 620 < 1280; raise the MTU of the underlay between lux and fra, and say it in underlay.mtu; with family: "v4", which carries no IPv6, 576 will do. [input/mtu]",
  "lux-fra: mtu: found 1000, legal is 1280 to 1420 bytes (underlay 1500 - WireGuard over IPv6 80 = 1420); leave it out, or say in underlay.mtu of both nodes what the underlay carries; with family: "v4", which carries no IPv6, 576 will do. [input/mtu]",
  "lux-fra: mtu: found 9000, legal is 1280 to 1420 bytes (underlay 1500 - WireGuard over IPv6 80 = 1420); leave it out, or say in underlay.mtu of both nodes what the underlay carries. [input/mtu]",
  "lux-fra: mtu: found 641, legal is 576 to 640 bytes (underlay 700 - WireGuard over IPv4 60 = 640); leave it out, or say in underlay.mtu of both nodes what the underlay carries. [input/mtu]",
  "lux-fra: mtu: found 575, legal is 576 to 640 bytes (underlay 700 - WireGuard over IPv4 60 = 640); leave it out, or say in underlay.mtu of both nodes what the underlay carries. [input/mtu]",
  "lux-fra: routes.b[1]: found "fd00:7::/64", legal is one of IPv4, because family is "v4"; leave it out, or leave out \`family\`. [input/family]",
  "lux-fra: routes.a[0]: found "::/0", legal is one of IPv4, because family is "v4"; leave it out, or leave out \`family\`. [input/family]",
  "lux-six: b.addresses: legal is at least one of IPv4, because family is "v4" and nothing else goes by the link; give one, or leave out \`family\`. [input/family]",
]
`);
});

test("a preview says what a link of IPv4 alone does without", async () => {
  const said = jest.spyOn(pulumi.log, "warn").mockImplementation(async () => undefined);
  const program = () => {
    const [l, f, h] = Object.entries({ lux, fra, hkg: { ...nas, id: 3 } }).map(
      ([name, args]) =>
        new OverlayNode(name, { ...args, underlay: { mtu: 700 }, connection: { host: `${name}.example` } }),
    ) as [OverlayNode, OverlayNode, OverlayNode];
    new WgLink("lux-fra", { a: l, b: f, family: "v4" });
    new WgMesh("mesh", { nodes: [l, h], family: "v4", mtu: 600, port: 12000 });
  };
  await registered(program, true);
  expect(said.mock.calls.map(([text]) => text)).toMatchInlineSnapshot(`
[
  "An MTU of 640 bytes, under 1280: nothing goes by link lux-fra with IPv6, it has no link-local addresses and leads to none of the nodes' IPv6 addresses, and what is sent there in larger pieces is fragmented or lost. [warning/smallMtu]",
  "An MTU of 600 bytes, under 1280: nothing goes by mesh mesh with IPv6, it has no link-local addresses and leads to none of the nodes' IPv6 addresses, and what is sent there in larger pieces is fragmented or lost. [warning/smallMtu]",
]
`);
  said.mockClear();
  await registered(program);
  expect(said).not.toHaveBeenCalled();
  said.mockRestore();
});

test("the MTU is what the smaller underlay leaves, on both sides", () => {
  const lines = new Declared()
    .node("lux", { ...lux, underlay: { mtu: 1492 } })
    .node("fra", fra)
    .link("lux", "fra");
  expect(lines.map(mtu)).toEqual(["1412", "1412"]);
});

test("ports: the base and the other's id, a pool, and what the link says", () => {
  expect(both().link("lux", "fra").map(listens)).toEqual(["11002", "11001"]);

  const pool = new Declared()
    .node("lux", { ...lux, ports: [443, 4500, 51820] })
    .node("fra", { ...fra, portBase: 20000 });
  const [a, b] = pool.link("lux", "fra");
  expect([a, b].map(listens)).toEqual(["51820", "20001"]);
  expect(peer(b)).toContain(" endpoint 203.0.113.5:51820 ");

  const [c, d] = both().link("lux", "fra", { ports: { a: 500 }, alsoPorts: { a: [53, 123] } });
  expect([c, d].map(listens)).toEqual(["500", "11001"]);
  expect(peer(d)).toContain(" endpoint 203.0.113.5:500 ");
  expect(c).toContain("udp dport { 53, 123 } redirect to :500");
});

test("an endpoint that few ports lead to is called by one of them", () => {
  const network = new Declared()
    .node("lux", { ...lux, endpoints: [{ address: "203.0.113.5", ports: [443, 4500] }] })
    .node("fra", fra);
  const [a, b] = network.link("lux", "fra");
  expect(listens(a)).toBe("11002");
  expect(peer(b)).toContain(" endpoint 203.0.113.5:443 ");
});

test("device names and keepalive are the link's to say", () => {
  const [a, b] = both().link("lux", "fra", { devices: { a: "wg-fra" }, keepalive: 0 });
  expect(a).toContain("ip link add dev wg-fra type wireguard");
  expect(b).toContain("ip link add dev inter-lux type wireguard");
  expect(peer(a)).not.toContain("keepalive");
});

test("what lies behind one node the other has routes to, in our own table; a default route comes after the host's ways", () => {
  const network = both();
  const [a, b] = network.link("lux", "fra", { routes: { a: ["0.0.0.0/0"], b: ["fd00:7::/64", "192.168.7.0/24"] } });
  expect(network.faults).toEqual([]);
  expect(words(a, /rule| 111 proto| peer /)).toEqual([
    expect.stringContaining(" allowed-ips 0.0.0.0/0,::/0 "),
    "ip route add 192.168.7.0/24 dev inter-fra table 111 proto 111 metric 4096 src 10.255.0.1",
    "ip route add fd00:7::/64 dev inter-fra table 111 proto 111 metric 4096 src fd00:6f::1",
  ]);
  expect(words(b, /rule| 111 proto/)).toEqual([
    "ip rule add pref 5110 lookup main suppress_prefixlength 0",
    "ip -6 rule add pref 5110 lookup main suppress_prefixlength 0",
    "ip route add 0.0.0.0/0 dev inter-lux table 111 proto 111 metric 4096 src 10.255.0.2",
  ]);
});

test("whoever gets a route has an address to send from: else what it is for left by the underlay", () => {
  const network = both().node("nas", nas).node("bare", { id: 7 });
  network.link("lux", "nas", { routes: { a: ["192.168.7.0/24", "::/0"], b: ["fd00:7::/64"] } });
  network.link("bare", "fra", { routes: { b: ["192.168.7.0/24"] } });
  network.link("lux", "fra", { routes: { a: ["::/0"], b: ["0.0.0.0/0"] } });
  expect(network.faults).toEqual([
    'lux-nas: routes.a[1]: found "::/0", legal is a prefix of a family that whoever gets the route has an address of, and nas has none of IPv6; give nas an overlay address of IPv6 in `addresses`, or leave the route out. [input/family]',
    'bare-fra: routes.b[0]: found "192.168.7.0/24", legal is a prefix of a family that whoever gets the route has an address of, and bare has none of IPv4; give bare an overlay address of IPv4 in `addresses`, or leave the route out. [input/family]',
  ]);
});

test("nothing lies behind a relay", () => {
  const network = both().node("hkg", { id: 3, addresses: ["10.255.0.3"], relay: [{ a: "lux", b: "fra" }] });
  network.link("lux", "hkg", { routes: { a: ["192.168.7.0/24"], b: ["192.168.8.0/24"] } });
  expect(network.faults).toEqual([
    "lux-hkg: routes.b: legal is empty at hkg, a relay, which forwards between its pairs and nothing else; have it behind a node that is no relay. [input/relay]",
  ]);
});

test("keys of the link's own, by a label; a device that is taken over has the key that it was found with", () => {
  const key = (lines: string) => / private-key (\S+)/.exec(lines)?.[1];
  expect(both().link("lux", "fra", { rotate: "2026-11" }).map(key)).toEqual([
    "/etc/overlay/keys/inter-fra.2026-11.key",
    "/etc/overlay/keys/inter-lux.2026-11.key",
  ]);
  const adopted = both().link("lux", "fra", { adopt: { a: true }, devices: { a: "wg0" } });
  expect(adopted.map(key)).toEqual(["/etc/overlay/keys/wg0.adopted.key", "/etc/overlay/keys/wireguard.key"]);
  expect(words(adopted[0], /wg-quick|^mv /)).toEqual([
    "systemctl disable wg-quick@wg0.service",
    "mv /etc/wireguard/wg0.conf /etc/wireguard/wg0.conf.before-overlay",
  ]);
  const refused = both();
  refused.link("lux", "fra", { rotate: "adopted" });
  expect(refused.faults).toEqual([
    expect.stringContaining("legal is another label, because keys that links were adopted with"),
  ]);
});

test("whoever is a and whoever is b, each host is told the same", () => {
  const [a, b] = both().link("lux", "fra");
  const [d, c] = both().link("fra", "lux");
  const named = (lines: string) => lines.replace("fra-lux", "lux-fra");
  expect([c, d].map((lines) => named(lines))).toEqual([a, b]);
});
