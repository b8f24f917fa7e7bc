/** The members of a segment, from what they, their nodes and the segment say; what is known only later goes through. */
import type * as pulumi from "@pulumi/pulumi";
import { type Fault, fault } from "../sdk/faults";
import { placeholder } from "../sdk/kernel/later";
import { contains, type Family, family, inside } from "../sdk/network/address";
import { memberMac } from "../sdk/network/mac";
import { type Layer, leastMtu, mtu, mtuObjection, narrowest, type Way } from "../sdk/network/mtu";
import { overlapping } from "../sdk/network/overlaps";
import type { TopologySegment } from "../sdk/network/topology";
import type { Compared } from "../sdk/vxlan";
import { type Carriage, pathFaults } from "./carriage";
import { faultsOfKnown, isKnown, knownOf, lift } from "./input";
import { mtuOf as linkMtu, underlayMtu, wayOf } from "./mtu";
import type { MemberData, SegmentData } from "./segmentArgs";
import type { LinkNode } from "./side";

/** Loaded with the first segment: most programs have none. */
const vxlan = (): typeof import("../sdk/vxlan") => require("../sdk/vxlan");

export const device = ({ device, name }: SegmentData): string => device ?? `vx-${name}`;

export const bridgeDevice = ({ name }: SegmentData, { bridge }: MemberData): string | undefined =>
  bridge && (bridge.device ?? `br-${name}`);

/** Addresses that a member's packets may come from. */
const candidates = ({ encrypted }: SegmentData, { vtep }: MemberData, node: LinkNode) => {
  if (vtep !== undefined) return [vtep];
  return encrypted ? node.addresses : node.endpoints.map(({ address }) => address);
};

/** Family of the VXLAN packets: IPv4 unless somebody is known to have no address of it. */
export function outer(segment: SegmentData, nodes: readonly LinkNode[]): Family {
  const without = segment.members.some((member, index) => {
    const all = candidates(segment, member, nodes[index] as LinkNode);
    const known = knownOf(all);
    return isKnown(all) && all.length > 0 && all.every(isKnown) && !known.some((it) => family(it) === "inet");
  });
  return segment.outer ?? (without ? "inet6" : "inet");
}

const vtep = (segment: SegmentData, member: MemberData, node: LinkNode, of: Family) =>
  lift((all) => all.find((it) => family(it) === of) ?? "", candidates(segment, member, node));

/** Bytes that the VXLAN packets may have; of one member alone, what a link of its own would carry. */
function carrier({ encrypted }: SegmentData, { legs }: Carriage, nodes: readonly LinkNode[]) {
  if (!encrypted) return underlayMtu(nodes);
  if (legs.length === 0) return linkMtu({}, nodes);
  return lift((...all: number[]) => Math.min(...all), ...(legs.map((leg) => leg.mtu) as number[]));
}

const layer = (of: Family): Layer => ({ layer: "VXLAN", outer: of });

/** The MTU inside, on all members. */
export const mtuOf = (segment: SegmentData, carried: Carriage, nodes: readonly LinkNode[]) =>
  lift(
    (declared, below) => declared ?? mtu(below, [layer(outer(segment, nodes))]),
    segment.mtu,
    carrier(segment, carried, nodes),
  );

/** What the other members are told of each. */
export function segmentPeers(segment: SegmentData, nodes: readonly LinkNode[]) {
  const of = outer(segment, nodes);
  return segment.members.map((member, index) => {
    const node = nodes[index] as LinkNode;
    const { addresses, behind, routes } = member;
    const mac = memberMac(segment.vni, node.id);
    return { name: node.name, id: node.id, vtep: vtep(segment, member, node, of), mac, addresses, behind, routes };
  });
}

/** The router as a member sees it: in a prefix of its own, and with the way to what it is not in itself. */
const routerOf = ({ router }: SegmentData, { addresses, bridge, node }: MemberData) =>
  router &&
  lift((addresses) => {
    const own = bridge ? [] : (addresses as string[]).flatMap((it) => inside(it)?.prefix ?? []);
    const prefixes = own.map((prefix) => ({ prefix, owner: "own" }));
    return {
      mac: router.mac,
      ...(router.at !== undefined && router.at !== node.nodeName && { at: router.at }),
      addresses: router.addresses.filter((it) => own.some((prefix) => contains(prefix, it))),
      routes:
        own.length === 0
          ? []
          : router.routes.filter((prefix) => overlapping([...prefixes, { prefix, owner: "router" }]).length === 0),
    };
  }, addresses);

/** What a member's host is told, but for the other members. */
export function memberOf(
  segment: SegmentData,
  nodes: readonly LinkNode[],
  index: number,
  owner: string,
  carried: Carriage,
) {
  const [member, node] = [segment.members[index] as MemberData, nodes[index] as LinkNode];
  const { name, vni, variant, port, ttl, encrypted, group, family: inner } = segment;
  const bridge = bridgeDevice(segment, member);
  const router = routerOf(segment, member);
  return {
    node: node.name,
    owner,
    segment: name,
    device: device(segment),
    id: node.id,
    vni,
    variant,
    port,
    ttl,
    mtu: mtuOf(segment, carried, nodes),
    ...(inner && { family: inner }),
    carrier: carrier(segment, carried, nodes),
    local: vtep(segment, member, node, outer(segment, nodes)),
    encrypted,
    ...(group !== undefined && { group }),
    ...(member.underlay !== undefined && { underlay: member.underlay }),
    ...(member.masquerade !== undefined && { masquerade: member.masquerade }),
    mac: memberMac(vni, node.id),
    addresses: bridge === undefined ? member.addresses : [],
    ...(bridge !== undefined && { bridge }),
    ...(router !== undefined && { router }),
  };
}

/** A segment as one of a bridge sees it. */
export interface Bridged {
  segment: SegmentData;
  member: MemberData;
  mtu: pulumi.Input<number>;
}

/** What a node's host is told of a bridge. `all`: the segments that are in it. */
export function bridgeOf(node: LinkNode, device: string, all: readonly Bridged[], owner: string) {
  const bridges = all.flatMap(({ member }) => member.bridge ?? []);
  const mtus = all.map(({ mtu }) => mtu) as number[];
  return {
    node: node.name,
    owner,
    device,
    id: node.id,
    mac: memberMac(Math.min(...all.map(({ segment }) => segment.vni)), node.id),
    mtu: lift((...each: number[]) => Math.min(...each), ...mtus),
    ...(all.every(({ segment }) => segment.family === "v4") && { family: "v4" as const }),
    addresses: lift((...each) => (each as string[][]).flat(), ...all.map(({ member }) => member.addresses)),
    ports: [...new Set(bridges.flatMap(({ ports }) => ports))],
    stp: bridges.some(({ stp }) => stp),
    loopFree: bridges.some(({ loopFree }) => loopFree),
  };
}

/** What the network has to know of a segment to see that nothing is had twice. */
export function topologySegment(segment: SegmentData, nodes: readonly LinkNode[]): TopologySegment {
  const { name, vni, port, variant, members } = segment;
  const known = members.map(({ addresses }) => (knownOf(addresses) as string[]).flatMap((it) => inside(it) ?? []));
  const routed = variant === "unicast-routing";
  return {
    name,
    vni,
    port,
    alone: routed,
    devices: members.map((member, index) => ({
      node: nodes[index]?.name ?? "",
      device: device(segment),
      bridge: bridgeDevice(segment, member),
      prefixes: [
        ...(routed ? [] : (known[index] ?? []).map(({ prefix }) => prefix)),
        ...members.flatMap(({ routes }, other) => (other === index ? [] : knownOf(routes))),
      ],
    })),
    prefixes: [...new Set(known.flat().map(({ prefix }) => prefix))],
  };
}

/** Nodes that are named twice: seen before anything is known of them. */
export function twiceFaults({ members }: SegmentData): Fault[] {
  const names = members.map(({ node }) => node.nodeName);
  const objection = { code: "input/duplicate", legal: "each node once", cure: "leave it out here" } as const;
  return names.flatMap((name, index) =>
    names.indexOf(name) === index ? [] : [fault(["members", index, "node"], name, objection)],
  );
}

/** What is wrong with a segment by itself and with what it runs over, when all is declared. */
export function segmentFaults(segment: SegmentData, nodes: readonly LinkNode[], carried: Carriage): Fault[] {
  const own = [...withoutVtep(segment, nodes), ...pathFaults(segment, carried, outer(segment, nodes))];
  // What follows would be said of what is not there.
  return own.length > 0 ? own : [...mtuFaults(segment, nodes, carried), ...specFaults(segment, nodes, carried)];
}

function withoutVtep(segment: SegmentData, nodes: readonly LinkNode[]): Fault[] {
  const of = outer(segment, nodes);
  const kind = `${of === "inet" ? "an IPv4" : "an IPv6"} address`;
  return segment.members.flatMap((member, index) => {
    const node = nodes[index] as LinkNode;
    if (vtep(segment, member, node, of) !== "") return [];
    const where = segment.encrypted ? "its `addresses` in the overlay" : "its `endpoints`";
    const legal = `a node with ${kind} among ${where}, as all members need, and ${node.name} has none`;
    const cure = `give it one, say \`vtep\`, or choose another family with \`outer\``;
    return [fault(["members", index, "node"], node.name, { code: "input/family", legal, cure })];
  });
}

/** The ways that are known, down to the underlay. */
const ways = (segment: SegmentData, nodes: readonly LinkNode[], { legs }: Carriage): Way[] => {
  const below = underlayMtu(nodes);
  const plain: Way[] = isKnown(below) ? [{ underlay: below, layers: [] }] : [];
  const links = legs.length === 0 ? [wayOf({}, nodes, "")] : legs.map(({ way }) => way);
  const all = segment.encrypted ? links.flatMap((way) => way ?? []) : plain;
  return all.map((way) => ({ ...way, layers: [...way.layers, layer(outer(segment, nodes))] }));
};

function mtuFaults(segment: SegmentData, nodes: readonly LinkNode[], carried: Carriage): Fault[] {
  const [first, ...others] = ways(segment, nodes, carried);
  if (!first || !isKnown(segment.mtu)) return [];
  const objection = mtuObjection(segment.mtu, narrowest([first, ...others]), leastMtu(segment.family));
  return objection ? [fault(["mtu"], segment.mtu, objection)] : [];
}

/** What IPv4 alone is said for, and does without. */
export function smallMtu(segment: SegmentData, carried: Carriage, nodes: readonly LinkNode[]): string | undefined {
  const inner = mtuOf(segment, carried, nodes);
  if (segment.family !== "v4" || !isKnown(inner) || inner >= leastMtu()) return undefined;
  return `An MTU of ${inner} bytes, under ${leastMtu()}: nothing in the segment ${segment.name} has IPv6, and what is sent there in larger pieces is fragmented or lost.`;
}

/** Where a field of a member's spec was written down; undefined where that is another's to say. */
function writtenAt(path: string, index: number): string | undefined {
  const peer = /^peers\[(\d+)\](.*)$/.exec(path);
  // The first sees all the others.
  if (peer) return index === 0 ? `members[${Number(peer[1]) + 1}]${peer[2]}` : undefined;
  if (path === "peers") return "members";
  if (path === "local") return `members[${index}].vtep`;
  if (path === "mtu" || path === "mac") return undefined; // seen by mtuFaults; made of VNI and id
  return /^(addresses|underlay|masquerade|bridge)\b/.test(path) ? `members[${index}].${path}` : path;
}

/**
 * What members have twice, or should have in common. A member's spec knows neither what its own bridge has nor who is
 * behind that, so that no one of them sees all.
 */
function memberFaults(segment: SegmentData, nodes: readonly LinkNode[]): Fault[] {
  const known = <T>(value: T) => (isKnown(value) ? value : placeholder(segment.name));
  const all = <T>(values: T) => (isKnown(values) ? (values as unknown[]).map(known) : []);
  const members = segmentPeers(segment, nodes).map(
    (it) =>
      ({
        ...it,
        vtep: known(it.vtep),
        addresses: all(it.addresses),
        behind: it.behind.map(({ mac, addresses }) => ({ mac: known(mac), addresses: all(addresses) })),
      }) as Compared,
  );
  return vxlan()
    .amongMembers(segment, members)
    .map(({ path: [index, ...field], ...objection }) => {
      const value = field.reduce<unknown>((inner, name) => Reflect.get(inner as object, name), members[index]);
      return fault(["members", index, ...field], value, objection);
    });
}

function specFaults(segment: SegmentData, nodes: readonly LinkNode[], carried: Carriage): Fault[] {
  const peers = segmentPeers(segment, nodes);
  const faults = segment.members.flatMap((member, index) => {
    const own = memberOf(segment, nodes, index, "project/stack", carried);
    const spec = { ...own, peers: peers.filter((_, other) => other !== index) };
    const bridge = bridgeDevice(segment, member);
    const node = nodes[index] as LinkNode;
    const bridged =
      bridge === undefined ? [] : bridgeFaults(bridgeOf(node, bridge, [{ segment, member, mtu: own.mtu }], own.owner));
    return [
      ...faultsOfKnown(vxlan().memberSpec, spec).map((it) => ({ ...it, path: writtenAt(it.path, index) ?? "" })),
      ...bridged.map((it) => ({ ...it, path: `members[${index}].${it.path}` })),
    ].filter(({ path }) => path !== "");
  });
  const all = [...memberFaults(segment, nodes), ...faults];
  return [...new Map(all.toReversed().map((it) => [`${it.path} ${it.found}`, it])).values()].toReversed();
}

const bridgeFaults = (spec: object): Fault[] =>
  faultsOfKnown(vxlan().bridgeSpec, spec).flatMap((it) => {
    if (it.path === "mtu" || it.path === "mac") return [];
    return [{ ...it, path: it.path.startsWith("addresses") ? it.path : `bridge.${it.path}` }];
  });
