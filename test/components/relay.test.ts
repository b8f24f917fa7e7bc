/** Relays, from what people write about three nodes to the words of their kernels, and every fault of one. */
import { OverlayNode, WgLink, WgMesh } from "../../components";
import { Network } from "../../components/network";
import type { NodeData } from "../../components/nodeArgs";
import { formatWithCodes } from "../../sdk/faults";
import { publicKeys } from "../sdk/publicKeys";
import { Declared, reference, registered } from "./declare";

const lux = { id: 1, addresses: ["10.255.0.1", "fd00:6f::1"], endpoints: ["203.0.113.5"] };
const fra = { id: 2, addresses: ["10.255.0.2", "fd00:6f::2"], endpoints: ["198.51.100.9"] };
const hkg = { id: 3, addresses: ["10.255.0.3", "fd00:6f::3"], endpoints: ["192.0.2.7"] };
const nas = { id: 9, addresses: ["10.255.0.9"] };
const relay = [{ a: "lux", b: "hkg" }];
const [LUX, HKG] = publicKeys(2) as [string, string];

const words = (lines = "", pattern = /route|forwarding|allowed-ips/): string[] =>
  lines.split("\n").filter((line) => pattern.test(line));

/** Nodes in any order: a relay's others may come after it. */
const three = () =>
  new Declared()
    .node("fra", { ...fra, relay })
    .node("lux", lux)
    .node("hkg", hkg);

test("each end reaches the other by way of the relay, with the smaller MTU of the two links", () => {
  const network = three();
  network.link("fra", "hkg", { mtu: 1380 });
  const [onLux, onFra] = network.link("lux", "fra");
  expect(network.relays()).toEqual([]);
  expect(words(onLux)).toEqual([
    "wg set inter-fra peer <known after peer is created> allowed-ips 0.0.0.0/0,::/0 endpoint 198.51.100.9:11001 persistent-keepalive 25",
    "ip route add 10.255.0.2/32 dev inter-fra proto 111 metric 4096 src 10.255.0.1",
    "ip route add 10.255.0.3/32 dev inter-fra proto 111 metric 8194 src 10.255.0.1 mtu 1380",
    "ip route add fd00:6f::2/128 dev inter-fra proto 111 metric 4096 src fd00:6f::1",
    "ip route add fd00:6f::3/128 dev inter-fra proto 111 metric 8194 src fd00:6f::1 mtu 1380",
  ]);
  expect(words(onFra, /forwarding/)).toEqual(["sysctl -w net/ipv4/conf/inter-lux/forwarding=1"]);
  expect(words(onFra, / metric (?!4096)/)).toEqual([]);
});

test("a way of which one half carries IPv4 alone leads to the IPv4 addresses alone", () => {
  const narrow = { mtu: 600, family: "v4" } as const;
  const [network, other] = [three(), three()];
  network.link("fra", "hkg", narrow);
  const [onLux] = network.link("lux", "fra");
  other.link("lux", "fra");
  const [, onHkg] = other.link("fra", "hkg", narrow);
  expect(words(onLux, / metric 8194 /)).toEqual([
    "ip route add 10.255.0.3/32 dev inter-fra proto 111 metric 8194 src 10.255.0.1 mtu 600",
  ]);
  expect(words(onHkg, / metric 8194 /)).toEqual([
    "ip route add 10.255.0.1/32 dev inter-fra proto 111 metric 8194 src 10.255.0.3",
  ]);
});

test("by way of a mesh, the relay's entry there has the other's addresses, on the one node alone", () => {
  const network = new Declared()
    .node("lux", lux)
    .node("fra", { ...fra, relay })
    .node("ams", { ...nas, endpoints: ["192.0.2.99"] })
    .node("hkg", hkg);
  network.link("fra", "hkg");
  const [onLux, onFra, onAms] = network.mesh(["lux", "fra", "ams"]);
  expect([...network.faults, ...network.relays()]).toEqual([]);
  expect(words(onLux, /fra is created|10\.255\.0\.3/)).toEqual([
    "wg set mesh peer <known after fra is created> allowed-ips 10.255.0.2/32,10.255.0.3/32,fd00:6f::2/128,fd00:6f::3/128 endpoint 198.51.100.9:11002 persistent-keepalive 25",
    "ip route add 10.255.0.3/32 dev mesh proto 111 metric 8194 src 10.255.0.1",
  ]);
  expect(onAms).not.toContain("10.255.0.3");
  expect(onFra).toContain("net/ipv4/conf/mesh/forwarding=1");
  expect(onAms).not.toContain("forwarding");
});

test("between nodes with a link of their own the relay's routes come after that link's", () => {
  const network = three();
  network.link("lux", "fra");
  network.link("fra", "hkg");
  const [direct] = network.link("lux", "hkg");
  expect(words(direct, /10\.255\.0\.3/)).toEqual([
    "ip route add 10.255.0.3/32 dev inter-hkg proto 111 metric 4096 src 10.255.0.1",
  ]);
  expect(network.relays()).toEqual([]);
});

test("all faults of relays, at once", () => {
  const network = new Declared()
    .node("lux", lux)
    .node("hkg", hkg)
    .node("nas", nas)
    .node("tv", { id: 7, addresses: ["fd00:6f::7"] })
    .node("fra", {
      ...fra,
      relay: [
        { a: "lux", b: "hkg" },
        { a: "hkg", b: "lux" },
        { a: "lux", b: "lxu" },
        { a: "fra", b: "lux" },
        { a: "lux", b: "lux" },
        { a: "nas", b: "tv" },
      ],
    });
  network.link("lux", "fra");
  network.link("tv", "fra");
  expect([...network.faults, ...network.relays()]).toMatchInlineSnapshot(`
[
  "relay[0].b: found "hkg", legal is a node that fra has a link or a mesh with; declare one, or leave the pair out. [input/way]",
  "relay[1]: legal is each pair once, in whatever order, and hkg and lux are relay[0] already; leave it out here. [input/duplicate]",
  "relay[2].b: found "lxu", legal is the name of a node of this program, or of the \`peer\` of one of its links, without faults of its own; correct the name, declare it together with fra, or give one of a mesh's \`peers\` a WgLink with fra as well. [input/reference]",
  "relay[3].a: found "fra", legal is another node than the relay itself; name the two nodes that this one stands between. [input/conflict]",
  "relay[4].b: found "lux", legal is another node than a; name the two nodes that this one stands between. [input/conflict]",
  "relay[5].a: found "nas", legal is a node that fra has a link or a mesh with; declare one, or leave the pair out. [input/way]",
  "relay[5]: legal is two nodes with addresses of one family, and nas and tv have none in common; give both \`addresses\`, or leave the pair out. [input/family]",
]
`);
});

test("an end that is another stack's node, the peer of a link: the pair is let through, and each end is told the way", async () => {
  const peer = { name: "hkg", id: 3, publicKey: HKG, addresses: hkg.addresses, endpoint: "192.0.2.7:11002" };
  const files: unknown[] = [];
  const made = await registered(() => {
    const [f, l] = Object.entries({ fra: { ...fra, relay }, lux }).map(
      ([name, args]) => new OverlayNode(name, { ...args, connection: { host: `${name}.example` } }),
    ) as [OverlayNode, OverlayNode];
    new WgLink("lux-fra", { a: l, b: f });
    new WgLink("fra-hkg", { a: f, peer, mtu: 1380 }).wgQuick.apply((it) => files.push(it));
  });
  const spec = (of: string) => made.find(({ name }) => name === of)?.inputs.spec;
  expect(spec("fra").relay).toEqual([
    { a: { name: "lux", addresses: lux.addresses }, b: { name: "hkg", addresses: hkg.addresses } },
  ]);
  expect(spec("fra-hkg@fra")).toMatchObject({ relayed: [], forwards: true });
  expect(spec("lux-fra@lux").relayed).toEqual([{ name: "hkg", by: "fra", addresses: hkg.addresses, mtu: 1380 }]);
  expect(files.join()).toContain("AllowedIPs = 10.255.0.2/32, fd00:6f::2/128, 10.255.0.1/32, fd00:6f::1/128\n");
});

test("of a pair of which both ends are others', and of one that nobody has a link with", () => {
  const pairs = [...relay, { a: "hkg", b: "van" }];
  const network = new Declared()
    .node("fra", { ...fra, relay: pairs })
    .node("sin", { id: 12, endpoints: ["192.0.2.12"] });
  network.peer("fra", { name: "lux", id: 1, publicKey: LUX, addresses: lux.addresses });
  network.peer("sin", { name: "hkg", id: 3, publicKey: HKG, addresses: hkg.addresses });
  expect([...network.faults, ...network.relays()]).toMatchInlineSnapshot(`
[
  "relay[0].b: found "hkg", legal is a node that fra has a link or a mesh with; declare one, or leave the pair out. [input/way]",
  "relay[1].b: found "van", legal is the name of a node of this program, or of the \`peer\` of one of its links, without faults of its own; correct the name, declare it together with fra, or give one of a mesh's \`peers\` a WgLink with fra as well. [input/reference]",
]
`);
});

test("what a mesh cannot do for a relay", () => {
  const network = three()
    .node("ams", { ...nas, endpoints: ["192.0.2.99"], relay })
    .node("nyc", { id: 10, addresses: ["10.255.0.10"] });
  network.mesh(["lux", "fra", "hkg"], { routes: { fra: ["192.168.7.0/24"] } });
  network.mesh(["lux", "ams"], { device: "wg1", port: 1 }, "europe");
  network.link("ams", "hkg");
  expect([...network.faults, ...network.relays()]).toMatchInlineSnapshot(`
[
  "mesh: nodes[1]: found "fra", legal is a mesh that does not hold both nodes of a pair of its relay, and fra relays between lux and hkg, which are peers of each other here; leave the pair out of \`relay\` of fra, or one of the three out of the mesh and give it a WgLink. [input/relay]",
  "mesh: routes.fra: legal is empty at fra, a relay, which forwards between its pairs and nothing else; have it behind a node that is no relay. [input/relay]",
]
`);
});

test("in a mesh one relay leads from a node to another", () => {
  const network = new Network();
  const ams = { ...nas, endpoints: ["192.0.2.99"] };
  const nodes = Object.entries({ lux, fra: { ...fra, relay }, ams: { ...ams, relay }, hkg }).map(
    ([name, args]) =>
      network.addNode(name, { connection: { host: `${name}.example` }, ...args }) as { value: NodeData },
  );
  network.addMesh("mesh", { nodes: ["lux", "fra", "ams"].map(reference) });
  for (const a of ["fra", "ams"]) network.addLink(`${a}-hkg`, { a: reference(a), b: reference("hkg") });
  expect(nodes.map(({ value }) => formatWithCodes(network.relays.faults(value))).filter(Boolean)).toEqual([
    "relay[0]: legal is one relay for each node to another in a mesh, and in mesh ams is that of lux to hkg already; leave it out at one of the two. [input/duplicate]",
  ]);
});

test("a program: the relay's host knows the pair's addresses, and each end the other's", async () => {
  const made = await registered(() => {
    const [f, l, h] = Object.entries({ fra: { ...fra, relay }, lux, hkg }).map(
      ([name, args]) => new OverlayNode(name, { ...args, connection: { host: `${name}.example` } }),
    ) as [OverlayNode, OverlayNode, OverlayNode];
    new WgLink("lux-fra", { a: l, b: f });
    new WgMesh("asia", { nodes: [f, h] });
  });
  const spec = (of: string) => {
    const { spec } = made.find(({ name }) => name === of)?.inputs ?? {};
    return typeof spec === "string" ? JSON.parse(spec) : spec;
  };
  expect(spec("fra").relay).toEqual([
    { a: { name: "lux", addresses: lux.addresses }, b: { name: "hkg", addresses: hkg.addresses } },
  ]);
  expect(spec("lux").relay).toEqual([]);
  expect(spec("lux-fra@lux")).toMatchObject({
    relayed: [{ name: "hkg", by: "fra", addresses: hkg.addresses, mtu: 1420 }],
    forwards: false,
  });
  expect(spec("lux-fra@fra")).toMatchObject({ relayed: [], forwards: true });
  expect(spec("asia@hkg")).toMatchObject({ relayed: [{ name: "lux", by: "fra" }] });
  expect(spec("asia@fra").forwards).toBe(true);
});
