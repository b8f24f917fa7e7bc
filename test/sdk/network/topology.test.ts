import { type Fault, formatWithCodes } from "../../../sdk/faults";
import {
  Topology,
  type TopologyEnd,
  type TopologyLink,
  type TopologyMesh,
  type TopologyNode,
} from "../../../sdk/network/topology";

const node = (name: string, id: number, more: Partial<TopologyNode> = {}): TopologyNode => ({
  name,
  id,
  addresses: [`10.255.0.${id}`],
  prefixes: ["10.255.0.0/24"],
  ...more,
});
const end = (of: string, peer: string, more: Partial<TopologyEnd> = {}): TopologyEnd => ({
  node: of,
  peer,
  device: `inter-${peer}`,
  endpoints: [],
  ...more,
});
const link = (a: string, b: string, ends: [Partial<TopologyEnd>, Partial<TopologyEnd>] = [{}, {}]): TopologyLink => ({
  name: `${a}-${b}`,
  ends: [end(a, b, ends[0]), end(b, a, ends[1])],
});
const mesh = (name: string, nodes: string[], peers: string[] = []): TopologyMesh => ({
  name,
  devices: nodes.map((node) => ({ node, device: name, endpoints: [] })),
  peers,
});

/** The faults of the last one added; those before must have none. */
function last(...added: (TopologyNode | TopologyLink | TopologyMesh)[]): string {
  const topology = new Topology();
  const add = (one: TopologyNode | TopologyLink | TopologyMesh): Fault[] =>
    "ends" in one ? topology.addLink(one) : "devices" in one ? topology.addMesh(one) : topology.addNode(one);
  const before = added.slice(0, -1).flatMap(add);
  expect(before).toEqual([]);
  return added.slice(-1).map(add).map(formatWithCodes).join("");
}

const lux = node("lux", 1);
const fra = node("fra", 2);
const hkg = node("hkg", 3);

test("three nodes and three links have no faults", () => {
  expect(last(lux, fra, hkg, link("lux", "fra"), link("lux", "hkg"), link("fra", "hkg"))).toBe("");
});

test("a name, an id and an address are one node's", () => {
  expect(last(lux, node("lux", 9))).toBe(
    'lux: found "lux", legal is node lux once, and node lux has it already; give each node a name of its own. [input/duplicate]',
  );
  expect(last(lux, node("fra", 1, { addresses: [] }))).toBe(
    "fra.id: found 1, legal is id 1 once, and node lux has it already; give each node an id of its own, and never change it. [input/duplicate]",
  );
  expect(last(lux, node("fra", 2, { addresses: ["10.255.0.2", "10.255.0.1"] }))).toBe(
    'fra.addresses[1]: found "10.255.0.1", legal is address 10.255.0.1 once, and node lux has it already; give each node its own addresses. [input/duplicate]',
  );
});

test("a link's name is its own, and two nodes have one link", () => {
  expect(last(link("lux", "fra"), { ...link("lux", "hkg"), name: "lux-fra" })).toContain("link lux-fra has it already");
  expect(last(link("lux", "fra"), link("fra", "lux"))).toBe(
    'fra-lux: found "fra and lux", legal is link between fra and lux once, and link lux-fra has it already; remove one; a link has several endpoints, not twins. [input/duplicate]',
  );
});

test("two nodes of a mesh have no link and no other mesh, and neither has a node with a machine of somebody else", () => {
  const ring = mesh("ring", ["lux", "fra", "hkg"], ["phone", "nas"]);
  const said = (who: string, name: string) =>
    `${name}: found "fra and lux", legal is link or mesh between fra and lux once, and ${who} has it already`;
  const cure = "leave one of the two out of the mesh, or remove the other way between them";
  expect(last(link("lux", "fra"), ring)).toBe(`${said("link lux-fra", "ring")}; ${cure}. [input/duplicate]`);
  expect(last(ring, link("lux", "fra"))).toContain(said("mesh ring", "lux-fra"));
  expect(last(ring, mesh("core", ["lux", "fra"]))).toBe(`${said("mesh ring", "core")}; ${cure}. [input/duplicate]`);
  expect(last(mesh("core", ["lux", "fra"], ["nas"]), ring)).toBe(
    `${said("mesh core", "ring")} (and of nas); ${cure}. [input/duplicate]`,
  );
  expect(last(ring, link("lux", "phone"))).toContain("link or mesh between lux and phone once");
  expect(last(ring, mesh("core", ["lux"], ["phone"]))).toContain("link or mesh between lux and phone once");
  expect(last(ring, mesh("core", ["lux", "ams"], ["tv"]), link("ams", "fra"))).toBe("");
  expect(last(ring, mesh("east", ["ams", "tyo"], ["phone", "nas"]))).toBe("");
});

test("a device's name is one link's on a node, and anybody's on another", () => {
  expect(last(link("lux", "fra", [{ device: "wan" }, {}]), link("lux", "hkg", [{ device: "wan" }, {}]))).toBe(
    '["lux-hkg"].lux.device: found "wan", legal is device wan on lux once, and link lux-fra has it already; name one with `devices`. [input/duplicate]'.replace(
      '["lux-hkg"]',
      "lux-hkg",
    ),
  );
  expect(last(link("lux", "fra", [{ device: "wan" }, {}]), link("hkg", "lux", [{ device: "wan" }, {}]))).toBe("");
});

test("a UDP port is one link's on a node, as listen port or beside it; both links are named", () => {
  const said =
    "lux-hkg.lux.ports: found 500, legal is UDP port 500 on lux once, and link lux-fra has it already; set `ports` on one of the links. [input/duplicate]";
  const first = link("lux", "fra", [{ listenPort: 500 }, { listenPort: 500 }]);
  expect(last(first, link("lux", "hkg", [{ listenPort: 500 }, {}]))).toBe(said);
  expect(last(first, link("lux", "hkg", [{ listenPort: 501, alsoPorts: [500] }, {}]))).toBe(said);
  expect(last(first, link("lux", "hkg", [{ listenPort: 501 }, { listenPort: 500 }]))).toBe("");
});

test("an outside port of one address leads to one link, whosever it is", () => {
  const called = (to: string, by: string, at: string) => link(to, by, [{ called: at }, {}]);
  const said = (of: string) =>
    `${of}-hkg.${of}.endpoints: found "203.0.113.5:443", legal is the outside port 203.0.113.5:443 once, and link lux-fra has it already; give that endpoint more \`ports\`, or set \`ports\` on one of the links. [input/duplicate]`;
  const first = called("lux", "fra", "203.0.113.5:443");
  expect(last(first, called("lux", "hkg", "203.0.113.5:443"))).toBe(said("lux"));
  expect(last(first, called("nas", "hkg", "203.0.113.5:443"))).toBe(said("nas"));
  expect(last(first, called("lux", "hkg", "203.0.113.5:444"))).toBe("");
  expect(last(first, called("lux", "hkg", "203.0.113.6:443"))).toBe("");
});

test("a private address is another one at another site", () => {
  const called = (to: string, by: string) => link(to, by, [{ called: "192.168.1.10:443" }, {}]);
  expect(last(called("lux", "fra"), called("lux", "hkg"))).toContain("outside port 192.168.1.10:443 of lux once");
  expect(last(called("lux", "fra"), called("nas", "hkg"))).toBe("");
});

test("where the outside port is the one that the node listens on, that is said once", () => {
  const direct = (by: string) => link("lux", by, [{ listenPort: 443, called: "203.0.113.5:443" }, {}]);
  expect(last(direct("fra"), direct("hkg"))).toMatch(/^lux-hkg\.lux\.ports: [^\n]*$/);
});

test("an endpoint in an overlay is a fault, whichever of the two came first", () => {
  const said =
    'lux-fra.fra.endpoints[1]: found "10.255.0.77", legal is an address on the underlay, and this is inside the overlay prefix 10.255.0.0/24, so the tunnel would carry its own packets; name the peer\'s address on the underlay, or leave the endpoint out and let the peer call. [input/underlay]';
  const nested = link("lux", "fra", [{}, { endpoints: ["198.51.100.9", "10.255.0.77"] }]);
  expect(last(lux, nested)).toBe(said);
  expect(last(nested, lux)).toBe(said);
  expect(last(nested, node("far", 9, { prefixes: ["10.254.0.0/24"] }))).toBe("");
});

test("an endpoint that is a node's own overlay address is one in an overlay, whatever prefixes are declared", () => {
  const said =
    'lux-fra.fra.endpoints[0]: found "10.255.9.1", legal is an address on the underlay, and this is inside the overlay prefix 10.255.9.1/32, so the tunnel would carry its own packets; name the peer\'s address on the underlay, or leave the endpoint out and let the peer call. [input/underlay]';
  const nested = link("lux", "fra", [{}, { endpoints: ["10.255.9.1"] }]);
  const far = node("far", 9, { addresses: ["10.255.9.1"] });
  expect(last(far, nested)).toBe(said);
  expect(last(nested, far)).toBe(said);
  expect(last(nested, node("far", 9, { addresses: ["10.255.9.2"] }))).toBe("");
});

test("everything that is wrong with one is said at once", () => {
  expect(last(lux, { ...lux, prefixes: [] }).split("\n")).toHaveLength(3);
});
