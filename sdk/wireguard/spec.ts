/** A WireGuard device: one side of a link, or a node of a mesh. What a person may say. */
import { z } from "zod";
import { checkedString, type Objection, objectTo, unlessFaulty } from "../faults";
import { isPlaceholder, later, laterList } from "../kernel/later";
import { family, host, parseEndpoint, withinOverlay } from "../network/address";
import {
  addressField,
  chainsField,
  deviceField,
  endpointField,
  firewallField,
  idField,
  NAME_UNDERLAY,
  nameField,
  ownerField,
  portField,
  prefixField,
  routeField,
} from "../network/fields";
import { IPV4_MIN_MTU, ipv4Alone, leastMtu } from "../network/mtu";
import { isDefault, type Owned, overlapping } from "../network/overlaps";
import { rememberedByName, rememberedOf } from "../remembered";
import { labelField } from "./label";
import { objectToPublicKey } from "./publicKey";

export const publicKeyField = checkedString(objectToPublicKey);

const peer = z.strictObject({
  name: nameField.describe("The other node's name. Example: lux"),
  id: idField.describe("The other node's id, unique in the network. Example: 1"),
  publicKey: later(publicKeyField).describe("The other node's WireGuard public key, as `wg pubkey` prints it."),
  endpoint: later(endpointField)
    .optional()
    .describe(
      "Underlay address and port of the other side. Default: none; the other side calls. Example: 203.0.113.5:11002",
    ),
  keepalive: z
    .int()
    .min(1)
    .max(65535)
    .optional()
    .describe("Seconds between packets that keep a NAT's mapping open. Default: off. Example: 25"),
  addresses: later(z.array(later(addressField)))
    .default([])
    .describe("The other node's overlay addresses. Default: none. Example: [10.255.0.1, fd00:6f::1]"),
  foreign: z
    .literal(true)
    .optional()
    .describe("Somebody else's machine, which is not made by the same run. Default: a node of the same program."),
  routes: laterList(routeField)
    .default([])
    .describe(
      "What is reached by way of the other node besides its own addresses. Default: none. Example: [192.168.7.0/24]",
    ),
});

/** Of its own: what is remembered is kept with the schema. */
const meshPeer = rememberedByName(peer.clone());

const relayed = z.strictObject({
  name: nameField.describe("The far node's name. Example: hkg"),
  by: nameField.describe("Name of the peer that forwards to it. Example: fra"),
  addresses: z.array(addressField).describe("The far node's overlay addresses. Example: [10.255.0.3, fd00:6f::3]"),
  mtu: z.int().optional().describe("Bytes that the way from there has. Default: those of this device. Example: 1380"),
});

const fields = z.strictObject({
  node: nameField.describe("The node's own name. Example: fra"),
  owner: ownerField.describe("Project and stack that the machine belongs to. Example: net/prod"),
  link: nameField.describe("Name of the link or the mesh. Example: lux-fra"),
  device: deviceField.describe("Name of the network device, at most 15 bytes. Example: inter-lux"),
  id: idField.describe("The node's own id, unique in the network. Example: 2"),
  key: labelField
    .optional()
    .describe("Label of a key of the device's own. Default: none; it has the node's key. Example: 2026-11"),
  adopts: z
    .array(deviceField)
    .default([])
    .describe(
      "WireGuard devices that somebody made by hand and that links of this node take over, this one or others. " +
        "Default: none. Example: [wg0]",
    ),
  mtu: z
    .int()
    .min(IPV4_MIN_MTU)
    .max(65535)
    .describe("Bytes; at least 1280 but for family v4 (RFC 8200). Example: 1420"),
  family: z
    .enum(["v4"])
    .optional()
    .describe("v4: the device carries no IPv6, so that 576 bytes will do. Default: both."),
  listenPort: portField.describe("UDP port that the device listens on. Example: 11001"),
  alsoPorts: z
    .array(portField)
    .default([])
    .describe(
      "UDP ports that are redirected to listenPort, for networks that let few ports out. Default: none. Example: [443]",
    ),
  addresses: z
    .array(addressField)
    .default([])
    .describe("The node's own overlay addresses. Default: none. Example: [10.255.0.2, fd00:6f::2]"),
  prefixes: z
    .array(prefixField)
    .default([])
    .describe(
      "The overlay's prefixes, where no endpoint may lie. Default: none. Example: [10.255.0.0/24, fd00:6f::/48]",
    ),
  underlay: z
    .array(deviceField)
    .default([])
    .describe("Tunnel devices of others that encrypted packets may leave by, as on the node. Default: none."),
  called: z
    .boolean()
    .default(true)
    .describe("Whether others call the device: a firewall then has to let them in. Default: true."),
  firewall: firewallField
    .optional()
    .describe("Who lets packets in on the machine, as on the node. Default: nobody that drops any. Example: ufw"),
  firewallChain: chainsField
    .optional()
    .describe("Of nftables, the chains that drop what no rule lets in, as on the node. Default: none."),
  forwardChain: chainsField
    .optional()
    .describe("Of nftables, the chains that drop what no rule lets through, as on the node. Default: none."),
  peer: peer
    .optional()
    .describe("The other side of a link: everything may come and go by it, as the host's routes say."),
  peers: z
    .array(meshPeer)
    .optional()
    .describe("In place of peer, the other nodes of a mesh: each has its own addresses and its routes, and no others."),
  relayed: z.array(relayed).default([]).describe("Nodes that are reached by way of a peer. Default: none."),
  forwards: z.boolean().default(false).describe("Whether the node forwards what comes by this device. Default: false."),
  behind: laterList(routeField)
    .default([])
    .describe(
      "What lies behind the node, to which the others have routes; forwarding it is for the host's owner to switch on. " +
        "Default: none. Example: [192.168.7.0/24]",
    ),
});

type Fields = z.output<typeof fields>;

export type Peer = z.output<typeof peer>;

/** Addresses of which not even the number is known yet are none. */
const list = (addresses: string | string[]): string[] => (typeof addresses === "string" ? [] : addresses);

const known = (values: string[]): string[] => values.filter((it) => !isPlaceholder(it));

type Context = z.core.$RefinementCtx;

function linkOrMesh({ peer, peers }: Fields, context: Context): void {
  if (peer === undefined && peers === undefined)
    objectTo(context, ["peer"], { code: "input/missing", legal: "an object", cure: "add it" });
  if (peer && peers) {
    const cure = "a link has one, a mesh has the other";
    objectTo(context, ["peers"], { code: "input/conflict", legal: "absent where `peer` is given", cure });
  }
}

function otherId({ id, peer }: Fields, context: Context): void {
  if (id !== peer?.id) return;
  objectTo(context, ["peer", "id"], {
    code: "input/duplicate",
    legal: `another id than the node's own, ${id}`,
    cure: "give each node an id of its own",
  });
}

function otherPorts({ alsoPorts, listenPort }: Fields, context: Context): void {
  const index = alsoPorts.indexOf(listenPort);
  if (index < 0) return;
  const cure = "leave it out; the device listens there anyway";
  objectTo(context, ["alsoPorts", index], { code: "input/duplicate", legal: "another port than listenPort", cure });
}

function endpointOutside({ addresses, prefixes, peer }: Fields, context: Context): void {
  if (peer) endpointOf(addresses, prefixes.join(" "), peer, ["peer"], context);
}

/** The address that a peer is called at, and why it is none: a mesh's nodes have the same prefixes, given as one text. */
const called = rememberedOf(({ endpoint, addresses }: Peer, prefixes) => {
  const at = endpoint === undefined ? undefined : parseEndpoint(endpoint);
  const same = at && addresses.includes(at.address) ? [host(at.address)] : [];
  // What else is none, its field has refused.
  return at && { address: at.address, why: withinOverlay(at.address, [...prefixes.split(" "), ...same]) };
});

function endpointOf(own: string[], overlay: string, peer: Peer, path: PropertyKey[], context: Context): void {
  const at = called(peer, overlay);
  if (!at) return;
  const why = at.why ?? (own.includes(at.address) ? withinOverlay(at.address, [host(at.address)]) : undefined);
  if (!why) return;
  const legal = `an address on the underlay, and this is ${why}`;
  objectTo(context, [...path, "endpoint"], { code: "input/underlay", legal, cure: NAME_UNDERLAY });
}

function otherAddresses({ addresses, peer }: Fields, context: Context): void {
  for (const [index, address] of list(peer?.addresses ?? []).entries()) {
    if (!addresses.includes(address)) continue;
    const path = ["peer", "addresses", index];
    const legal = "an address that the node itself has not";
    objectTo(context, path, { code: "input/duplicate", legal, cure: "give each node addresses of its own" });
  }
}

function linkRoutes(spec: Fields, context: Context): void {
  if (spec.peer) withSource(spec, spec.peer, ["peer"], context);
}

/** What a route would be for leaves by the underlay, in clear, where there is none. */
function withSource(
  { node, addresses, family: only }: Fields,
  { routes }: Peer,
  path: PropertyKey[],
  context: Context,
) {
  if (only === "v4") return; // seen by onlyV4
  for (const [index, route] of routes.entries()) {
    if (cannotUse(addresses, route)) objectTo(context, [...path, "routes", index], noSource(route, [node]));
  }
}

/** Whether a node of these addresses has none to send from to what a route leads to. */
export const cannotUse = (addresses: readonly string[], route: string): boolean =>
  !isPlaceholder(route) && !addresses.some((address) => isPlaceholder(address) || family(address) === family(route));

export function noSource(route: string, nodes: readonly string[]): Objection {
  const kind = family(route) === "inet" ? "IPv4" : "IPv6";
  const names = nodes.join(", ");
  return {
    code: "input/family",
    legal: `a prefix of a family that whoever gets the route has an address of, and ${names} ${nodes.length === 1 ? "has" : "have"} none of ${kind}`,
    cure: `give ${names} an overlay address of ${kind} in \`addresses\`, or leave the route out`,
  };
}

/** All that is wrong between the peers of a mesh, at once. */
function meshPeers(spec: Fields, context: Context): void {
  const { node, id, addresses, peers = [], relayed } = spec;
  const overlay = spec.prefixes.join(" ");
  const ids = new Map([[id, node]]);
  const keys = new Map<string, string>(); // the kernel has one peer for each: of two, one would be lost
  const had = new Set(addresses);
  let apart = relayed.length === 0;
  const twice = (path: PropertyKey[], legal: string, cure: string) =>
    objectTo(context, path, { code: "input/duplicate", legal, cure });
  for (const [index, peer] of peers.entries()) {
    const path = ["peers", index];
    const [id, key] = [ids.get(peer.id), keys.get(peer.publicKey)];
    if (id) twice([...path, "id"], `another id than ${id} has`, "give each node an id of its own");
    if (key) twice([...path, "publicKey"], `another key than ${key} has`, "make a new key on one of the two");
    ids.set(peer.id, peer.name);
    keys.set(peer.publicKey, peer.name);
    if (peer.addresses.length + peer.routes.length === 0) objectTo(context, [...path, "addresses"], NO_ADDRESS);
    endpointOf(addresses, overlay, peer, path, context);
    withSource(spec, peer, path, context);
    apart &&= peer.routes.length === 0 && list(peer.addresses).every((address) => had.size < had.add(address).size);
  }
  if (apart) return; // addresses alone overlap where two are the same
  const mine = addresses.map((address) => ({ prefix: host(address), owner: { name: node, path: ["addresses"] } }));
  const theirs = peers.flatMap(({ name, addresses, routes }, index) => {
    const owner = { name, path: ["peers", index] };
    const hosts = known(list(addresses)).map(host);
    const far = relayed.flatMap((it) => (it.by === name ? it.addresses.map(host) : []));
    return [...hosts, ...known(routes), ...far].map((prefix) => ({ prefix, owner }));
  });
  for (const [one, other] of overlapping<Owner>([...mine, ...theirs])) {
    objectTo(context, one.owner.path, twoHave(one, other));
  }
}

interface Owner {
  name: string;
  path: PropertyKey[];
}

/** WireGuard takes an allowed IP from the peer that has it, and gives it to the last that asks. */
export function twoHave(one: Owned<{ name: string }>, other: Owned<{ name: string }>): Objection {
  const its = `${one.prefix} of ${one.owner.name}`;
  if (isDefault(one.prefix)) {
    const legal = `a default route at one node, and ${other.owner.name} has ${other.prefix} besides ${its}`;
    return { code: "input/overlap", legal, cure: "leave one of them out" };
  }
  const legal = `addresses that one node has alone, and ${its} ${one.prefix === other.prefix ? "is" : `overlaps ${other.prefix}`} of ${other.owner.name}${one.prefix === other.prefix ? " too" : ""}`;
  return { code: "input/overlap", legal, cure: "leave them to one of the two, or name smaller prefixes" };
}

export const NO_ADDRESS: Objection = {
  code: "input/missing",
  legal: "at least one, because a mesh tells its nodes apart by their addresses",
  cure: "give the node an address in the overlay",
};

function fits({ mtu, family: only }: Fields, context: Context): void {
  const least = leastMtu(only);
  if (mtu >= least) return;
  const legal = `at least ${least} bytes for IPv6 (RFC 8200)`;
  objectTo(context, ["mtu"], { code: "input/mtu", legal, cure: `correct it${ipv4Alone(least, mtu)}` });
}

/** What there is of IPv6 where there is to be none. What lies behind the node itself is for the others to say. */
function onlyV4(spec: Fields, context: Context): void {
  if (spec.family !== "v4") return;
  const { addresses, peer, peers = [], relayed } = spec;
  const all: [string[], PropertyKey[]][] = [[addresses, ["addresses"]]];
  for (const [one, path] of [
    ...(peer ? [[peer, ["peer"]] as const] : []),
    ...peers.map((one, index) => [one, ["peers", index]] as const),
  ]) {
    all.push([list(one.addresses), [...path, "addresses"]], [one.routes, [...path, "routes"]]);
  }
  for (const [index, { addresses }] of relayed.entries()) all.push([addresses, ["relayed", index, "addresses"]]);
  for (const [values, path] of all) {
    for (const [index, value] of values.entries()) {
      if (!isPlaceholder(value) && family(value) === "inet6") objectTo(context, [...path, index], NO_IPV6);
    }
  }
  // Of a mesh each has an address anyway.
  if (peer && addresses.length === 0) objectTo(context, ["addresses"], NO_IPV4);
}

export const NO_IPV6: Objection = {
  code: "input/family",
  legal: 'one of IPv4, because family is "v4"',
  cure: "leave it out, or leave out `family`",
};
const NO_IPV4: Objection = {
  code: "input/family",
  legal: 'at least one of IPv4, because family is "v4" and nothing else goes by the link',
  cure: "give one, or leave out `family`",
};

export const spec = fields
  .superRefine(linkOrMesh, unlessFaulty("peer", "peers"))
  .superRefine(otherId, unlessFaulty("id", "peer.id"))
  .superRefine(otherPorts, unlessFaulty("alsoPorts", "listenPort"))
  .superRefine(endpointOutside, unlessFaulty("peer.endpoint", "prefixes", "addresses", "peer.addresses"))
  .superRefine(otherAddresses, unlessFaulty("addresses", "peer.addresses"))
  .superRefine(fits, unlessFaulty("mtu", "family"))
  .superRefine(onlyV4, unlessFaulty("family", "addresses", "peer.addresses", "peer.routes", "peers", "relayed"))
  .superRefine(linkRoutes, unlessFaulty("addresses", "peer.routes"))
  .superRefine(meshPeers, unlessFaulty("id", "addresses", "prefixes", "peers"));

export type Spec = z.output<typeof spec>;
export type Input = z.input<typeof spec>;
