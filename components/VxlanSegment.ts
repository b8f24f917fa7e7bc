import * as pulumi from "../sdk/provider/pulumi";
import { Bridge, Member } from "../sdk/provider/resources";
import { applyPartly, standIn, standIns } from "./input";
import { foretell, named, owner, properties, settled, timeouts, withheld } from "./outputs";
import { makePart } from "./part";
import { program } from "./program";
import { bridgeDevice, bridgeOf, memberOf, segmentPeers, smallMtu } from "./segment";
import { type MemberData, type SegmentData, segmentOutputs, type VxlanSegmentArgs } from "./segmentArgs";
import type { LinkNode } from "./side";

/** The segment on one of its nodes. */
export interface SegmentDevice {
  /** The node's name. */
  node: string;
  /** Name of the VXLAN device. */
  device: string;
  /** Name of the bridge that it is a port of; absent where there is none. */
  bridge?: string;
  /** Address that its VXLAN packets come from and go to. */
  vtep: string;
  /** Bytes. */
  mtu: number;
}

/**
 * A VXLAN segment: one Ethernet network of several nodes, over links and meshes that encrypt it.
 *
 * @example
 * ```ts
 * new VxlanSegment("lan", {
 *   vni: 100,
 *   variant: "static-flood",
 *   members: [
 *     { node: lux, addresses: ["10.100.0.1/24"] },
 *     { node: fra, addresses: ["10.100.0.2/24"], bridge: { ports: ["eth1"], stp: true } },
 *   ],
 * });
 * ```
 */
export class VxlanSegment extends pulumi.ComponentResource {
  static readonly token = "overlay:index:VxlanSegment";

  /** The segment on each of its nodes, in the order in which members are given. */
  declare readonly devices: pulumi.Output<SegmentDevice[]>;

  /** Faults of the arguments are reported, with those of the whole program, when it has declared all that it has. */
  constructor(name: string, args: VxlanSegmentArgs, options: pulumi.ComponentResourceOptions = {}) {
    super(VxlanSegment.token, name, named(segmentOutputs), options);
    if (options.urn) return;
    const segment = program().sound(this, args, program().network.addSegment(name, args));
    program().whenWhole(this, () => (segment ? program().network.segmentFaults(segment) : []));
    if (!segment) {
      Object.assign(this, withheld(segmentOutputs));
      return;
    }
    const outputs = settled(segmentOutputs, { devices: makeMembers(this, segment, timeouts(options)) });
    Object.assign(this, properties(outputs));
    this.registerOutputs(outputs);
  }
}

const declared = <T>({ members }: SegmentData, compute: (nodes: LinkNode[]) => T) =>
  program().whenDeclared(() =>
    program().network.ofNodes(
      members.map(({ node }) => node),
      compute,
    ),
  );

function makeMembers(
  parent: VxlanSegment,
  segment: SegmentData,
  options: pulumi.CustomResourceOptions,
): pulumi.Output<SegmentDevice>[] {
  const { network, devices } = program();
  const peers = declared(segment, (nodes) => segmentPeers(segment, nodes));
  foretell(
    parent,
    "warning/smallMtu",
    declared(segment, (nodes) => smallMtu(segment, network.segments.carriage(segment), nodes)),
  );
  const make = (member: MemberData, index: number) => {
    const { node } = member;
    const bridge = makeBridge(segment, member, options);
    const own = declared(segment, (nodes) =>
      memberOf(segment, nodes, index, owner(), network.segments.carriage(segment)),
    );
    const spec = applyPartly(pulumi.all([own, peers]), ([own, peers]) => {
      const others = peers.filter((_, other) => other !== index);
      const whole = { ...own, local: standIn(own.local, own.node), peers: others.map(withStandIns) };
      // The provider takes either, and the SDK carries what is unknown.
      return (pulumi.containsUnknowns(whole) ? whole : JSON.stringify(whole)) as string;
    });
    // Its packets come from an address that one of these has.
    const below = () =>
      network.segments
        .carriage(segment)
        .legs.flatMap(({ who }) => devices.get(`${who}@${node.nodeName}`) ?? [])
        .concat(bridge ?? []);
    const name = (of: string): string => `${segment.name}@${of}`;
    const made = makePart(Member, node, { part: "machine", name, spec, after: below }, { ...options, parent });
    // By way of the URN, so that what uses an output of the segment waits for its device.
    return pulumi
      .all([own, made.urn])
      .apply(([{ node, device, bridge, local: vtep, mtu }]) =>
        pulumi.output({ node, device, vtep, mtu, ...(bridge !== undefined && { bridge }) }),
      );
  };
  // As they are made again, by name: who waits for others of them must not be all that the engine has at work at once.
  const all = segment.members.map((member, index) => ({ member, index, name: member.node.nodeName }));
  const made = new Map(
    all.sort((a, b) => (a.name < b.name ? -1 : 1)).map(({ member, index, name }) => [name, make(member, index)]),
  );
  return segment.members.flatMap(({ node }) => made.get(node.nodeName) ?? []);
}

type Told = pulumi.Unwrap<ReturnType<typeof segmentPeers>>[number];

const withStandIns = (peer: Told): Told => ({
  ...peer,
  vtep: standIn(peer.vtep, peer.name),
  behind: peer.behind.map(({ mac, addresses }) => ({
    mac: standIn(mac, peer.name),
    addresses: standIns(addresses, peer.name),
  })),
  routes: standIns(peer.routes, peer.name),
});

/** Once for all segments that are in it. It is the node's, so that it stays as long as one of them does. */
function makeBridge(
  segment: SegmentData,
  member: MemberData,
  options: pulumi.CustomResourceOptions,
): pulumi.Resource | undefined {
  const { node } = member;
  const device = bridgeDevice(segment, member);
  if (device === undefined) return undefined;
  const name = (of: string): string => `${device}@${of}`;
  const key = `bridge ${name(node.nodeName)}`;
  const { devices, network } = program();
  const before = devices.get(key);
  if (before) return before;
  const spec = declared(segment, (nodes) => {
    const own = nodes.find(({ name }) => name === node.nodeName) as LinkNode;
    return bridgeOf(own, device, network.segments.bridged(node.nodeName, device), owner());
  });
  const made = makePart(Bridge, node, { part: "machine", name, spec }, { ...options, parent: node });
  devices.set(key, made);
  return made;
}
