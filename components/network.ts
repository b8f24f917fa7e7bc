/** The network that one program declares: each node and link as it is declared, held against all before it. */

import type { z } from "zod";
import { type Fault, fault, parse } from "../sdk/faults";
import { Connection } from "../sdk/host/connection";
import { type Family, parseEndpoint } from "../sdk/network/address";
import { addressField, prefixField } from "../sdk/network/fields";
import { Topology, type TopologyDevice } from "../sdk/network/topology";
import * as pulumi from "../sdk/provider/pulumi";
import { isLater, knownOf, parseSound } from "./input";
import { type LinkData, linkArgs, type WgLinkArgs } from "./linkArgs";
import { device as meshDevice, meshDevices, meshFaults, namesFaults } from "./mesh";
import { type MeshData, meshArgs, type WgMeshArgs } from "./meshArgs";
import { mtuOf, onlyV4, outer, wayOf } from "./mtu";
import { expanded, firewallFaults, type NodeData, nodeArgs, type OverlayNodeArgs } from "./nodeArgs";
import type { OverlayNode } from "./OverlayNode";
import type { Leg } from "./paths";
import type { PeerData } from "./peerArgs";
import { prepareFaults } from "./prepare";
import { behindRelay, meshRelayFaults, Relays } from "./relay";
import {
  binaryFaults,
  type Exchange,
  type View as ExchangeView,
  exchangeFaults,
  linkViews,
  ofLink,
  ofMesh,
  peerKeyFaults,
  portOf,
  strictFaults,
} from "./rosenpass";
import { type RosenpassData, type RosenpassPeerArgs, rosenpassArgs } from "./rosenpassArgs";
import { segmentFaults, topologySegment, twiceFaults } from "./segment";
import { type SegmentData, segmentArgs, type VxlanSegmentArgs } from "./segmentArgs";
import { Segments } from "./segments";
import { behind, calls, type LinkNode, linkFaults, nodeOf, type SideName, topologyEnd, views } from "./side";

/** What somebody declared, defaults filled in; or all that is wrong with it. */
export type Checked<T> = { value: T } | { faults: Fault[] };

/** A link or a mesh on the nodes of this program. */
export interface Way {
  family: Family | undefined;
  /** Bytes inside. */
  mtu: pulumi.Input<number>;
  ends: Pick<TopologyDevice, "node" | "device" | "members" | "listenPort" | "alsoPorts">[];
  /** Names of ends that are machines of somebody else. */
  others: string[];
  /** Whether each end answers at a link-local address; else at its own. */
  linkLocal: boolean;
}

export class Network {
  private readonly topology = new Topology();
  private readonly nodes = new Map<string, NodeData>();
  private readonly peers = new Set<string>();
  private readonly choosing = new Map<string, string>();
  private readonly links = new Map<string, LinkData>();
  /** Who decides which Rosenpass a node has, and which. */
  private readonly programs = new Map<string, { who: string; sha256: string | undefined }>();
  /** What holds between two nodes that exchange keys. */
  private readonly modes = new Map<string, Exchange["mode"]>();
  private readonly adoptions: { node: string; device: string }[] = [];
  private devices = 0;
  /** Links and meshes by what they are called, as `link lux-fra`, where this process knows their nodes. */
  readonly ways = new Map<string, Way>();
  readonly relays: Relays;
  readonly segments: Segments;

  /** `whole`: false where what comes before what is not known, as in the plugin. */
  constructor(readonly whole = true) {
    this.relays = new Relays(this.nodes, whole);
    this.segments = new Segments(this.relays, (nodes, compute) => this.ofNodes(nodes, compute), whole);
  }

  /** A fifth of all devices: so many may go in one run without further ado. */
  get removable(): number {
    return Math.floor(this.devices / 5);
  }

  addNode(name: string, args: OverlayNodeArgs): Checked<NodeData> {
    const written = expanded(args);
    const result = parseSound(nodeArgs, written);
    const own = "value" in result ? [...prepareFaults(result.value), ...firewallFaults(result.value)] : [];
    const faults = [...result.faults, ...own, ...this.clashes(name, written)];
    if (faults.length > 0 || !("value" in result)) return { faults };
    const value = { name, ...result.value };
    this.nodes.set(name, value);
    return { value };
  }

  addLink(name: string, args: WgLinkArgs): Checked<LinkData> {
    const result = parseSound(linkArgs, args);
    if (!("value" in result)) return result;
    const value = { name, ...result.value };
    const own = [...result.faults, ...otherFaults(value)];
    if (own.length > result.faults.length) return { faults: own };
    this.links.set(name, value);
    if (value.peer) this.relays.addPeer(value.peer);
    this.devices += value.peer ? 1 : 2;
    const [a, b] = this.ends(value);
    // A node with faults has said so itself, and one of another process is not known well enough.
    if (!a || !b) return own.length > 0 ? { faults: own } : { value };
    const ends = views(value, a, b).map(topologyEnd);
    const [family, mtu] = [outer(value.family), mtuOf(value, [a, b])];
    const linkLocal = value.family !== "v4";
    this.ways.set(`link ${name}`, { family, mtu, ends, others: value.peer ? [value.peer.name] : [], linkLocal });
    this.adoptions.push(...ends.filter((_, index) => value.adopt[index === 0 ? "a" : "b"]));
    this.addLeg({
      who: `link ${name}`,
      nodes: [a.name, b.name],
      mtu,
      ...onlyV4(value),
      way: wayOf(value, [a, b], `link ${name}`),
    });
    const clashes = a.name === b.name ? [] : this.topology.addLink({ name, ends });
    const relays = (["a", "b"] as const).flatMap((side) => {
      const node = this.nodes.get(side === "a" ? a.name : b.name);
      return node ? behindRelay(node, ["routes", side], behind(value, side)) : [];
    });
    const others = value.peer ? this.peerClashes(value.peer) : [];
    const faults = [...own, ...linkFaults(value, a, b), ...relays, ...clashes, ...others];
    return faults.length > 0 ? { faults } : { value };
  }

  /** Of a node of this program, as it was declared. */
  idOf = (name: string): number | undefined => this.nodes.get(name)?.id;

  /** A host follows one source of truth. `name`: of that. */
  addChoosers(name: string, nodes: readonly OverlayNode[]): Fault[] {
    return nodes.flatMap(({ nodeName }, index) => {
      const other = this.choosing.get(nodeName);
      if (other === undefined) this.choosing.set(nodeName, name);
      const legal = `nodes whose hosts do not choose by another source of truth, and ${nodeName} does by ${other}`;
      const objection = { code: "input/duplicate", legal, cure: "leave `choose` to one" } as const;
      return other === undefined ? [] : [fault(["nodes", index], nodeName, objection)];
    });
  }

  /** Devices that links of a node take over. */
  adopted = (name: string): string[] => this.adoptions.filter(({ node }) => node === name).map(({ device }) => device);

  addMesh(name: string, args: WgMeshArgs): Checked<MeshData> {
    const result = parseSound(meshArgs, args);
    if (!("value" in result)) return result;
    const value = { name, ...result.value };
    const own = [...result.faults, ...namesFaults(value)];
    if (own.length > result.faults.length) return { faults: own };
    this.devices += value.nodes.length;
    const nodes = value.nodes.flatMap((node) => this.declared(node) ?? []);
    if (nodes.length < value.nodes.length) return own.length > 0 ? { faults: own } : { value };
    const [family, mtu] = [outer(value.family), mtuOf(value, nodes)];
    this.addLeg({
      who: `mesh ${name}`,
      mesh: name,
      nodes: nodes.map(({ name }) => name),
      mtu,
      ...onlyV4(value),
      way: wayOf(value, nodes, `mesh ${name}`),
    });
    const devices = meshDevices(value, nodes);
    const others = value.peers.map(nameOfPeer);
    this.ways.set(`mesh ${name}`, { family, mtu, ends: devices, others, linkLocal: false });
    const faults = [
      ...own,
      ...meshFaults(value, nodes),
      ...meshRelayFaults(
        nodes.flatMap(({ name }) => this.nodes.get(name) ?? []),
        value.routes,
      ),
      ...value.peers.flatMap((peer) => this.peerClashes(peer)),
      ...this.topology.addMesh({
        name,
        devices,
        peers: value.peers.map(({ name }) => name),
      }),
      ...this.addMeshExchanges(value, nodes),
    ];
    return faults.length > 0 ? { faults } : { value };
  }

  /** The link is among the data; undefined where it has faults of its own, which it has said. */
  addRosenpass(name: string, args: RosenpassPeerArgs): Checked<{ data: RosenpassData; link: LinkData } | undefined> {
    const result = parse(rosenpassArgs, args);
    if ("faults" in result) return result;
    const data = { name, ...result.value };
    const link = this.links.get(data.link.linkName);
    if (!link) {
      const legal = "a WgLink of this program, declared before";
      const none = fault(["link"], undefined, { code: "input/reference", legal, cure: "name that" });
      return this.whole ? { value: undefined } : { faults: [none] };
    }
    const [a, b] = this.ends(link);
    const own = [...binaryFaults(data.binary), ...peerKeyFaults(data, link)];
    const views = a && b ? [linkViews(ofLink(data, link), link, a, b)] : [];
    const faults = [...own, ...views.flatMap((both) => this.addExchange(`rosenpass ${name}`, name, both))];
    return faults.length > 0 ? { faults } : { value: { data, link } };
  }

  /** `who`: as faults of others name it. */
  private addExchange(who: string, path: string, views: readonly [ExchangeView, ExchangeView]): Fault[] {
    const own = exchangeFaults(views);
    if (own.length > 0) return own;
    const [{ exchange, own: one, peer: other }] = views;
    this.modes.set(pairOf(one.name, other.name), exchange.mode);
    const nodes = views.filter(({ own }) => this.nodes.has(own.name));
    const ports = nodes.map((view) => ({ node: view.own.name, port: portOf(view) }));
    return [
      ...nodes.flatMap(({ own }) => this.takeProgram(who, own.name, exchange)),
      ...this.topology.addExchange(
        { name: exchange.name, who, path, of: exchange.of },
        ports.flatMap(({ node, port }) => (isLater(port) ? [] : [{ node, port: port as number }])),
      ),
    ];
  }

  private takeProgram(who: string, node: string, { binary, of }: Exchange): Fault[] {
    const before = this.programs.get(node);
    if (!before) this.programs.set(node, { who, sha256: binary?.sha256 });
    if (!before || before.sha256 === binary?.sha256) return [];
    const legal = `one \`binary\` for all links of ${node}, and ${before.who} has ${before.sha256 === undefined ? "none" : "another"}`;
    const path = of === "mesh" ? ["postQuantum", "binary"] : ["binary"];
    return [fault(path, undefined, { code: "input/conflict", legal, cure: "say the same at both" })];
  }

  /** Whether nothing may pass between two without a key of theirs. */
  isStrict = (one: string, other: string): boolean => this.modes.get(pairOf(one, other)) === "strict";

  /** Whether a node exchanges keys with one of these. */
  isKeyed = (one: string, others: readonly string[]): boolean =>
    others.some((other) => this.modes.has(pairOf(one, other)));

  /** What is wrong with keys that must be there, when all is declared. */
  strictFaults(exchange: Pick<Exchange, "mode">, nodes: readonly string[], at: PropertyKey[] = []): Fault[] {
    return nodes.flatMap((one, index) =>
      nodes
        .slice(index + 1)
        .flatMap((other) => strictFaults(exchange, one, other, this.relays.between(one, other), at)),
    );
  }

  addSegment(name: string, args: VxlanSegmentArgs): Checked<SegmentData> {
    const result = parse(segmentArgs, args);
    if ("faults" in result) return result;
    const value = { name, ...result.value };
    const own = [...twiceFaults(value), ...this.segments.add(value)];
    if (own.length > 0) return { faults: own };
    this.devices += value.members.length;
    const nodes = value.members.flatMap(({ node }) => this.declared(node) ?? []);
    if (nodes.length < value.members.length) return { value };
    const faults = this.topology.addSegment(topologySegment(value, nodes));
    return faults.length > 0 ? { faults } : { value };
  }

  /** What is wrong with a segment, when all is declared. */
  segmentFaults(segment: SegmentData): Fault[] {
    const nodes = segment.members.flatMap(({ node }) => this.declared(node) ?? []);
    if (nodes.length < segment.members.length) return [];
    return [...segmentFaults(segment, nodes, this.segments.carriage(segment)), ...this.overlaps(segment)];
  }

  private addMeshExchanges(mesh: MeshData, nodes: readonly LinkNode[]): Fault[] {
    const { name, postQuantum } = mesh;
    if (!postQuantum) return [];
    const pairs = pairsOf(nodes).map(([one, other]): [ExchangeView, ExchangeView] => {
      const exchange = ofMesh(mesh, postQuantum, [one.id, other.id]);
      const device = meshDevice(mesh);
      return [
        { exchange, own: one, peer: other, device },
        { exchange, own: other, peer: one, device },
      ];
    });
    return [
      ...binaryFaults(postQuantum.binary, ["postQuantum"]),
      ...pairs.flatMap((views) => this.addExchange(`mesh ${name}`, name, views)),
    ];
  }

  private addLeg(leg: Leg): void {
    this.segments.addLeg(leg);
    this.relays.addLeg(leg);
  }

  /** What is led to by another link or mesh as well, when all is declared; in the plugin what was before it. */
  overlaps(of: LinkData | MeshData | SegmentData): Fault[] {
    const relayed = (own: string, others: readonly string[]) =>
      this.relays.of(own, others).relayed.flatMap(({ addresses }) => knownOf(addresses));
    if ("members" in of)
      return this.topology.overlaps(
        `segment ${of.name}`,
        of.members.map(({ node }) => node.nodeName),
        relayed,
      );
    if ("nodes" in of) return this.topology.overlaps(`mesh ${of.name}`, of.nodes.map(nameOf), relayed);
    return this.topology.overlaps(`link ${of.name}`, [of.a, ...(of.b ? [of.b] : [])].map(nameOf), relayed);
  }

  /** In which order the sides of a link are made: the one that calls, where only one does, comes last. */
  order(link: LinkData): [SideName, SideName] {
    const [a, b] = this.ends(link);
    if (!a || !b) return ["a", "b"];
    const [fromA, fromB] = views(link, a, b).map(calls);
    return fromA && !fromB ? ["b", "a"] : ["a", "b"];
  }

  /** A node that this process has declared. */
  nodeOf = (name: string): NodeData | undefined => this.nodes.get(name);

  /** `compute` of nodes: as they were declared here, or as their outputs say in the end. */
  ofNodes<N extends readonly OverlayNode[], T>(
    nodes: readonly [...N],
    compute: (nodes: { [I in keyof N]: LinkNode }) => T,
  ): T | pulumi.Output<T> {
    type Known = { [I in keyof N]: LinkNode };
    const known = nodes.flatMap((node) => this.declared(node) ?? []);
    if (known.length === nodes.length) return compute(known as unknown as Known);
    return pulumi.all(nodes.map(fromOutputs)).apply((all) => compute(all as unknown as Known)) as pulumi.Output<T>;
  }

  private ends({ a, b, peer }: LinkData): [LinkNode | undefined, LinkNode | undefined] {
    return [this.declared(a), peer ? nodeOf(peer) : b && this.declared(b)];
  }

  /** The node with all that decides about its links' number and form. */
  private declared({ nodeName }: OverlayNode): LinkNode | undefined {
    const node = this.nodes.get(nodeName);
    return node && !isLater(node.endpoints)
      ? { ...node, endpoints: node.endpoints, adopts: this.adopted(nodeName) }
      : undefined;
  }

  /** One machine may be the peer of several, each time with the same name, id and addresses. */
  private peerClashes({ name, id, addresses, endpoint }: PeerData): Fault[] {
    const known = knownOf(addresses);
    const identity = `${name} ${id} ${[...known].sort().join(" ")}`;
    const clashes = this.peers.has(identity) ? [] : this.topology.addNode({ name, id, addresses: known, prefixes: [] });
    this.peers.add(identity);
    const at = parseEndpoint(isLater(endpoint) ? "" : (endpoint ?? ""));
    return at ? [...clashes, ...this.topology.addEndpoint([name, "endpoint"], at.address)] : clashes;
  }

  /** Held against the others by what has no fault of its own. */
  private clashes(name: string, written: unknown): Fault[] {
    const { id, addresses, prefixes, connection } = Object(written) as Record<string, unknown>;
    const number = nodeArgs.shape.id.safeParse(id).data;
    if (number === undefined) return [];
    const [known, ours] = [sound(addressField, addresses), sound(prefixField, prefixes)];
    const machine = reached(connection);
    return this.topology.addNode({ name, id: number, addresses: known, prefixes: ours, ...(machine && { machine }) });
  }
}

/** In whatever order they are named. */
const pairOf = (one: string, other: string): string => [one, other].sort().join(" ");

/** Every two. */
export const pairsOf = <T>(all: readonly T[]): [T, T][] =>
  all.flatMap((one, index) => all.slice(index + 1).map((other): [T, T] => [one, other]));

const nameOf = ({ nodeName }: OverlayNode): string => nodeName;
const nameOfPeer = ({ name }: PeerData): string => name;

/** A link has one other end. */
function otherFaults({ b, peer, routes }: LinkData): Fault[] {
  const wrong = (path: string[], code: Fault["code"], legal: string, cure: string) => [
    fault(path, undefined, { code, legal, cure }),
  ];
  if (b && peer) return wrong(["peer"], "input/conflict", "absent where `b` is given", "leave one of them out");
  if (peer && routes.b)
    return wrong(["routes", "b"], "input/conflict", "absent where `peer` is given", "name them in peer.routes");
  if (b || peer) return [];
  return wrong(["b"], "input/missing", "an OverlayNode of this program, where `peer` is not given", "add it");
}

/** The values of a list that their schema has nothing against. */
const sound = (field: z.ZodType<string>, values: unknown): string[] =>
  Array.isArray(values) ? values.flatMap((value) => field.safeParse(value).data ?? []) : [];

/** Where a machine is, as far as that is known; behind different bastions the same address is another machine. */
function reached(connection: unknown): string | undefined {
  const { success, data } = Connection.safeParse(connection);
  if (!success) return undefined;
  const { host, port, proxyJump } = data;
  return `${host}${port === 22 ? "" : `:${port}`}${proxyJump ? ` through ${proxyJump}` : ""}`;
}

const fromOutputs = (node: OverlayNode): pulumi.Output<LinkNode> => {
  const { nodeName: name, nodeId: id, addresses, endpoints, prefixes, ports, portBase, underlay } = node;
  const { firewall, firewallChain, forwardChain } = node;
  return pulumi.output({
    name,
    id,
    addresses,
    endpoints,
    prefixes,
    ports,
    portBase,
    underlay,
    firewall,
    firewallChain,
    forwardChain,
    adopts: [],
  }) as unknown as pulumi.Output<LinkNode>;
};
