/** The segments of a program, seen together: what they run over, and the bridges that several of them are in. */
import type * as pulumi from "@pulumi/pulumi";
import { type Fault, fault } from "../sdk/faults";
import { type Carriage, carriage } from "./carriage";
import type { OverlayNode } from "./OverlayNode";
import type { Leg } from "./paths";
import type { Relays } from "./relay";
import { type Bridged, bridgeDevice, mtuOf } from "./segment";
import type { MemberData, SegmentData } from "./segmentArgs";
import type { LinkNode } from "./side";

type OfNodes = <T>(nodes: readonly OverlayNode[], compute: (nodes: LinkNode[]) => T) => T | pulumi.Output<T>;

export class Segments {
  private readonly legs: Leg[] = [];
  private readonly bridges: { node: string; device: string; segment: SegmentData; member: MemberData }[] = [];

  /** `whole`: false where nobody knows what is still to come, as in the plugin: then nothing depends on it. */
  constructor(
    private readonly relays: Relays,
    private readonly ofNodes: OfNodes,
    private readonly whole: boolean,
  ) {}

  addLeg(leg: Leg): void {
    this.legs.push(leg);
  }

  /** Notes a segment; what it lacks, or has and may not, where the program is not seen as a whole. */
  add(segment: SegmentData): Fault[] {
    const bridged = segment.members.flatMap((member, index) => {
      const device = bridgeDevice(segment, member);
      return device === undefined ? [] : [{ node: member.node.nodeName, device, segment, member, index }];
    });
    const shared = bridged.filter(({ node, device }) => this.bridged(node, device).length > 0);
    this.bridges.push(...bridged);
    if (this.whole) return [];
    const faults = shared.map(({ device, index }) => {
      const legal = "a bridge of one segment, in a program that is not in TypeScript or JavaScript";
      const cure = "give it another `device`";
      return fault(["members", index, "bridge"], device, { code: "input/language", legal, cure });
    });
    if (!segment.encrypted || segment.links.length > 0 || segment.mesh) return faults;
    const legal = "there, or `mesh` is, in a program that is not in TypeScript or JavaScript";
    const cure = "name what leads from member to member";
    return [...faults, fault(["links"], undefined, { code: "input/language", legal, cure })];
  }

  /** What the packets of a segment go by, when all is declared: the links and the mesh that it names, or all. */
  carriage(segment: SegmentData): Carriage {
    const { links, mesh } = segment;
    const named = [...links.map(({ linkName }) => `link ${linkName}`), ...(mesh ? [`mesh ${mesh.meshName}`] : [])];
    const legs = named.length === 0 ? this.legs : this.legs.filter(({ who }) => named.includes(who));
    return carriage(segment, legs, this.relays.between);
  }

  /** The segments that are in a bridge of a node. */
  bridged(node: string, device: string): Bridged[] {
    return this.bridges
      .filter((it) => it.node === node && it.device === device)
      .map(({ segment, member }) => {
        const members = segment.members.map((it) => it.node);
        const mtu = this.ofNodes(members, (nodes) => mtuOf(segment, this.carriage(segment), nodes));
        return { segment, member, mtu: mtu as pulumi.Input<number> };
      });
  }
}
