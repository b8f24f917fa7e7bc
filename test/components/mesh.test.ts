/** From what people write about a mesh to the words that its kernels are told, and what is wrong with it. */
import * as pulumi from "@pulumi/pulumi";
import { OverlayNode, WgMesh } from "../../components";
import { unrelated } from "../../components/input";
import { costly } from "../../components/mesh";
import { Declared, reference, registered } from "./declare";

const lux = { id: 1, addresses: ["10.255.0.1", "fd00:6f::1"], endpoints: ["203.0.113.5", "2001:db8:1::5"] };
const fra = { id: 2, addresses: ["10.255.0.2", "fd00:6f::2"], endpoints: ["198.51.100.9", "2001:db8:2::9"] };
const hkg = { id: 3, addresses: ["10.255.0.3"], endpoints: ["192.0.2.7"] };
const KEY = "Z/nQ151/XO7fH+SlX5Ri5Uf10wssuR5ZNx5DfPaOJiM=";
/** Behind a NAT: nobody can call it. */
const nas = { id: 9, addresses: ["10.255.0.9"] };

const three = () => new Declared().node("lux", lux).node("fra", fra).node("nas", nas);
const all = ["lux", "fra", "nas"];
const peers = (lines = ""): string[] => lines.split("\n").filter((line) => line.includes(" peer "));
const listens = (lines: string) => / listen-port (\d+)/.exec(lines)?.[1];
const mtu = (lines: string) => / mtu (\d+)/.exec(lines)?.[1];

test("one device a node, the others as its peers; who has an endpoint is called by all", () => {
  const network = three();
  const [onLux, , onNas] = network.mesh(all, { routes: { fra: ["192.168.7.0/24"] } });
  expect(network.faults).toEqual([]);
  expect(onLux).toMatchInlineSnapshot(`
"ip link add dev mesh type wireguard
ip link set dev mesh mtu 1420 group 28417 addrgenmode none alias overlay:net/prod:mesh
ip link set dev mesh up
sysctl -w net/ipv4/conf/mesh/rp_filter=2
sysctl -w net/ipv6/conf/mesh/accept_ra=0
sysctl -w net/ipv6/conf/mesh/disable_ipv6=0
wg set mesh listen-port 11001 fwmark 0x6f private-key /etc/overlay/keys/wireguard.key
wg set mesh peer <known after fra is created> allowed-ips 10.255.0.2/32,192.168.7.0/24,fd00:6f::2/128 endpoint 198.51.100.9:11002 persistent-keepalive 25
wg set mesh peer <known after nas is created> allowed-ips 10.255.0.9/32
ip addr add 10.255.0.1/32 dev mesh
ip addr add fd00:6f::1/128 dev mesh
ip addr add fe80::1/64 dev mesh
ip route add 192.168.7.0/24 dev mesh table 111 proto 111 metric 4096 src 10.255.0.1
ip route add 10.255.0.2/32 dev mesh proto 111 metric 4096 src 10.255.0.1
ip route add 10.255.0.9/32 dev mesh proto 111 metric 4096 src 10.255.0.1
ip route add fd00:6f::2/128 dev mesh proto 111 metric 4096 src fd00:6f::1
nft add counter inet overlay link-mesh
nft add element inet overlay guard { 11001 : "link-mesh" }"
`);
  expect(peers(onNas)).toMatchInlineSnapshot(`
[
  "wg set mesh peer <known after fra is created> allowed-ips 10.255.0.2/32,192.168.7.0/24,fd00:6f::2/128 endpoint 198.51.100.9:11002 persistent-keepalive 25",
  "wg set mesh peer <known after lux is created> allowed-ips 10.255.0.1/32,fd00:6f::1/128 endpoint 203.0.113.5:11001 persistent-keepalive 25",
]
`);
});

test("ports: the base and the node's own id, one of a pool, what the mesh says, and what leads there from outside", () => {
  const declared = (): Declared =>
    new Declared()
      .node("lux", { ...lux, portBase: 20000 })
      .node("fra", { ...fra, ports: [500, 501, 502] })
      .node("nas", { ...nas, endpoints: [{ address: "203.0.113.77", ports: [443, 4500] }] });
  const lines = declared().mesh(all);
  expect(lines.map(listens)).toEqual(["20001", "502", "11009"]);
  expect(peers(lines[0]).map((line) => / endpoint (\S+)/.exec(line)?.[1])).toEqual([
    "198.51.100.9:502",
    "203.0.113.77:4500",
  ]);
  expect(declared().mesh(all, { port: 51820 }).map(listens)).toEqual(["51820", "51820", "51820"]);
});

test("the MTU is what the smallest underlay leaves, on all; device, family and keepalive are as the mesh says", () => {
  const network = new Declared()
    .node("lux", { ...lux, underlay: { mtu: 1492 } })
    .node("fra", fra)
    .node("nas", nas);
  expect(network.mesh(all).map(mtu)).toEqual(["1412", "1412", "1412"]);
  const [lines = ""] = three().mesh(all, { family: "inet6", device: "wg0", keepalive: 0 });
  expect(peers(lines)[0]).toBe(
    "wg set wg0 peer <known after fra is created> allowed-ips 10.255.0.2/32,fd00:6f::2/128 endpoint [2001:db8:2::9]:11002",
  );
});

test("with IPv4 alone each peer has what it has of that, and the others say who has none", () => {
  const network = three();
  const phone = {
    name: "phone",
    id: 50,
    publicKey: KEY,
    addresses: ["10.255.0.50", "fd00:6f::50"],
    endpoint: "192.0.2.50:51820",
  };
  const [lines = ""] = network.mesh(all, { family: "v4", mtu: 576, peers: [phone] });
  expect(network.faults).toEqual([]);
  expect(lines).toMatchInlineSnapshot(`
"ip link add dev mesh type wireguard
ip link set dev mesh mtu 576 group 28417 alias overlay:net/prod:mesh
ip link set dev mesh up
sysctl -w net/ipv4/conf/mesh/rp_filter=2
wg set mesh listen-port 11001 fwmark 0x6f private-key /etc/overlay/keys/wireguard.key
wg set mesh peer Z/nQ151/XO7fH+SlX5Ri5Uf10wssuR5ZNx5DfPaOJiM= allowed-ips 10.255.0.50/32 endpoint 192.0.2.50:51820 persistent-keepalive 25
wg set mesh peer <known after fra is created> allowed-ips 10.255.0.2/32 endpoint 198.51.100.9:11002 persistent-keepalive 25
wg set mesh peer <known after nas is created> allowed-ips 10.255.0.9/32
ip addr add 10.255.0.1/32 dev mesh
ip route add 10.255.0.2/32 dev mesh proto 111 metric 4096 src 10.255.0.1
ip route add 10.255.0.50/32 dev mesh proto 111 metric 4096 src 10.255.0.1
ip route add 10.255.0.9/32 dev mesh proto 111 metric 4096 src 10.255.0.1
nft add counter inet overlay link-mesh
nft add element inet overlay guard { 11001 : "link-mesh" }"
`);
  const wrong = three().node("six", { id: 6, addresses: ["fd00:6f::6"], endpoints: ["2001:db8:6::6"] });
  const tv = { ...phone, name: "tv", id: 51, addresses: ["fd00:6f::51"], routes: ["fd00:9::/64"] };
  wrong.mesh(["lux", "nas", "six"], { family: "v4", mtu: 575, routes: { lux: ["::/0"] }, peers: [tv] });
  expect(wrong.faults).toMatchInlineSnapshot(`
[
  "mesh: nodes: legal is an endpoint of family inet on one of every two nodes, and nas, six have none: none of them can call another; give \`endpoints\` to all of them but one, or make them the ends of links with nodes that can be reached. [input/endpoint]",
  "mesh: mtu: found 575, legal is 576 to 1440 bytes (underlay 1500 - WireGuard over IPv4 60 = 1440); leave it out, or say in underlay.mtu of all nodes what the underlay carries. [input/mtu]",
  "mesh: six.addresses: legal is at least one, because a mesh tells its nodes apart by their addresses; give the node an address in the overlay. [input/missing]",
  "mesh: routes.lux[0]: found "::/0", legal is one of IPv4, because family is "v4"; leave it out, or leave out \`family\`. [input/family]",
  "mesh: peers[0].routes[0]: found "fd00:9::/64", legal is one of IPv4, because family is "v4"; leave it out, or leave out \`family\`. [input/family]",
]
`);
});

test("the order in which nodes are given changes no text", () => {
  const [a, b, c] = three().mesh(all);
  expect(three().mesh(["nas", "fra", "lux"])).toEqual([c, b, a]);
});

test("a mesh beside links, and two meshes, have ports and devices of their own", () => {
  const network = three()
    .node("hkg", hkg)
    .node("ams", { id: 12, addresses: ["10.255.0.12"] });
  network.link("lux", "fra");
  network.mesh(["lux", "nas"]);
  network.mesh(["lux", "hkg"], { port: 51820 }, "other");
  expect(network.faults).toEqual([]);
  network.mesh(["lux", "ams"], {}, "third");
  network.mesh(["fra", "hkg"], { device: "inter-lux", port: 11001 }, "fourth");
  expect(network.faults).toMatchInlineSnapshot(`
[
  "third: third.lux.ports: found 11001, legal is UDP port 11001 on lux once, and mesh mesh has it already; set \`port\` on the mesh, or \`ports\` on the link that has it. [input/duplicate]",
  "fourth: fourth.fra.device: found "inter-lux", legal is device inter-lux on fra once, and link lux-fra has it already; name one with \`device\`. [input/duplicate]",
  "fourth: fourth.fra.ports: found 11001, legal is UDP port 11001 on fra once, and link lux-fra has it already; set \`port\` on the mesh, or \`ports\` on the link that has it. [input/duplicate]",
]
`);
});

test("all faults of a mesh at once", () => {
  const network = three()
    .node("hkg", hkg)
    .node("tv", { id: 10 })
    .node("radio", { id: 11, addresses: ["10.255.0.11"], underlay: { mtu: 1300 } });
  network.mesh(["lux", "lux", "fra"], { routes: { ams: ["10.9.0.0/16"] } }, "names");
  network.mesh(
    ["lux", "fra", "hkg", "nas", "tv", "radio"],
    { routes: { fra: ["0.0.0.0/0", "192.168.7.0/24"], hkg: ["::/0", "192.168.7.128/25", "10.255.0.0/24"] } },
    "a-name-of-17-char",
  );
  network.mesh(["lux", "fra"], { mtu: 1500, family: "inet" }, "big");
  network.mesh([], { routes: { fra: ["192.168.7.300/24"] }, colour: "blue" } as never, "wrong");
  expect(network.faults).toMatchInlineSnapshot(`
[
  "names: nodes[1]: found "lux", legal is each node once; leave it out here. [input/duplicate]",
  "names: routes.ams: legal is a node of the mesh; correct the name, or add the node to \`nodes\`; one of \`peers\` has \`routes\` of its own. [input/reference]",
  "a-name-of-17-char: nodes: legal is an endpoint on one of every two nodes, and nas, tv, radio have none: none of them can call another; give \`endpoints\` to all of them but one, or make them the ends of links with nodes that can be reached. [input/endpoint]",
  "a-name-of-17-char: mtu: legal is at least 1280 bytes for IPv6 (RFC 8200), and underlay 1300 - WireGuard over IPv6 80 = 1220 < 1280; raise the MTU of the underlay of radio, and say it in underlay.mtu; with family: "v4", which carries no IPv6, 576 will do. [input/mtu]",
  "a-name-of-17-char: routes.hkg: legal is a default route at one node, and fra has 0.0.0.0/0 besides ::/0 of hkg; leave one of them out. [input/overlap]",
  "a-name-of-17-char: routes.hkg: legal is addresses that one node has alone, and 10.255.0.1/32 of lux overlaps 10.255.0.0/24 of hkg; leave them to one of the two, or name smaller prefixes. [input/overlap]",
  "a-name-of-17-char: routes.hkg: legal is addresses that one node has alone, and 10.255.0.2/32 of fra overlaps 10.255.0.0/24 of hkg; leave them to one of the two, or name smaller prefixes. [input/overlap]",
  "a-name-of-17-char: routes.hkg: legal is addresses that one node has alone, and 10.255.0.9/32 of nas overlaps 10.255.0.0/24 of hkg; leave them to one of the two, or name smaller prefixes. [input/overlap]",
  "a-name-of-17-char: routes.hkg: legal is addresses that one node has alone, and 10.255.0.11/32 of radio overlaps 10.255.0.0/24 of hkg; leave them to one of the two, or name smaller prefixes. [input/overlap]",
  "a-name-of-17-char: routes.hkg: legal is addresses that one node has alone, and 192.168.7.128/25 of hkg overlaps 192.168.7.0/24 of fra; leave them to one of the two, or name smaller prefixes. [input/overlap]",
  "a-name-of-17-char: tv.addresses: legal is at least one, because a mesh tells its nodes apart by their addresses; give the node an address in the overlay. [input/missing]",
  "a-name-of-17-char: routes.hkg[0]: found "::/0", legal is a prefix of a family that whoever gets the route has an address of, and nas, radio have none of IPv6; give nas, radio an overlay address of IPv6 in \`addresses\`, or leave the route out. [input/family]",
  "a-name-of-17-char: device: found "a-name-of-17-char", legal is at most 15 bytes, and this has 17; give a shorter name in \`device\`. [input/value]",
  "big: mtu: found 1500, legal is 1280 to 1440 bytes (underlay 1500 - WireGuard over IPv4 60 = 1440); leave it out, or say in underlay.mtu of both nodes what the underlay carries. [input/mtu]",
  "big: big: found "fra and lux", legal is link or mesh between fra and lux once, and mesh a-name-of-17-char has it already; leave one of the two out of the mesh, or remove the other way between them. [input/duplicate]",
  "big: big.lux.ports: found 11001, legal is UDP port 11001 on lux once, and mesh a-name-of-17-char has it already; set \`port\` on the mesh, or \`ports\` on the link that has it. [input/duplicate]",
  "big: big.fra.ports: found 11002, legal is UDP port 11002 on fra once, and mesh a-name-of-17-char has it already; set \`port\` on the mesh, or \`ports\` on the link that has it. [input/duplicate]",
  "wrong: nodes: legal is at least 1; correct the value. [input/range]",
  "wrong: routes.fra[0]: found "192.168.7.300/24", legal is a prefix such as 192.168.7.0/24, fd00:7::/64, or 0.0.0.0/0; correct the prefix. [input/value]",
  "wrong: colour: legal is one of device, family, keepalive, mtu, nodes, peers, port, postQuantum, routes; remove it, or correct its spelling. [input/unknownField]",
]
`);
});

test("an interface a node; each knows how its own machine is reached; keys come from the hosts", async () => {
  const outputs: unknown[] = [];
  const made = await registered(() => {
    const nodes = Object.entries({ lux, fra, nas }).map(
      ([name, args]) =>
        new OverlayNode(
          name,
          { ...args, connection: { host: `${name}.example` } },
          { aliases: [{ name: `${name}0` }] },
        ),
    );
    new WgMesh("mesh", { nodes }, { customTimeouts: { create: "5m" } }).devices.apply((it) => outputs.push(...it));
  });
  const interfaces = made.filter(({ type }) => type === "overlay:wireguard:Interface");
  expect(interfaces.map(({ name }) => name)).toEqual(["mesh@fra", "mesh@lux", "mesh@nas"]);
  expect(JSON.parse(interfaces[0]?.inputs.spec)).toMatchObject({
    link: "mesh",
    peers: [
      { name: "lux", publicKey: "key-of-lux", endpoint: "203.0.113.5:11001" },
      { name: "nas", publicKey: "key-of-nas" },
    ],
  });
  expect(interfaces[0]).toMatchObject({
    inputs: { connection: { host: "fra.example" }, machine: "machine-of-fra" },
    options: { aliases: [{ name: "mesh@fra0" }], customTimeouts: { create: "5m" } },
    // Of all the peers' machines it would be once a pair, in a state that is written at every step.
    sources: 0,
  });
  expect(outputs).toEqual([
    { node: "lux", device: "mesh", listenPort: 11001, mtu: 1420 },
    { node: "fra", device: "mesh", listenPort: 11002, mtu: 1420 },
    { node: "nas", device: "mesh", listenPort: 11009, mtu: 1420 },
  ]);
});

test("one node may be the others' way to everything; what a host has a way of its own to goes before it", () => {
  const network = three();
  const [onLux, onFra] = network.mesh(all, { routes: { fra: ["0.0.0.0/0"] } });
  const ways = (lines = "") => lines.split("\n").filter((line) => /rule|0\.0\.0\.0\/0/.test(line));
  expect(ways(onLux)).toEqual([
    "ip rule add pref 5110 lookup main suppress_prefixlength 0",
    "ip -6 rule add pref 5110 lookup main suppress_prefixlength 0",
    "wg set mesh peer <known after fra is created> allowed-ips 0.0.0.0/0,10.255.0.2/32,fd00:6f::2/128 endpoint 198.51.100.9:11002 persistent-keepalive 25",
    "ip route add 0.0.0.0/0 dev mesh table 111 proto 111 metric 4096 src 10.255.0.1",
  ]);
  expect(ways(onFra)).toEqual([]);
  network.node("hkg", hkg).mesh(["nas", "hkg"], { port: 51820, routes: { hkg: ["0.0.0.0/0"] } }, "other");
  network.link("fra", "hkg", { routes: { b: ["0.0.0.0/0"] } }); // fra itself has none by the mesh
  expect(network.faults).toEqual([]);
  expect(network.overlaps()).toEqual([
    'other.routes: found "0.0.0.0/0", legal is a default route by one link or mesh of nas, and mesh mesh leads to 0.0.0.0/0 there; leave one of them out. [input/overlap]',
  ]);
});

test("where two meshes or links lead a node to the same, it has no way that anybody chose", () => {
  const network = three().node("hkg", hkg);
  network.node("ams", { id: 4, addresses: ["10.255.8.4"], endpoints: ["192.0.2.44"], relay: [{ a: "lux", b: "far" }] });
  network.node("far", { id: 5, addresses: ["10.254.0.5"] });
  network.mesh(["lux", "fra"], { routes: { fra: ["192.168.7.0/24", "10.255.8.0/24", "10.254.0.0/16"] } }, "east");
  network.mesh(["lux", "hkg"], { port: 51820, routes: { hkg: ["192.168.7.0/24", "192.168.8.0/24"] } }, "west");
  network.link("lux", "nas", { routes: { b: ["192.168.8.128/25"] } });
  network.link("nas", "hkg", { routes: { b: ["192.168.7.0/24"] } }); // nas has no other way there
  network.link("lux", "ams");
  network.link("ams", "far");
  expect(network.faults).toEqual([]);
  expect(network.relays()).toEqual([]);
  const cure = "leave it to one of the two, or name smaller prefixes in `routes`. [input/overlap]";
  expect(network.overlaps()).toEqual([
    `west.routes: found "192.168.7.0/24", legal is a prefix that lux has one way to, and mesh east leads to 192.168.7.0/24 there; ${cure}`,
    `lux-nas.routes: found "192.168.8.128/25", legal is a prefix that lux has one way to, and mesh west leads to 192.168.8.0/24 there; ${cure}`,
    `lux-ams: found "10.254.0.5/32", legal is a prefix that lux has one way to, and mesh east leads to 10.254.0.0/16 there; ${cure}`,
    `lux-ams: found "10.255.8.4/32", legal is a prefix that lux has one way to, and mesh east leads to 10.255.8.0/24 there; ${cure}`,
  ]);
});

test("whoever gets a route has an address to send from: else what it is for left by the underlay", () => {
  const network = three().node("hkg", hkg);
  const said = (names: string, have: string) =>
    `found "::/0", legal is a prefix of a family that whoever gets the route has an address of, and ${names} ${have} none of IPv6; give ${names} an overlay address of IPv6 in \`addresses\`, or leave the route out. [input/family]`;
  network.mesh(["lux", "fra", "hkg", "nas"], { routes: { fra: ["192.168.7.0/24", "::/0"] } });
  const tv = { ...phone, id: 51, name: "tv", routes: ["::/0"], endpoint: "192.0.2.50:51820" };
  network.mesh(["lux", "hkg"], { peers: [tv], port: 51820 }, "other");
  network.mesh(["hkg"], { peers: [phone], port: 51821, routes: { hkg: ["::/0"] } }, "third");
  expect(network.faults.filter((it) => it.includes("family"))).toEqual([
    `mesh: routes.fra[1]: ${said("hkg, nas", "have")}`,
    `other: peers[0].routes[0]: ${said("hkg", "has")}`,
  ]);
});

const phone = {
  name: "phone",
  id: 50,
  publicKey: "Z/nQ151/XO7fH+SlX5Ri5Uf10wssuR5ZNx5DfPaOJiM=",
  addresses: ["10.255.0.50", "FD00:6f::50"],
};

test("somebody else's machine is a peer of every node, and is told of them by a file of wg-quick", async () => {
  const network = new Declared().node("lux", lux).node("fra", fra);
  const lines = network.mesh(["lux", "fra"], { peers: [phone] });
  expect(network.faults).toEqual([]);
  const line = `wg set mesh peer ${phone.publicKey} allowed-ips 10.255.0.50/32,fd00:6f::50/128`;
  expect(lines.map((it) => peers(it).find((one) => one.includes(phone.publicKey)))).toEqual([line, line]);

  const files: unknown[] = [];
  await registered(() => {
    const nodes = Object.entries({ lux, fra }).map(
      ([name, args]) => new OverlayNode(name, { ...args, connection: { host: `${name}.example` } }),
    );
    const { wgQuick } = new WgMesh("mesh", { nodes, peers: [phone], routes: { fra: ["192.168.7.0/24"] } });
    wgQuick.apply((it) => files.push(it.phone));
  });
  expect(files[0]).toMatchInlineSnapshot(`
"# phone
[Interface]
PrivateKey = <the private key of phone>
Address = 10.255.0.50/32, fd00:6f::50/128
MTU = 1420

# lux
[Peer]
PublicKey = key-of-lux
AllowedIPs = 10.255.0.1/32, fd00:6f::1/128
Endpoint = 203.0.113.5:11001
PersistentKeepalive = 25

# fra
[Peer]
PublicKey = key-of-fra
AllowedIPs = 10.255.0.2/32, fd00:6f::2/128, 192.168.7.0/24
Endpoint = 198.51.100.9:11002
PersistentKeepalive = 25
"
`);
});

test("faults of somebody else's machine", () => {
  const network = three();
  const privateKey = "SJjVGFkcXRFGw8Jd1p+8Dgb/uNBYPbmFgTcA0X1eAEg=";
  network.mesh(["lux", "nas"], { peers: [phone] }, "unreachable");
  network.mesh(["lux"], { peers: [{ ...phone, publicKey: privateKey }], device: "wg1", port: 1 }, "key");
  network.mesh(
    ["lux", "fra"],
    {
      device: "wg2",
      port: 2,
      routes: { fra: ["192.168.7.0/24"] },
      peers: [
        { ...phone, endpoint: "[fd00:6f::2]:51820", routes: ["192.168.0.0/16"] },
        { ...phone, name: "laptop", id: 2, addresses: ["10.255.0.1"] },
      ],
    },
    "clashes",
  );
  expect(network.faults).toMatchInlineSnapshot(`
[
  "unreachable: nodes: legal is an endpoint on one of every two nodes, and nas, phone have none: none of them can call another; give \`endpoints\` to all of them but one, or make them the ends of links with nodes that can be reached. [input/endpoint]",
  "key: peers[0].publicKey: legal is a WireGuard public key, and this has the form of a private key; give what \`wg pubkey\` prints, and if this was a private key, make a new one. [input/value]",
  "key: key: legal is link or mesh between lux and phone once, and mesh unreachable has it already; leave one of the two out of the mesh, or remove the other way between them. [input/duplicate]",
  "clashes: routes.fra: legal is addresses that one node has alone, and 192.168.7.0/24 of fra overlaps 192.168.0.0/16 of phone; leave them to one of the two, or name smaller prefixes. [input/overlap]",
  "clashes: peers[1].publicKey: legal is another key than phone has; make a new key on one of the two. [input/duplicate]",
  "clashes: phone.endpoint: found "fd00:6f::2", legal is an address on the underlay, and this is inside the overlay prefix fd00:6f::2/128, so the tunnel would carry its own packets; name the peer's address on the underlay, or leave the endpoint out and let the peer call. [input/underlay]",
  "clashes: laptop.id: found 2, legal is id 2 once, and node fra has it already; give each node an id of its own, and never change it. [input/duplicate]",
  "clashes: laptop.addresses[0]: found "10.255.0.1", legal is address 10.255.0.1 once, and node lux has it already; give each node its own addresses. [input/duplicate]",
  "clashes: clashes: found "lux and phone", legal is link or mesh between lux and phone once, and mesh unreachable has it already; leave one of the two out of the mesh, or remove the other way between them. [input/duplicate]",
]
`);
  expect(network.faults.join()).not.toContain(privateKey);
});

test("what is taken without its resources is still secret, and unknown where it was", async () => {
  const { secret, unknown } = pulumi as typeof pulumi & { unknown: string };
  const isSecret = (value: pulumi.Output<unknown>) => pulumi.isSecret(unrelated(value));
  expect([await isSecret(secret("x")), await isSecret(pulumi.output("x"))]).toEqual([true, false]);
  const partly = unrelated(pulumi.output([unknown, "x"])) as unknown as { isKnown: Promise<boolean> };
  expect(await partly.isKnown).toBe(false);
});

test("in a preview what is not known yet says what it waits for", async () => {
  const made = await registered(() => {
    const nodes = Object.entries({ lux, fra }).map(
      ([name, args]) => new OverlayNode(name, { ...args, connection: { host: `${name}.example` } }),
    );
    new WgMesh("mesh", { nodes });
  }, true);
  const onLux = made.find(({ name }) => name === "mesh@lux");
  expect(JSON.parse(onLux?.inputs.spec).peers).toMatchObject([
    { name: "fra", publicKey: "<known after fra is created>", endpoint: "198.51.100.9:11002" },
  ]);
});

test("above 250 nodes a preview says what they cost", () => {
  const nodes = (count: number) => ({ nodes: Array.from({ length: count }, (_, n) => reference(`n${n}`)) });
  expect(costly(nodes(250))).toBeUndefined();
  expect(costly(nodes(251))).toContain("251 nodes: each has 250 peers");
});

test("a preview of a mesh of 251 nodes says so", async () => {
  const said: string[] = [];
  // The SDK notes where each of its promises was made, and jest would look up where that is in the source.
  const traced = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  const warn = jest.spyOn(pulumi.log, "warn").mockImplementation(async (text) => void said.push(text));
  const nodes = Array.from({ length: 251 }, (_, index) => index + 1).map((id) => ({
    id,
    addresses: [`10.255.${id >> 8}.${id & 255}`],
    endpoints: [`198.51.${100 + (id >> 8)}.${id & 255}`],
    connection: { host: `n${id}.example` },
  }));
  await registered(() => {
    new WgMesh("mesh", { nodes: nodes.map((node) => new OverlayNode(`n${node.id}`, node)) });
  }, true);
  warn.mockRestore();
  Error.stackTraceLimit = traced;
  expect(said).toEqual([expect.stringContaining("251 nodes: each has 250 peers")]);
});
