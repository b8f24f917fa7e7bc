/** The two sides of a link, from what both nodes and the link say; what is known only later goes through as such. */
import { type Fault, fault } from "../sdk/faults";
import { endpoint, type Family, family, host, parseEndpoint } from "../sdk/network/address";
import { DEFAULT_UNDERLAY_MTU } from "../sdk/network/mtu";
import { listenPort, PORT_BASE } from "../sdk/network/ports";
import type { TopologyEnd } from "../sdk/network/topology";
import { ADOPTED } from "../sdk/wireguard/label";
import { spec as interfaceSpec } from "../sdk/wireguard/spec";
import { faultsOfKnown, isKnown, knownOf, lift } from "./input";
import type { LinkData } from "./linkArgs";
import { carried, mtuFaultsOf, mtuOf, onlyV4, outer } from "./mtu";
import { letIn, type NodeData } from "./nodeArgs";
import type { PeerData } from "./peerArgs";
import type { Relays } from "./relay";

/** What a link has to know of a node. */
export type LinkNode = Pick<
  NodeData,
  | "name"
  | "id"
  | "addresses"
  | "prefixes"
  | "ports"
  | "portBase"
  | "underlay"
  | "firewall"
  | "firewallChain"
  | "forwardChain"
> & {
  endpoints: Endpoint[];
  /** Devices that links of this program take over there. */
  adopts: string[];
};

type Endpoint = Extract<NodeData["endpoints"], unknown[]>[number];

/** Somebody else's machine as a link sees it: of what it does not say, the most common. */
export function nodeOf({ name, id, addresses, endpoint: called }: PeerData): LinkNode {
  // What is none is refused where it is known.
  const at = lift((it = "") => parseEndpoint(it) ?? { address: it, port: 0 }, called);
  return {
    name,
    id,
    addresses,
    prefixes: [],
    ports: undefined,
    portBase: PORT_BASE,
    underlay: { mtu: DEFAULT_UNDERLAY_MTU, devices: [] },
    adopts: [],
    firewall: undefined,
    firewallChain: undefined,
    forwardChain: undefined,
    endpoints: called ? [{ address: lift((it) => it.address, at), ports: [lift((it) => it.port, at)] }] : [],
  };
}

export type SideName = "a" | "b";

/** A link as it is seen from one of its sides. */
export interface View {
  side: SideName;
  link: LinkData;
  own: LinkNode;
  peer: LinkNode;
  /** What its device has to do with relays. */
  relays?: ReturnType<Relays["of"]>;
}

export const views = (link: LinkData, a: LinkNode, b: LinkNode): [View, View] => [
  { side: "a", link, own: a, peer: b },
  { side: "b", link, own: b, peer: a },
];

const turned = ({ side, link, own, peer }: View): View => ({
  side: side === "a" ? "b" : "a",
  link,
  own: peer,
  peer: own,
});

const fits = ({ address, family: declared }: Endpoint, wanted: Family | undefined): boolean => {
  const is = declared ?? (typeof address === "string" ? family(address) : undefined);
  return wanted === undefined || is === undefined || is === wanted;
};

/** Where a node can be called by packets of a family. */
export const callables = (node: LinkNode, family: LinkData["family"]): Endpoint[] =>
  node.endpoints.filter((it) => fits(it, outer(family)));

/** Where a node is called: the first of these. */
export const callable = (node: LinkNode, family: LinkData["family"]): Endpoint | undefined =>
  callables(node, family)[0];

const calledAt = ({ link, peer }: View): Endpoint | undefined => callable(peer, link.family);

/** Whether this side knows where to call the other. */
export const calls = (view: View): boolean => calledAt(view) !== undefined;

/** What is said of one side's port is known, whatever is not of the other's. */
const declaredPort = ({ ports }: LinkData, side: SideName) =>
  isKnown(ports) ? ports[side] : lift((declared) => declared[side], ports);

const port = ({ side, link, own, peer }: View) =>
  lift(
    (declared, base, pool) => declared ?? listenPort(peer.id, { base, ...(pool && { pool }) }),
    declaredPort(link, side),
    own.portBase,
    own.ports,
  );

/** The peer's port as it is seen from here: a few may be all that lead to it. */
const outsidePort = (view: View, few: Endpoint["ports"]) => {
  const there = turned(view);
  return lift(
    (declared, listens, pool) => declared ?? (pool ? listenPort(view.own.id, { pool }) : listens),
    declaredPort(view.link, there.side),
    port(there),
    few,
  );
};

export const device = ({ side, link, peer }: Pick<View, "side" | "link"> & { peer: Pick<LinkNode, "name"> }): string =>
  link.devices[side] ?? `inter-${peer.name}`;

/** Of a key of the link's own; undefined where it has those of the nodes. */
export const keyLabel = ({ side, link: { rotate, adopt } }: Pick<View, "side" | "link">): string | undefined =>
  rotate ?? (adopt[side] ? ADOPTED : undefined);

/** What lies behind this side besides its own addresses. */
export const behind = ({ routes, peer }: LinkData, side: SideName): NonNullable<LinkData["routes"]["a"]> =>
  (peer && side === "b" ? peer.routes : routes[side]) ?? [];

/** Address and port that this side calls, where it calls. */
const endpointOf = (view: View) => {
  const at = calledAt(view);
  return at && lift(endpoint, at.address, outsidePort(view, at.ports));
};

/** What the host of this side is told. `publicKey`: the peer's. */
export function sideSpec<K>(view: View, owner: string, publicKey: K) {
  const { side, link, own, peer, relays } = view;
  const [called, key] = [endpointOf(view), keyLabel(view)];
  return {
    node: own.name,
    owner,
    link: link.name,
    device: device(view),
    id: own.id,
    ...(key !== undefined && { key }),
    adopts: [...new Set([...own.adopts, ...(link.adopt[side] ? [device(view)] : [])])],
    mtu: mtuOf(link, [own, peer]),
    ...onlyV4(link),
    listenPort: port(view),
    alsoPorts: link.alsoPorts[side] ?? [],
    addresses: carried(link, own.addresses),
    prefixes: own.prefixes,
    underlay: lift(({ devices }) => devices, own.underlay),
    called: calls(turned(view)),
    ...letIn(own),
    behind: behind(link, side),
    peer: {
      name: peer.name,
      id: peer.id,
      publicKey,
      addresses: carried(link, peer.addresses),
      ...(called !== undefined && { endpoint: called }),
      ...(called !== undefined && link.keepalive > 0 && { keepalive: link.keepalive }),
      ...(link.peer && { foreign: true as const }),
      routes: behind(link, turned(view).side),
    },
    ...relays,
  };
}

/** The other side as this one must be told of it, where this one is somebody else's machine; a relay is the way to others. */
export const seen = <K>(view: View, publicKey: K) => {
  const called = endpointOf(view);
  const beyond = (view.relays?.relayed ?? []).map(({ addresses }) => addresses);
  return {
    name: view.peer.name,
    publicKey,
    addresses: carried(view.link, view.peer.addresses),
    routes: lift((own, ...far) => [...own, ...far.flat().map(host)], behind(view.link, turned(view).side), ...beyond),
    ...(called !== undefined && { endpoint: called }),
    ...(called !== undefined && view.link.keepalive > 0 && { keepalive: view.link.keepalive }),
  };
};

/** What the network has to know of a side to see that nothing is had twice. */
export function topologyEnd(view: View): TopologyEnd {
  const listens = port(view);
  const called = endpointOf(turned(view));
  const address = calledAt(turned(view))?.address;
  const { name, addresses } = view.peer;
  return {
    members: [
      {
        name,
        addresses: knownOf(carried(view.link, addresses)),
        routes: knownOf(behind(view.link, turned(view).side)),
      },
    ],
    node: view.own.name,
    peer: view.peer.name,
    device: device(view),
    ...(isKnown(listens) && { listenPort: listens }),
    alsoPorts: view.link.alsoPorts[view.side] ?? [],
    endpoints: address !== undefined && isKnown(address) ? [address] : [],
    ...(called !== undefined && isKnown(called) && { called }),
  };
}

/** What is wrong with a link by itself. */
export function linkFaults(link: LinkData, a: LinkNode, b: LinkNode): Fault[] {
  if (a.name === b.name) {
    const cure = "name the two nodes that the link is between";
    return [fault(["b"], b.name, { code: "input/conflict", legal: "another node than a", cure })];
  }
  const both = views(link, a, b);
  return [...unreachable(both), ...mtuFaultsOf(link, [a, b]), ...both.flatMap(specFaults)];
}

function unreachable(both: [View, View]): Fault[] {
  if (both.some(calls)) return [];
  const { link, own, peer } = both[0];
  const kind = link.family === undefined ? "an endpoint" : `an endpoint of family ${outer(link.family)}`;
  const legal = `${kind} on one of the two nodes at least, and neither ${own.name} nor ${peer.name} has one`;
  const cure = "give `endpoints` to the node that can be reached";
  return [fault(["a", "endpoints"], undefined, { code: "input/endpoint", legal, cure })];
}

/** Where a field of a side's spec was written down. */
const WRITTEN: Record<string, (side: string) => string> = {
  device: (side) => `devices.${side}`,
  listenPort: (side) => `ports.${side}`,
};

function specFaults(view: View): Fault[] {
  const own = ["mtu", "peer.endpoint"]; // seen by mtuFaultsOf and by the topology
  return faultsOfKnown(interfaceSpec, sideSpec(view, "project/stack", Promise.resolve("")))
    .filter(({ path }) => !own.includes(path))
    .map((it) => ({
      ...it,
      path: WRITTEN[it.path]?.(view.side) ?? elsewhere(view, it.path) ?? `${view.side}.${it.path}`,
    }));
}

/** Of a route, which is written down for the node that it leads to; and of what is somebody else's. */
function elsewhere(view: View, path: string): string | undefined {
  if (path === "addresses" && view.link.peer && view.side === "b") return "peer.addresses";
  const [, index] = /^peer\.routes(.*)$/.exec(path) ?? [];
  if (index === undefined) return undefined;
  const there = turned(view).side;
  return view.link.peer && there === "b" ? `peer.routes${index}` : `routes.${there}${index}`;
}
