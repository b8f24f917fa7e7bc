/**
 * The nodes of a mesh, from what they and the mesh say. A node is the same to all the others (one port, one endpoint), so
 * what is known of it is worked out once and not once a pair.
 */

import { type Fault, fault, format } from "../sdk/faults";
import { placeholder } from "../sdk/kernel/later";
import { endpoint, host } from "../sdk/network/address";
import { type Owned, overlapping } from "../sdk/network/overlaps";
import { listenPort } from "../sdk/network/ports";
import type { TopologyDevice } from "../sdk/network/topology";
import type { Member } from "../sdk/network/ways";
import * as pulumi from "../sdk/provider/pulumi";
import { cannotUse, spec as interfaceSpec, NO_ADDRESS, NO_IPV6, noSource, twoHave } from "../sdk/wireguard/spec";
import { faultsOfKnown, isKnown, knownOf, lift, standIns } from "./input";
import type { MeshData } from "./meshArgs";
import { carried, mtuFaultsOf, mtuOf, onlyV4, outer } from "./mtu";
import { letIn } from "./nodeArgs";
import type { Relays } from "./relay";
import { callable, type LinkNode } from "./side";

const MANY = 250;

/** What a preview says of so many nodes. */
export const costly = ({ nodes: { length } }: Pick<MeshData, "nodes">): string | undefined =>
  length > MANY
    ? `${length} nodes: each has ${length - 1} peers, and one node more changes all ${length} hosts. ` +
      `Beyond ${MANY} a mesh for each group of nodes that talk to each other is changed and read in less time; between meshes there is no way.`
    : undefined;

export const device = ({ device, name }: MeshData): string => device ?? name;

const port = (mesh: MeshData, { id, portBase, ports }: LinkNode) =>
  lift(
    (declared, base, pool) => declared ?? listenPort(id, { base, ...(pool && { pool }) }),
    mesh.port,
    portBase,
    ports,
  );

/** Address and port that all the others call, where they can. */
function endpointOf(mesh: MeshData, node: LinkNode) {
  const at = callable(node, mesh.family);
  if (!at) return undefined;
  return lift(
    (address, declared, listens, pool) =>
      endpoint(address, declared ?? (pool ? listenPort(node.id, { pool }) : listens)),
    at.address,
    mesh.port,
    port(mesh, node),
    at.ports,
  );
}

/** What all the others are told of a node. `publicKey`: its own. */
function peer<K>(mesh: MeshData, node: LinkNode, publicKey: K) {
  const { name, id, addresses } = node;
  const at = endpointOf(mesh, node);
  return {
    name,
    id,
    publicKey,
    addresses: carried(mesh, addresses),
    routes: mesh.routes[name] ?? [],
    ...(at !== undefined && { endpoint: at }),
    ...(at !== undefined && mesh.keepalive > 0 && { keepalive: mesh.keepalive }),
  };
}

/** All as the peers that the others have, the nodes first. `publicKeys`: one a node, in the same order. */
export const meshPeers = <K>(mesh: MeshData, nodes: readonly LinkNode[], publicKeys: readonly K[]) => [
  ...nodes.map((node, index) => peer(mesh, node, publicKeys[index] as K)),
  ...others(mesh),
];

/** Machines of somebody else. */
const others = ({ peers, keepalive, family }: MeshData) =>
  peers.map((peer) => ({
    ...peer,
    addresses: carried({ family }, peer.addresses),
    ...(peer.endpoint !== undefined && keepalive > 0 && { keepalive }),
    foreign: true as const,
  }));

/** What a node's host is told of the node itself. `mtu`: that of the whole mesh. `relays`: what its device has to do with them. */
export const meshNode = <M>(
  mesh: MeshData,
  node: LinkNode,
  owner: string,
  mtu: M,
  relays?: ReturnType<Relays["of"]>,
) => {
  return {
    node: node.name,
    owner,
    link: mesh.name,
    device: device(mesh),
    id: node.id,
    mtu,
    ...onlyV4(mesh),
    listenPort: port(mesh, node),
    addresses: carried(mesh, node.addresses),
    prefixes: node.prefixes,
    underlay: lift(({ devices }) => devices, node.underlay),
    adopts: node.adopts,
    called: callable(node, mesh.family) !== undefined,
    ...letIn(node),
    behind: mesh.routes[node.name] ?? [],
    ...relays,
  };
};

/** All the peers as text, a line of JSON each: they are written once, and not once for each node. */
export const peerTexts = (peers: readonly { name: string }[]): string =>
  peers
    .map((peer) => JSON.stringify(peer, (_, value) => (pulumi.isUnknown(value) ? placeholder(peer.name) : value)))
    .join("\n");

/** A node's spec as JSON; or not as text, where something of the node is unknown that no word can stand in for. */
export function specText(own: { node: string; behind: unknown }, texts: string, index: number): string {
  const others = texts.split("\n").filter((_, other) => other !== index);
  const node = { ...own, behind: standIns(own.behind as unknown[], own.node) };
  // The provider takes either, and the SDK carries what is unknown.
  if (pulumi.containsUnknowns(node)) return { ...node, peers: others.map((it) => JSON.parse(it)) } as unknown as string;
  return `${JSON.stringify(node).slice(0, -1)},"peers":[${others.join()}]}`;
}

/** What the network has to know of each node to see that nothing is had twice. */
export function meshDevices(mesh: MeshData, nodes: readonly LinkNode[]): TopologyDevice[] {
  const all = members(mesh, nodes);
  return nodes.map((node) => {
    const [listens, called] = [port(mesh, node), endpointOf(mesh, node)];
    const address = callable(node, mesh.family)?.address;
    return {
      node: node.name,
      device: device(mesh),
      members: all,
      ...(isKnown(listens) && { listenPort: listens }),
      endpoints: address !== undefined && isKnown(address) ? [address] : [],
      ...(called !== undefined && isKnown(called) && { called }),
    };
  });
}

/** Nodes that are named twice, and routes of those that are not named at all: seen before anything is known of them. */
export function namesFaults({ nodes, routes }: MeshData): Fault[] {
  const names = nodes.map(({ nodeName }) => nodeName);
  const seen = new Set<string>();
  const twice = names.flatMap((name, index) => {
    const legal = "each node once";
    const before = seen.has(name);
    seen.add(name);
    return before ? [fault(["nodes", index], name, { code: "input/duplicate", legal, cure: "leave it out here" })] : [];
  });
  const stray = Object.keys(routes).flatMap((name) => {
    const cure = "correct the name, or add the node to `nodes`; one of `peers` has `routes` of its own";
    const objection = { code: "input/reference", legal: "a node of the mesh", cure } as const;
    return seen.has(name) ? [] : [fault(["routes", name], undefined, objection)];
  });
  return [...twice, ...stray];
}

/** What is wrong with a mesh by itself. */
export function meshFaults(mesh: MeshData, nodes: readonly LinkNode[]): Fault[] {
  return [
    ...unreachable(mesh, nodes),
    ...mtuFaultsOf(mesh, nodes),
    ...overlaps(mesh, nodes),
    ...unanswered(mesh, nodes),
    ...specFaults(mesh, nodes),
  ];
}

function unreachable(mesh: MeshData, nodes: readonly LinkNode[]): Fault[] {
  const without = nodes.filter((node) => !callable(node, mesh.family)).map(({ name }) => name);
  // What machines of somebody else have between each other is not ours to say.
  const others = without.length > 0 ? mesh.peers.filter(({ endpoint }) => !endpoint).map(({ name }) => name) : [];
  const all = [...without, ...others];
  if (all.length < 2) return [];
  const kind = mesh.family === undefined ? "an endpoint" : `an endpoint of family ${outer(mesh.family)}`;
  const legal = `${kind} on one of every two nodes, and ${all.join(", ")} have none: none of them can call another`;
  const cure = "give `endpoints` to all of them but one, or make them the ends of links with nodes that can be reached";
  return [fault(["nodes"], undefined, { code: "input/endpoint", legal, cure })];
}

/** With where its routes are written down. */
type Placed = Member & { path: PropertyKey[] };

const members = (mesh: MeshData, nodes: readonly LinkNode[]): Placed[] => [
  ...nodes.map(({ name, addresses }) => ({
    name,
    addresses: knownOf(carried(mesh, addresses)),
    routes: knownOf(mesh.routes[name] ?? []),
    path: ["routes", name],
  })),
  ...others(mesh).map(({ name, addresses, routes }, index) => ({
    name,
    addresses: knownOf(addresses),
    routes: knownOf(routes),
    path: ["peers", index],
  })),
];

function overlaps(mesh: MeshData, nodes: readonly LinkNode[]): Fault[] {
  const all = members(mesh, nodes);
  const owned = all.flatMap((owner) =>
    [...owner.addresses.map(host), ...owner.routes].map((prefix): Owned<Placed> => ({ prefix, owner })),
  );
  const isRoute = ({ prefix, owner }: Owned<Placed>) => owner.routes.includes(prefix);
  const clashes = overlapping(owned)
    // An address that two nodes have is said of the nodes.
    .filter((two) => two.some(isRoute))
    .map(([one, other]) => fault((isRoute(one) ? one : other).owner.path, undefined, twoHave(one, other)));
  const none = nodes.filter(({ name, addresses }) =>
    [carried(mesh, addresses), mesh.routes[name] ?? []].every((own) => isKnown(own) && own.length === 0),
  );
  return [...clashes, ...none.map(({ name }) => fault([name, "addresses"], undefined, NO_ADDRESS))];
}

/** Routes that some node has no address to send from for. */
function unanswered(mesh: MeshData, nodes: readonly LinkNode[]): Fault[] {
  const numbered = nodes.flatMap(({ name, addresses: all }) => {
    const addresses = carried(mesh, all);
    return isKnown(addresses) && addresses.length > 0 && addresses.every(isKnown) ? { name, addresses } : [];
  });
  return members(mesh, nodes).flatMap((member) =>
    member.routes.flatMap((route, index) => {
      const without = numbered.filter(({ name, addresses }) => name !== member.name && cannotUse(addresses, route));
      if (without.length === 0) return [];
      const names = without.map(({ name }) => name);
      const objection = mesh.family === "v4" ? NO_IPV6 : noSource(route, names);
      return [fault([...member.path, ...(member.path[0] === "peers" ? ["routes"] : []), index], route, objection)];
    }),
  );
}

/** Where a field of a node's spec was written down. */
const WRITTEN: Record<string, string> = { device: "device", listenPort: "port" };

function specFaults(mesh: MeshData, nodes: readonly LinkNode[]): Fault[] {
  // Seen by mtuFaultsOf, by overlaps, by unanswered and by the topology.
  const seen = /^(mtu|addresses|peers\[\d+\](\.routes\[\d+\])?)$/;
  const mtu = mtuOf(mesh, nodes);
  const faults = nodes.flatMap((node, index) =>
    // Nodes as peers are made of what was checked; those of somebody else are the same to all.
    faultsOfKnown(interfaceSpec, {
      ...meshNode(mesh, node, "project/stack", mtu),
      peers: index === 0 ? others(mesh) : [],
    })
      .filter(({ path }) => !seen.test(path))
      .map((it) => ({
        ...it,
        path: WRITTEN[it.path] ?? (it.path.startsWith("peers") ? it.path : `${node.name}.${it.path}`),
      })),
  );
  return [...new Map(faults.map((it) => [format([it]), it])).values()];
}
