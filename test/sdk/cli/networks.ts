/** Networks as state has them: one by real components, and others of any size and shape, of what is read of state alone. */
import { OverlayNode, RosenpassPeer, VxlanSegment, WgLink, WgMesh } from "../../../components";

/** Of everything something. */
export function everything(): void {
  const node = (name: string, id: number, more: object) =>
    new OverlayNode(name, {
      id,
      connection: { host: `${name}.example`, hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHereIsTheKeyOfAHost" },
      addresses: [`10.255.0.${id}`, `fd00:6f::${id}`],
      ...more,
    });
  const lux = node("lux", 1, { endpoints: ["203.0.113.5", "2001:db8:1::5"] });
  const fra = node("fra", 2, { endpoints: ["198.51.100.9"], relay: [{ a: "lux", b: "nas" }] });
  const nas = node("nas", 3, {});
  const [hkg, sgp] = [node("hkg", 4, { endpoints: ["192.0.2.7"] }), node("sgp", 5, { endpoints: ["192.0.2.8"] })];
  const link = new WgLink("lux-fra", { a: lux, b: fra });
  new RosenpassPeer("lux-fra", { link, mode: "strict" });
  new WgLink("fra-nas", { a: fra, b: nas });
  const publicKey = "Z/nQ151/XO7fH+SlX5Ri5Uf10wssuR5ZNx5DfPaOJiM=";
  new WgLink("lux-phone", { a: lux, peer: { name: "phone", id: 50, publicKey, addresses: ["10.255.0.50"] } });
  new WgMesh("asia", { nodes: [lux, hkg, sgp], postQuantum: { mode: "permissive" } });
  const members = [lux, fra, nas].map((node, index) => ({ node, addresses: [`10.100.0.${index + 1}/24`] }));
  new VxlanSegment("lan", {
    vni: 100,
    variant: "static-flood",
    members: members.map((member, index) => (index === 0 ? { ...member, bridge: {} } : member)),
  });
  new VxlanSegment("plain", {
    vni: 7,
    variant: "static-flood",
    port: 4790,
    encrypted: false,
    members: [
      { node: hkg, addresses: ["10.101.0.1/24"] },
      { node: sgp, addresses: ["10.101.0.2/24"] },
    ],
  });
}

export interface Shape {
  /** Names of nodes. */
  nodes: string[];
  /** Each between two nodes, by their places. */
  links?: (readonly [number, number])[];
  /** Places of nodes. */
  meshes?: number[][];
  segments?: number[][];
  /** Who forwards, and between whom. */
  relays?: (readonly [by: number, a: number, b: number])[];
}

const address = (node: number, net = 255): string => `10.${net}.${(node + 1) >> 8}.${(node + 1) & 255}`;

/** What `pulumi stack export` would print of it. */
export function stateOf({ nodes, links = [], meshes = [], segments = [], relays = [] }: Shape): string {
  const nameOf = (node: number): string => nodes[node] ?? "";
  const resource = (type: string, name: string, spec: object) => ({
    urn: `urn:pulumi:prod::net::${type}::${name}`,
    custom: true,
    type,
    inputs: { connection: { host: `${name}.example` }, spec: JSON.stringify(spec) },
  });
  const peer = (node: number) => ({
    name: nameOf(node),
    endpoint: `203.0.113.${node % 250}:11001`,
    addresses: [address(node)],
  });
  const device = (link: string, node: number, more: object) =>
    resource("overlay:wireguard:Interface", `${link}-${nameOf(node)}`, {
      node: nameOf(node),
      link,
      device: link,
      mtu: 1420,
      listenPort: 11001,
      ...more,
    });
  const all = [
    ...nodes.map((node, index) => {
      const relay = relays.flatMap(([by, a, b]) =>
        by === index ? [{ a: { name: nameOf(a) }, b: { name: nameOf(b) } }] : [],
      );
      const addresses = [address(index), `fd00:6f::${index + 1}`];
      return resource("overlay:node:Host", node, { node, owner: "net/prod", id: index + 1, addresses, relay });
    }),
    ...links.flatMap(([a, b], index) => [
      device(`link-${index + 1}`, a, { peer: peer(b) }),
      device(`link-${index + 1}`, b, { peer: peer(a) }),
    ]),
    ...meshes.flatMap((mesh, index) =>
      mesh.map((node) => device(`mesh-${index + 1}`, node, { peers: mesh.filter((it) => it !== node).map(peer) })),
    ),
    ...segments.flatMap((members, index) =>
      members.map((node) =>
        resource("overlay:vxlan:Member", `lan-${index + 1}-${nameOf(node)}`, {
          node: nameOf(node),
          segment: `lan-${index + 1}`,
          device: "vx-lan",
          vni: 100 + index,
          variant: "static-flood",
          mtu: 1370,
          addresses: [`${address(node, 100 + index)}/16`],
        }),
      ),
    ),
  ];
  return JSON.stringify({ version: 3, deployment: { manifest: {}, resources: all } });
}

const named = (count: number, kind = "node"): string[] => Array.from({ length: count }, (_, n) => `${kind}-${n + 1}`);
const every = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
const pairs = (all: readonly number[]) => all.flatMap((a, at) => all.slice(at + 1).map((b) => [a, b] as const));

/** Links of some, always the same: by a linear congruential generator (Numerical Recipes, 7.1). */
function scattered(nodes: number, links: number) {
  let seed = 1;
  const next = (): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return (seed >>> 8) % nodes;
  };
  const made = new Map<string, readonly [number, number]>();
  while (made.size < links) {
    const [a = 0, b = 0] = [next(), next()].sort((one, other) => one - other);
    if (a !== b) made.set(`${a} ${b}`, [a, b]);
  }
  return [...made.values()];
}

/** A region's nodes are linked to its hub, and the hubs to each other. */
const regions = (hubs: number, leaves: number) => [
  ...pairs(every(hubs)),
  ...every(hubs * leaves).map((leaf) => [leaf % hubs, hubs + leaf] as const),
];

const LONG = "a-name-of-a-machine-that-is-as-long-as-names-may-be-0123456789-";

export const shapes: Record<string, Shape> = {
  "one node": { nodes: ["lux"] },
  "two without a link": { nodes: ["lux", "fra"] },
  "two and a link": { nodes: ["lux", "fra"], links: [[0, 1]] },
  three: { nodes: ["lux", "fra", "hkg"], links: pairs(every(3)), relays: [[1, 0, 2]] },
  "ten, each linked to each": { nodes: named(10), links: pairs(every(10)) },
  "a mesh of ten and two segments": {
    nodes: named(10),
    meshes: [every(10)],
    segments: [every(6), [3, 4, 5, 6, 7]],
  },
  "two hubs": { nodes: named(12, "site"), links: [[0, 1], ...every(20).map((n) => [n % 2, 2 + (n >> 1)] as const)] },
  "three regions": { nodes: named(18, "site"), links: regions(3, 5) },
  "a mesh of thirty and a segment": { nodes: named(30), meshes: [every(30)], segments: [every(30)] },
  "thirty, scattered": { nodes: named(30), links: scattered(30, 45), relays: [[3, 1, 9]] },
  "210 links of 21 nodes": { nodes: named(21), links: pairs(every(21)) },
  "200 links of a star": { nodes: named(201), links: every(200).map((n) => [0, n + 1] as const) },
  "200 links of 100 nodes": { nodes: named(100), links: scattered(100, 200) },
  "two meshes with a node in both": { nodes: named(11), meshes: [every(6), every(11).slice(5)] },
  "a mesh and links": {
    nodes: named(8),
    meshes: [every(6)],
    links: [
      [0, 6],
      [0, 7],
      [1, 2],
    ],
  },
  "two networks": { nodes: named(7), links: [...pairs(every(3)), ...pairs([3, 4, 5, 6])] },
  "long names": {
    nodes: every(6).map((n) => `${LONG.slice(0, 61)}-${n}`),
    links: pairs(every(6)),
    segments: [every(6)],
  },
  "members of twelve segments": { nodes: named(4), links: pairs(every(4)), segments: every(12).map(() => every(4)) },
  "a relay of many": {
    nodes: named(9),
    links: every(8).map((n) => [0, n + 1] as const),
    relays: pairs(every(9).slice(1)).map(([a, b]) => [0, a, b] as const),
  },
};

/** Characters that are markup to somebody. */
export const HOSTILE = [
  `<script>alert(1)</script>`,
  `"] --> x["&amp;#35;`,
  `'$(reboot)\`id\`\\N`,
  "**bold** [link](http://example.com) | \u0007\u001b[31m",
  "]]>\u202e端末😀",
];
