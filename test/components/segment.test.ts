/** From what people write about a segment to the words that its kernels are told, and what is wrong with it. */
import * as pulumi from "@pulumi/pulumi";
import { OverlayNode, VxlanSegment, WgLink } from "../../components";
import { Network } from "../../components/network";
import { Declared, reference, registered } from "./declare";

const lux = { id: 1, addresses: ["10.255.0.1", "fd00:6f::1"], endpoints: ["203.0.113.5", "2001:db8:1::5"] };
const fra = { id: 2, addresses: ["10.255.0.2", "fd00:6f::2"], endpoints: ["198.51.100.9", "2001:db8:2::9"] };
const hkg = { id: 3, addresses: ["10.255.0.3", "fd00:6f::3"], endpoints: ["192.0.2.7", "2001:db8:3::7"] };

const inside = (id: number) => ({ addresses: [`10.100.0.${id}/24`, `fd00:100::${id}/64`] });
const two = { lux: inside(1), fra: inside(2) };
const three = { ...two, hkg: inside(3) };

const nodes = (more: object = {}) =>
  new Declared()
    .node("lux", { ...lux, ...more })
    .node("fra", { ...fra, ...more })
    .node("hkg", { ...hkg, ...more });

/** Two links: from fra to each of the others. */
const star = (more: object = {}) => {
  const network = nodes(more);
  network.link("lux", "fra");
  network.link("fra", "hkg");
  return network;
};

const faults = (network: Declared) => [...network.faults, ...network.segmentFaults()];
const has = (lines: string | undefined, pattern: RegExp): string[] =>
  (lines ?? "").split("\n").filter((line) => pattern.test(line));
const mtu = (network: Declared) => network.members().map((lines) => / mtu (\d+)/.exec(lines)?.[1]);

test("a segment over a link: its device, whom it floods to, and what closes it", () => {
  const network = star().segment(two);
  expect(faults(network)).toEqual([]);
  expect(network.members()[0]).toMatchInlineSnapshot(`
"nft add table inet overlay-vx-lan
nft add chain inet overlay-vx-lan in { type filter hook input priority 0 ; policy accept ; }
nft add chain inet overlay-vx-lan out { type filter hook output priority 0 ; policy accept ; }
nft add rule inet overlay-vx-lan in udp dport 4789 @th,96,24 100 iifgroup != 28417 counter drop
nft add rule inet overlay-vx-lan in udp dport 4789 @th,96,24 100 ip saddr != { 10.255.0.1, 10.255.0.2 } counter drop
nft add rule inet overlay-vx-lan out udp dport 4789 @th,96,24 100 oifgroup != 28417 counter drop
nft add rule inet overlay-vx-lan out udp dport 4789 @th,96,24 100 ip daddr != { 10.255.0.1, 10.255.0.2 } counter drop
ip link add dev vx-lan type vxlan id 100 dstport 4789 ttl 64 local 10.255.0.1 learning
ip link set dev vx-lan address 02:00:00:64:00:01 mtu 1370 group 28418 addrgenmode none alias overlay:net/prod:lan
ip link set dev vx-lan up
sysctl -w net/ipv4/conf/vx-lan/rp_filter=2
sysctl -w net/ipv6/conf/vx-lan/accept_dad=0
sysctl -w net/ipv6/conf/vx-lan/accept_ra=0
sysctl -w net/ipv6/conf/vx-lan/disable_ipv6=0
bridge fdb append 00:00:00:00:00:00 dev vx-lan dst 10.255.0.2
ip addr add 10.100.0.1/24 dev vx-lan
ip addr add fd00:100::1/64 dev vx-lan
ip addr add fe80::1/64 dev vx-lan"
`);
});

test("members without a path between them, each named; a relay is a path, but not for ttl 1", () => {
  expect(faults(star().segment(three))).toMatchInlineSnapshot(`
[
  "members[2].node: found "hkg", legal is a node that a link or a mesh leads to from every other member, directly or by a relay, and between lux and hkg there is none; link the two, have a node relay between them, or say encrypted: false where frames may be sent in clear. [input/way]",
]
`);
  const v4 = [1, 2, 3].map((id) => ({
    node: reference(["lux", "fra", "hkg"][id - 1] ?? ""),
    addresses: [`10.100.0.${id}/24`],
  }));
  const relayed = () => {
    const network = nodes().node("ams", { id: 4, relay: [{ a: "lux", b: "hkg" }] });
    for (const end of ["lux", "hkg"]) network.link(end, "ams");
    network.link("lux", "fra", { mtu: 1300 });
    network.link("fra", "hkg");
    return network;
  };
  expect(faults(relayed().segment(three, { family: "v4", members: v4 }))).toEqual([]);
  expect(faults(relayed().segment(three, { family: "v4", members: v4, ttl: 1 }))).toMatchInlineSnapshot(`
[
  "ttl: found 1, legal is at least 2, because the way to hkg leads by the relay ams; leave it out, or link the two nodes directly. [input/range]",
]
`);
  expect(mtu(relayed().segment(three, { family: "v4", members: v4 }))).toEqual(["1250", "1250", "1250"]);
});

test("it runs over what it names, or over all that leads there", () => {
  const network = () => {
    const all = star();
    all.link("lux", "hkg");
    return all;
  };
  expect(faults(network().segment(three))).toEqual([]);
  const named = (name: string) => ({ linkName: name, __pulumiResource: true, __pulumiType: "overlay:index:WgLink" });
  const links = ["lux-fra", "fra-hkg"].map(named) as unknown as WgLink[];
  expect(faults(network().segment(three, { links }))).toMatchInlineSnapshot(`
[
  "members[2].node: found "hkg", legal is a node that a link or a mesh of those that \`links\` and \`mesh\` name leads to from every other member, directly or by a relay, and between lux and hkg there is none; link the two, have a node relay between them, or say encrypted: false where frames may be sent in clear. [input/way]",
]
`);
  const mesh = nodes();
  mesh.mesh(["lux", "fra", "hkg"]);
  expect(faults(mesh.segment(three))).toEqual([]);
});

test("the MTU is what the narrowest way leaves, and an error draws the chain down to the underlay", () => {
  expect(mtu(star().segment(two))).toEqual(["1370", "1370"]);
  expect(mtu(star().segment(two, { outer: "inet6" }))).toEqual(["1350", "1350"]);
  expect(mtu(star({ underlay: { mtu: 1630 } }).segment(two, { mtu: 1500 }))).toEqual(["1500", "1500"]);
  expect(mtu(nodes().segment(two, { encrypted: false }))).toEqual(["1450", "1450"]);
  expect(faults(star().segment(two, { mtu: 1500 }))).toMatchInlineSnapshot(`
[
  "mtu: found 1500, legal is 1280 to 1370 bytes (underlay 1500 - WireGuard over IPv6 80 - VXLAN over IPv4 50 = 1370); leave it out, or have 1630 bytes below (1500 + VXLAN over IPv4 50 + WireGuard over IPv6 80 = underlay 1630). [input/mtu]",
]
`);
  expect(faults(star({ underlay: { mtu: 1400 } }).segment(two))).toMatchInlineSnapshot(`
[
  "mtu: legal is at least 1280 bytes for IPv6 (RFC 8200), and underlay 1400 - WireGuard over IPv6 80 - VXLAN over IPv4 50 = 1270 < 1280; have 1410 bytes below (1280 + VXLAN over IPv4 50 + WireGuard over IPv6 80 = underlay 1410); with family: "v4", which carries no IPv6, 576 will do. [input/mtu]",
]
`);
  expect(faults(nodes().segment(two, { mtu: 9000, encrypted: false }))).toMatchInlineSnapshot(`
[
  "mtu: found 9000, legal is 1280 to 1450 bytes (underlay 1500 - VXLAN over IPv4 50 = 1450); leave it out, or have 9050 bytes below (9000 + VXLAN over IPv4 50 = underlay 9050). [input/mtu]",
]
`);
  const v4 = { lux: { addresses: ["10.100.0.1/24"] }, fra: { addresses: ["10.100.0.2/24"] } };
  const small = star({ underlay: { mtu: 1400 } }).segment(v4, { family: "v4" });
  expect(faults(small)).toEqual([]);
  expect(mtu(small)).toEqual(["1270", "1270"]);
});

test("a segment of one member, whom others may follow, has the MTU of a link", () => {
  const one = { lux: inside(1) };
  const first = nodes().segment(one);
  expect(faults(first)).toEqual([]);
  expect(mtu(first)).toEqual(["1370"]);
  expect(mtu(nodes().segment(one, { encrypted: false }))).toEqual(["1450"]);
  expect(faults(nodes().segment(one, { mtu: 1500 }))).toMatchInlineSnapshot(`
[
  "mtu: found 1500, legal is 1280 to 1370 bytes (underlay 1500 - WireGuard over IPv6 80 - VXLAN over IPv4 50 = 1370); leave it out, or have 1630 bytes below (1500 + VXLAN over IPv4 50 + WireGuard over IPv6 80 = underlay 1630). [input/mtu]",
]
`);
  expect(faults(nodes().segment(one, { variant: "point-to-point" }))).toMatchInlineSnapshot(`
[
  "members: legal is two members, and there is one; choose static-flood for more. [input/conflict]",
]
`);
});

test("over a link of IPv4 alone there is IPv4 alone, and between VTEPs of IPv4", () => {
  const network = () => {
    const all = nodes({ underlay: { mtu: 700 } });
    all.link("lux", "fra", { family: "v4" });
    return all;
  };
  const v4 = { lux: { addresses: ["10.100.0.1/24"] }, fra: { addresses: ["10.100.0.2/24"] } };
  const small = network().segment(v4, { family: "v4" });
  expect(faults(small)).toEqual([]);
  expect(mtu(small)).toEqual(["590", "590"]);
  expect(faults(network().segment(two))).toMatchInlineSnapshot(`
[
  "mtu: legal is at least 1280 bytes for IPv6 (RFC 8200), and underlay 700 - WireGuard over IPv4 60 - VXLAN over IPv4 50 = 590 < 1280; have 1390 bytes below (1280 + VXLAN over IPv4 50 + WireGuard over IPv4 60 = underlay 1390); with family: "v4", which carries no IPv6, 576 will do. [input/mtu]",
]
`);
  expect(faults(network().segment(v4, { family: "v4", outer: "inet6" }))).toMatchInlineSnapshot(`
[
  "outer: found "inet6", legal is inet, because link lux-fra carries IPv4 alone; correct it, or leave out \`family\` of link lux-fra. [input/family]",
]
`);
});

test("on the plain underlay members call each other's endpoints, and take nothing from others", () => {
  const network = nodes().segment(three, { encrypted: false, variant: "multicast", group: "239.1.1.1" });
  expect(faults(network)).toMatchInlineSnapshot(`
[
  "members[0].underlay: legal is there, for multicast; add it. [input/missing]",
  "members[1].underlay: legal is there, for multicast; add it. [input/missing]",
  "members[2].underlay: legal is there, for multicast; add it. [input/missing]",
]
`);
  const eth0 = { lux: { ...inside(1), underlay: "eth0" }, fra: { ...inside(2), underlay: "eth0" } };
  const sound = nodes().segment(eth0, { encrypted: false, variant: "multicast", group: "239.1.1.1" });
  expect(faults(sound)).toEqual([]);
  expect(has(sound.members()[0], /type vxlan|saddr|daddr/)).toMatchInlineSnapshot(`
[
  "nft add rule inet overlay-vx-lan in udp dport 4789 @th,96,24 100 ip saddr != { 198.51.100.9, 203.0.113.5 } counter drop",
  "nft add rule inet overlay-vx-lan out udp dport 4789 @th,96,24 100 ip daddr != { 198.51.100.9, 203.0.113.5, 239.1.1.1 } counter drop",
  "ip link add dev vx-lan type vxlan id 100 dstport 4789 group 239.1.1.1 dev eth0 ttl 64 local 203.0.113.5 learning",
]
`);
});

test("a bridge has the addresses, and its segments are isolated from each other there", () => {
  const bridge = { device: "br0", ports: ["eth1"], stp: true };
  const network = star()
    .segment({ lux: { ...inside(1), bridge }, fra: inside(2) })
    .segment(
      { lux: { addresses: ["10.101.0.1/24"], bridge: { device: "br0" } }, fra: { addresses: ["10.101.0.2/24"] } },
      { vni: 101, mtu: 1300 },
      "dmz",
    );
  expect(faults(network)).toEqual([]);
  const [onLux] = network.members("dmz");
  expect(has(onLux, /br0|isolated/)).toMatchInlineSnapshot(`
[
  "ip link add dev br0 type bridge stp_state 1",
  "ip link set dev br0 address 02:00:00:64:00:01 mtu 1300 group 28418 addrgenmode none alias overlay:net/prod:br0",
  "ip link set dev br0 up",
  "sysctl -w net/ipv4/conf/br0/rp_filter=2",
  "sysctl -w net/ipv6/conf/br0/accept_dad=0",
  "sysctl -w net/ipv6/conf/br0/accept_ra=0",
  "sysctl -w net/ipv6/conf/br0/disable_ipv6=0",
  "ip link set dev eth1 master br0",
  "ip addr add 10.100.0.1/24 dev br0",
  "ip addr add 10.101.0.1/24 dev br0",
  "ip addr add fd00:100::1/64 dev br0",
  "ip addr add fe80::1/64 dev br0",
  "ip link set dev vx-dmz master br0",
  "ip link set dev vx-dmz type bridge_slave isolated on",
]
`);
});

test("of route-short-circuit each member has the router's address in its own prefix, and the way to the others'", () => {
  const network = star().segment(
    { lux: { addresses: ["10.100.0.1/24"] }, fra: { addresses: ["10.101.0.2/24"] } },
    {
      variant: "route-short-circuit",
      router: {
        mac: "02:00:5e:00:01:01",
        addresses: ["10.100.0.254", "10.101.0.254"],
        routes: ["10.100.0.0/24", "10.101.0.0/24"],
      },
    },
  );
  expect(faults(network)).toEqual([]);
  expect(network.members().map((lines) => has(lines, /254|router/))).toMatchInlineSnapshot(`
[
  [
    "ip neigh replace 10.100.0.254 lladdr 02:00:5e:00:01:01 dev vx-lan nud permanent",
    "bridge fdb replace 02:00:5e:00:01:01 dev vx-lan dst 10.255.0.2 router",
    "ip route add 10.101.0.0/24 dev vx-lan proto 111 metric 4096 src 10.100.0.1 via 10.100.0.254 onlink",
  ],
  [
    "ip neigh replace 10.101.0.254 lladdr 02:00:5e:00:01:01 dev vx-lan nud permanent",
    "bridge fdb replace 02:00:5e:00:01:01 dev vx-lan dst 10.255.0.1 router",
    "ip route add 10.100.0.0/24 dev vx-lan proto 111 metric 4096 src 10.101.0.2 via 10.101.0.254 onlink",
  ],
]
`);
});

test("what people get wrong, all at once, with the place where it is written", () => {
  const network = star({ addresses: [] }).segment(two);
  expect(faults(network)).toMatchInlineSnapshot(`
[
  "members[0].node: found "lux", legal is a node with an IPv4 address among its \`addresses\` in the overlay, as all members need, and lux has none; give it one, say \`vtep\`, or choose another family with \`outer\`. [input/family]",
  "members[1].node: found "fra", legal is a node with an IPv4 address among its \`addresses\` in the overlay, as all members need, and fra has none; give it one, say \`vtep\`, or choose another family with \`outer\`. [input/family]",
]
`);
  const written = star().segment(
    {
      lux: { addresses: ["10.100.0.1/24"], behind: [{ mac: "33:33:00:00:00:01" }] },
      fra: { addresses: ["10.100.0.1/24"], bridge: { ports: ["eth1"] } },
    },
    { vni: 2 ** 24 },
  );
  expect(faults(written)).toMatchInlineSnapshot(`
[
  "lan: vni: found 16777216, legal is at most 16777215; correct the value. [input/range]",
  "lan: members[0].behind[0].mac: found "33:33:00:00:00:01", legal is the MAC address of one host, such as 02:00:64:00:00:01, and this is a multicast address; name the MAC address that the host sends from. [input/value]",
]
`);
  const same = { addresses: ["10.100.0.1/24"] };
  const thrice = nodes();
  thrice.mesh(["lux", "fra", "hkg"]);
  // As the example in a well-known text has it.
  expect(faults(thrice.segment({ lux: same, fra: same, hkg: same }))).toMatchInlineSnapshot(`
[
  "members[1].addresses[0]: found "10.100.0.1/24", legal is another address than lux has; give each its own address. [input/duplicate]",
  "members[2].addresses[0]: found "10.100.0.1/24", legal is another address than lux has; give each its own address. [input/duplicate]",
]
`);
  const ports = { lux: inside(1), fra: { ...inside(2), bridge: { ports: ["eth1"] } } };
  expect(faults(star().segment(ports))).toMatchInlineSnapshot(`
[
  "members[1].bridge.ports[0]: found "eth1", legal is a port with stp: true or loopFree: true, because a second way between two ports multiplies every broadcast; say stp: true; or loopFree: true where nothing behind the port leads back here. [input/conflict]",
]
`);
  expect(faults(star().segment(two, { variant: "multicast", group: "239.1.1.1" }))).toMatchInlineSnapshot(`
[
  "members[0].underlay: legal is there, for multicast; add it. [input/missing]",
  "members[1].underlay: legal is there, for multicast; add it. [input/missing]",
  "variant: found "multicast", legal is another variant than multicast over WireGuard, which sends each packet to the one peer that has its address as an allowed IP, and a group is nobody's; choose static-flood, or say encrypted: false for a plain underlay. [input/conflict]",
]
`);
  expect(faults(star().segment({ lux: { addresses: ["10.255.0.9/24"] }, fra: {} }))).toMatchInlineSnapshot(`
[
  "members[0].vtep: found "10.255.0.1", legal is an address outside of the segment, and this is inside the overlay prefix 10.255.0.0/24, so the tunnel would carry its own packets; name the address of a link. [input/underlay]",
  "members[1].vtep: found "10.255.0.2", legal is an address outside of the segment, and this is inside the overlay prefix 10.255.0.0/24, so the tunnel would carry its own packets; name the address of a link. [input/underlay]",
  "lan.addresses: found "10.255.0.0/24", legal is a prefix that lux has one way to, and link lux-fra leads to 10.255.0.2/32 there; give the segment another prefix. [input/overlap]",
]
`);
});

test("what members behind bridges have twice, or not in common, as no one of them sees it", () => {
  const bridge = {};
  const bridged = (address: string, mac: string, ...more: string[]) => ({
    addresses: [address],
    bridge,
    behind: [{ mac, addresses: more }],
  });
  const all = nodes();
  all.mesh(["lux", "fra", "hkg"]);
  const twice = all.segment({
    lux: bridged("10.100.0.1/24", "52:54:00:00:00:01", "10.100.0.3"),
    fra: bridged("10.100.0.1/24", "52:54:00:00:00:01", "10.100.0.51"),
    hkg: bridged("10.100.0.3/24", "02:00:00:64:00:01", "10.100.0.51"),
  });
  expect(faults(twice)).toMatchInlineSnapshot(`
[
  "members[1].addresses[0]: found "10.100.0.1/24", legal is another address than lux has; give each its own address. [input/duplicate]",
  "members[0].behind[0].addresses[0]: found "10.100.0.3", legal is another address than hkg has; give each its own address. [input/duplicate]",
  "members[1].behind[0].mac: found "52:54:00:00:00:01", legal is another MAC address than a host behind lux has; give each its own MAC address. [input/duplicate]",
  "members[2].behind[0].mac: found "02:00:00:64:00:01", legal is another MAC address than lux has; give each its own MAC address. [input/duplicate]",
  "members[2].behind[0].addresses[0]: found "10.100.0.51", legal is another address than a host behind fra has; give each its own address. [input/duplicate]",
]
`);
  const mac = (id: number) => `52:54:00:00:00:0${id}`;
  const two = { lux: bridged("10.100.0.1/24", mac(1)), fra: bridged("10.101.0.2/24", mac(2)) };
  expect(faults(star().segment(two))).toMatchInlineSnapshot(`
[
  "members[1].addresses[0]: found "10.101.0.2/24", legal is an address in 10.100.0.0/24, as lux has; give all members the same prefix. [input/prefix]",
]
`);
  const one = { ...two, fra: { addresses: ["10.100.0.1/24", "10.101.0.1/24"] } };
  expect(faults(star().segment(one))).toMatchInlineSnapshot(`
[
  "members[1].addresses[0]: found "10.100.0.1/24", legal is another address than lux has; give each its own address. [input/duplicate]",
  "members[1].addresses[1]: found "10.101.0.1/24", legal is an address in 10.100.0.0/24, as lux has; give all members the same prefix. [input/prefix]",
]
`);
  const four = { lux: bridged("10.100.0.1/24", mac(1), "fd00:100::50"), fra: bridged("10.100.0.2/24", mac(2)) };
  expect(faults(star().segment(four, { family: "v4" }))).toMatchInlineSnapshot(`
[
  "members[0].behind[0].addresses[0]: found "fd00:100::50", legal is an IPv4 address, because family is "v4"; leave it out, or leave out \`family\`. [input/family]",
]
`);
  // Each may be in a prefix of its own, where a router leads from one to the other.
  expect(faults(star().segment(two, { variant: "route-short-circuit", router: { mac: mac(9) } }))).toEqual([]);
});

test("what two segments cannot both have, and what a segment and a link cannot", () => {
  const other = { lux: { addresses: ["10.100.0.77/16"] }, fra: { addresses: ["10.100.0.78/16"] } };
  expect(faults(star().segment(two).segment(other, {}, "dmz"))).toMatchInlineSnapshot(`
[
  "dmz: dmz.vni: found 100, legal is VNI 100 at UDP port 4789 on lux once, and segment lan has it already; give the segment another \`vni\`, or another \`port\`. [input/duplicate]",
  "dmz: dmz.vni: found 100, legal is VNI 100 at UDP port 4789 on fra once, and segment lan has it already; give the segment another \`vni\`, or another \`port\`. [input/duplicate]",
]
`);
  expect(faults(star().segment(two).segment(other, { vni: 7 }, "dmz"))).toMatchInlineSnapshot(`
[
  "dmz.addresses: found "10.100.0.0/16", legal is a prefix that lux has one way to, and segment lan leads to 10.100.0.0/24 there; give the segment another prefix. [input/overlap]",
  "dmz.addresses: found "10.100.0.0/16", legal is a prefix that fra has one way to, and segment lan leads to 10.100.0.0/24 there; give the segment another prefix. [input/overlap]",
]
`);
  const routed = { variant: "unicast-routing", vni: 7 } as const;
  expect(
    faults(
      star()
        .segment(two)
        .segment({ lux: { addresses: ["10.7.0.1/24"] }, fra: {} }, routed, "dmz"),
    ),
  ).toMatchInlineSnapshot(`
[
  "dmz: dmz.port: found 4789, legal is UDP port 4789 on lux once, and the port of segments has it already; give the segment another \`port\`, because its devices take all VNIs there. [input/duplicate]",
  "dmz: dmz.port: found 4789, legal is UDP port 4789 on fra once, and the port of segments has it already; give the segment another \`port\`, because its devices take all VNIs there. [input/duplicate]",
]
`);
  const links = nodes();
  links.link("lux", "fra", { ports: { a: 4789 }, routes: { b: ["10.100.0.0/25"] }, devices: { a: "vx-lan" } });
  expect(faults(links.segment(two))).toMatchInlineSnapshot(`
[
  "lan: lan.device: found "vx-lan", legal is device vx-lan on lux once, and link lux-fra has it already; name another with \`device\`. [input/duplicate]",
  "lan: lan.port: found 4789, legal is UDP port 4789 on lux once, and link lux-fra has it already; give the segment another \`port\`. [input/duplicate]",
]
`);
  const twice = star().segment(two, {
    members: [reference("lux"), reference("fra"), reference("lux")].map((node) => ({ node })),
  });
  expect(faults(twice)).toMatchInlineSnapshot(`
[
  "lan: members[2].node: found "lux", legal is each node once; leave it out here. [input/duplicate]",
]
`);
  const around = nodes().segment({ lux: { addresses: ["198.51.100.77/24"] }, fra: {} }, { encrypted: false });
  around.link("lux", "fra");
  expect(faults(around)).toMatchInlineSnapshot(`
[
  "lux-fra: lux-fra.fra.endpoints[0]: found "198.51.100.9", legal is an address on the underlay, and this is inside the overlay prefix 198.51.100.0/24, so the tunnel would carry its own packets; name the peer's address on the underlay, or leave the endpoint out and let the peer call. [input/underlay]",
  "members[1].vtep: found "198.51.100.9", legal is an address outside of the segment, and this is inside the overlay prefix 198.51.100.0/24, so the tunnel would carry its own packets; name the address of a link. [input/underlay]",
]
`);
});

test("a program: members come after the devices that they stand on, a bridge is the node's", async () => {
  const made = await registered(() => {
    const [l, f, h] = Object.entries({ lux, fra, hkg }).map(
      ([name, args]) => new OverlayNode(name, { ...args, connection: { host: `${name}.example` } }),
    ) as [OverlayNode, OverlayNode, OverlayNode];
    new VxlanSegment("lan", {
      vni: 100,
      variant: "static-flood",
      members: [
        { node: l, ...inside(1), bridge: { device: "br0" } },
        { node: f, ...inside(2) },
        { node: h, ...inside(3) },
      ],
    });
    new WgLink("lux-fra", { a: l, b: f });
    new WgLink("lux-hkg", { a: l, b: h });
    new WgLink("fra-hkg", { a: f, b: h });
  });
  const of = (name: string, type = "") => made.find((it) => it.name === name && it.type.includes(type));
  const member = of("lan@lux", "Member");
  const below = (await member?.options.dependsOn) as unknown as { __name: string }[];
  expect(below.map((it) => it.__name).sort()).toEqual(["br0@lux", "lux-fra@lux", "lux-hkg@lux"]);
  expect(JSON.parse(member?.inputs.spec)).toMatchObject({ segment: "lan", bridge: "br0", mtu: 1370, addresses: [] });
  const bridge = of("br0@lux", "Bridge");
  expect(bridge?.options.parent).toMatchObject({ nodeName: "lux" });
  expect(bridge?.inputs.spec).toMatchObject({ device: "br0", mtu: 1370, addresses: inside(1).addresses });
  expect(made.filter(({ type }) => type.includes("vxlan")).length).toBe(4);
});

test("a preview says what a segment of IPv4 alone does without", async () => {
  const said = jest.spyOn(pulumi.log, "warn").mockImplementation(async () => undefined);
  const program = (mtu: number) => () => {
    const [l, f] = Object.entries({ lux, fra }).map(
      ([name, args]) => new OverlayNode(name, { ...args, underlay: { mtu }, connection: { host: `${name}.example` } }),
    ) as [OverlayNode, OverlayNode];
    const members = [
      { node: l, addresses: ["10.100.0.1/24"] },
      { node: f, addresses: ["10.100.0.2/24"] },
    ];
    new VxlanSegment("lan", { vni: 100, variant: "static-flood", family: "v4", members });
    new WgLink("lux-fra", { a: l, b: f });
  };
  await registered(program(1400), true);
  expect(said.mock.calls.map(([text]) => text)).toMatchInlineSnapshot(`
[
  "An MTU of 1270 bytes, under 1280: nothing in the segment lan has IPv6, and what is sent there in larger pieces is fragmented or lost. [warning/smallMtu]",
]
`);
  said.mockClear();
  // Where there is room for IPv6 nothing is lost, and what is made has been said before.
  await registered(program(1500), true);
  await registered(program(1400));
  expect(said).not.toHaveBeenCalled();
  said.mockRestore();
});

test("in a program of another language it names what it runs over", async () => {
  const network = new Network(false);
  for (const [name, args] of Object.entries({ lux, fra })) {
    network.addNode(name, { connection: { host: `${name}.example` }, ...args });
  }
  network.addLink("lux-fra", { a: reference("lux"), b: reference("fra") });
  const members = [{ node: reference("lux") }, { node: reference("fra") }];
  const written = { vni: 1, variant: "static-flood" as const, members };
  expect(network.addSegment("lan", written)).toMatchObject({ faults: [{ path: "links" }] });
  const links = [{ linkName: "lux-fra", __pulumiResource: true, __pulumiType: "overlay:index:WgLink" }];
  const named = network.addSegment("lan", { ...written, links: links as unknown as WgLink[] });
  if (!("value" in named)) throw new Error("faults");
  expect(network.segmentFaults(named.value)).toEqual([]);
});
