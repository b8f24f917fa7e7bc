/** What a person may say about a VXLAN segment. */
import { z } from "zod";
import {
  addressField,
  choice,
  deviceField,
  familyField,
  groupField,
  insideField,
  macField,
  nameField,
  portField,
  prefixField,
  vniField,
} from "../sdk/network/fields";
import type { VARIANTS } from "../sdk/vxlan";
import { component, input } from "./input";
import type { OverlayNode } from "./OverlayNode";
import type { WgLink } from "./WgLink";
import type { WgMesh } from "./WgMesh";

const bridge = z
  .strictObject({
    device: deviceField
      .optional()
      .describe(
        "Name of the bridge, at most 15 bytes. Segments that name the same one on a node share it, and reach its ports " +
          "but not each other. Default: br- and the segment's name. Example: br-lan",
      ),
    ports: z
      .array(deviceField)
      .default([])
      .describe(
        "Devices that the machine has and that become ports of it. What comes by them may be no larger than the segment's " +
          "MTU: the machines behind them are to have that, too. Default: none. Example: [eth1]",
      ),
    stp: z
      .boolean()
      .default(false)
      .describe("The spanning tree protocol, for ports behind which there may be another way back. Default: false."),
    loopFree: z
      .boolean()
      .default(false)
      .describe("That nothing behind a port leads back here, so that no spanning tree is needed. Default: false."),
  })
  .meta({
    id: "SegmentBridge",
    description: "A bridge on a member, by which other devices of the machine are in the segment.",
  });

const host = z
  .strictObject({
    mac: input(macField).describe("Its MAC address. Example: 52:54:00:12:34:56"),
    addresses: input(z.array(input(addressField)).default([])).describe(
      "Its IP addresses. Default: none. Example: [10.100.0.50, fd00:100::50]",
    ),
  })
  .meta({ id: "SegmentHost", description: "A host behind a member's bridge." });

const member = z
  .strictObject({
    node: component<OverlayNode>("overlay:index:OverlayNode").describe("The node, an OverlayNode."),
    addresses: input(z.array(input(insideField)).default([])).describe(
      "The node's addresses in the segment, with the length of its prefix. Default: none. " +
        "Example: [10.100.0.1/24, fd00:100::1/64]",
    ),
    bridge: bridge
      .optional()
      .describe("A bridge that the segment is a port of, and which then has the addresses. Default: none."),
    behind: z
      .array(host)
      .default([])
      .describe("Hosts behind the bridge, for variants in which nobody is looked for. Default: none."),
    routes: input(z.array(input(prefixField)).default([])).describe(
      "What the other members without a bridge reach by way of the node, which has to forward it. Default: none. " +
        "Example: [192.168.7.0/24]",
    ),
    masquerade: deviceField
      .optional()
      .describe(
        "Device of the node by which what comes from the segment leaves under the node's own address, and by which nothing " +
          "comes in that nobody inside has asked for. Default: none. Example: eth0",
      ),
    vtep: input(addressField)
      .optional()
      .describe(
        "Address of the node that its VXLAN packets come from and go to. Default: the first of its addresses in the " +
          "overlay that is of the segment's outer family; where encrypted is false, of its endpoints. Example: 10.255.0.1",
      ),
    underlay: deviceField
      .optional()
      .describe("Of multicast, the device on which the group is. Default: none. Example: eth0"),
  })
  .meta({ id: "SegmentMember", description: "A node that is in a segment." });

const router = z
  .strictObject({
    mac: input(macField).describe("MAC address of the router. Example: 02:00:5e:00:01:01"),
    at: nameField
      .optional()
      .describe("Name of the member behind which it is. Default: the first other; it may be away. Example: lux"),
    addresses: z
      .array(addressField)
      .default([])
      .describe("Its addresses, as members without a bridge call it. Default: none. Example: [10.100.0.254]"),
    routes: z
      .array(prefixField)
      .default([])
      .describe("What such members reach by way of it. Default: none. Example: [10.100.0.0/24, 10.101.0.0/24]"),
  })
  .meta({ id: "SegmentRouter", description: "A router in a segment that packets need not go to." });

/** The variants in RFC 7348 and of the kernel's driver (ip-link(8), VXLAN). */
const variantField = choice<(typeof VARIANTS)[number]>(
  "SegmentVariant",
  "How the members of a segment find each other.",
  {
    "point-to-point": "There are two of them.",
    multicast: "By a group, on a plain underlay.",
    "static-flood": "What is for all is sent to each, and addresses are learned.",
    "static-l2": "The same without learning.",
    "static-arp-nd": "Nothing is flooded: who is where is declared.",
    "route-short-circuit": "Packets for a router go straight to the host behind it.",
    "unicast-routing": "Packets are routed to members, and there are no frames to flood.",
  },
);

export const segmentArgs = z.strictObject({
  vni: vniField.describe("VXLAN network identifier, 1 to 16777215, with the port unique on each node. Example: 100"),
  variant: variantField.describe(
    "How members find each other. point-to-point: two of them. multicast: by a group, on a plain underlay. " +
      "static-flood: what is for all is sent to each, and addresses are learned. static-l2: the same without learning. " +
      "static-arp-nd: nothing is flooded, who is where is declared. route-short-circuit: packets for a router go straight " +
      "to the host behind it. unicast-routing: packets are routed to members, and there are no frames to flood.",
  ),
  members: z.array(member).min(1).describe("The nodes that are in the segment, each once."),
  links: z
    .array(component<WgLink>("overlay:index:WgLink"))
    .default([])
    .describe(
      "Links that lead from member to member. Default: all of the program; in other languages than TypeScript and " +
        "JavaScript links or mesh is needed.",
    ),
  mesh: component<WgMesh>("overlay:index:WgMesh")
    .optional()
    .describe("A mesh that leads from member to member. Default: all of the program."),
  encrypted: z
    .boolean()
    .default(true)
    .describe(
      "Whether frames come and go by links and meshes alone. false: they are sent in clear, from and to the members' " +
        "endpoints, and none but the members' are taken. Default: true.",
    ),
  port: portField
    .default(4789)
    .describe("UDP port; unicast-routing needs one of its own. Default: 4789. Example: 4790"),
  ttl: z
    .int()
    .min(1)
    .max(255)
    .default(64)
    .describe("Hops that a VXLAN packet may take; with 1 it does not cross a relay. Default: 64. Example: 1"),
  mtu: input(z.int())
    .optional()
    .describe(
      "Bytes that a packet inside of the segment may have. Default: what the narrowest way between two members leaves, " +
        "1370 over links of 1420 bytes. Example: 1350",
    ),
  family: choice("SegmentFamily", "Families inside of a segment, where there are not both.", { v4: "IPv4 alone." })
    .optional()
    .describe("v4: there is no IPv6 in the segment, so that 576 bytes will do. Default: both families. Example: v4"),
  outer: familyField
    .optional()
    .describe(
      "Family of the VXLAN packets themselves. Default: inet where all members have such an address. Example: inet6",
    ),
  group: groupField.optional().describe("Of multicast, the group. Default: none. Example: 239.1.1.1"),
  router: router.optional().describe("Of route-short-circuit, the router that packets need not go to. Default: none."),
  device: deviceField
    .optional()
    .describe("Name of the VXLAN device on each node, at most 15 bytes. Default: vx- and the segment's name."),
});

/** Each is described in the document Arguments of the reference. */
export type VxlanSegmentArgs = z.input<typeof segmentArgs>;

/** A segment as declared, defaults filled in. */
export type SegmentData = z.output<typeof segmentArgs> & { name: string };
export type MemberData = SegmentData["members"][number];

const seen = z
  .object({
    node: z.string().describe("The node's name."),
    device: z.string().describe("Name of the VXLAN device."),
    bridge: z.string().optional().describe("Name of the bridge that it is a port of; absent where there is none."),
    vtep: z.string().describe("Address that its VXLAN packets come from and go to."),
    mtu: z.int().describe("Bytes that a packet inside of the segment may have."),
  })
  .meta({ id: "SegmentDevice", description: "A segment on one of its nodes." });

export const segmentOutputs = z.object({
  devices: z.array(seen).describe("The segment on each of its nodes, in the order in which members are given."),
});
