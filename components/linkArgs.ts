/** What a person may say about a WireGuard link between two nodes. */
import { z } from "zod";
import { choice, deviceField, portField, routeField } from "../sdk/network/fields";
import { ADOPTED, labelField } from "../sdk/wireguard/label";
import { component, input } from "./input";
import type { OverlayNode } from "./OverlayNode";
import { peerField } from "./peerArgs";

const perSide = <S extends z.ZodType>(id: string, schema: S) =>
  z
    .strictObject({
      a: schema.optional().describe("On node a. Default: as of the whole."),
      b: schema.optional().describe("On node b. Default: as of the whole."),
    })
    .meta({ id, description: "What is said of each of the two sides of a link." })
    .default({});

export const rotateField = labelField
  .refine((label) => label !== ADOPTED, {
    error: "another label, because keys that links were adopted with have this one",
  })
  .optional();

export const keepaliveField = z.int().min(0).max(65535).default(25);

/** Of packets that carry others; or of these as well. */
export const carrierField = choice("CarrierFamily", "Family that packets which carry others travel in.", {
  inet: "IPv4.",
  inet6: "IPv6.",
  v4: "IPv4, and there is nothing else inside, either.",
});

export const linkArgs = z.strictObject({
  a: component<OverlayNode>("overlay:index:OverlayNode").describe("One node."),
  b: component<OverlayNode>("overlay:index:OverlayNode")
    .optional()
    .describe("The other node; or else peer is given. Default: none."),
  peer: peerField
    .optional()
    .describe(
      "In place of b, somebody else's machine; the output wgQuick says what it must be told. Default: none. " +
        "Example: {name: phone, id: 50, publicKey: …, addresses: [10.255.0.50]}",
    ),
  family: carrierField
    .optional()
    .describe(
      "Family that the link's own packets travel in: only endpoints of it are called. v4: inet, and there is no IPv6 in " +
        "the link either, so that 576 bytes will do. Default: that of the other node's first endpoint. Example: inet",
    ),
  mtu: input(z.int())
    .optional()
    .describe(
      "Bytes that a packet inside of the link may have. Default: what the smaller underlay leaves over IPv6, " +
        "1420 of 1500, and over IPv4 where family is inet or v4, 1440. Example: 1380",
    ),
  ports: input(perSide("LinkPorts", input(portField))).describe(
    "UDP ports to listen on. Default: the node's portBase + the other node's id, or one of the node's ports. " +
      "Example: {a: 51820}",
  ),
  alsoPorts: perSide("LinkAlsoPorts", z.array(portField)).describe(
    "UDP ports that are redirected to the one listened on, for networks that let few out. Default: none. " +
      "Example: {a: [443]}",
  ),
  routes: perSide("LinkRoutes", input(z.array(input(routeField)))).describe(
    "What lies behind a node besides its own addresses: the other gets routes to it, and the node has to forward it. A " +
      "default route carries the answers to your own SSH, too, where a host has no nearer way to you. What lies behind " +
      "peer is in its own routes. Default: none. Example: {b: [192.168.7.0/24]}",
  ),
  devices: perSide("LinkDevices", deviceField).describe(
    "Names of the network devices, at most 15 bytes. Default: inter- and the other node's name. Example: {a: wg-fra}",
  ),
  adopt: perSide("LinkAdopt", z.boolean()).describe(
    "Whether a WireGuard device of this name that somebody made by hand, by wg-quick or otherwise, is taken over while " +
      "it is up, with its key: devices and ports say which. Leave it as it is afterwards: without it the link has the " +
      "node's key. Default: none. Example: {a: true, b: true}",
  ),
  rotate: rotateField.describe(
    "Gives the link keys of its own, one on each node, in place of the nodes'. Another label makes new keys, and the " +
      "link changes over to them while it is up: what that costs is told by the preview. The old ones go in the end. " +
      "Default: none; the nodes' keys. Example: 2026-11",
  ),
  keepalive: keepaliveField.describe(
    "Seconds between packets that a side with somebody to call sends, so that NATs on the way keep their mapping; " +
      "0 is none. Default: 25. Example: 15",
  ),
});

/** Each is described in the document Arguments of the reference. */
export type WgLinkArgs = z.input<typeof linkArgs>;

/** A link as declared, defaults filled in. */
export type LinkData = z.output<typeof linkArgs> & { name: string };

const side = z
  .object({
    node: z.string().describe("The node's name."),
    device: z.string().describe("Name of the network device."),
    listenPort: z.int().describe("UDP port that it listens on."),
    endpoint: z.string().optional().describe("Where it calls the other side; absent where it waits to be called."),
    mtu: z.int().describe("Bytes that a packet inside of the link may have."),
  })
  .meta({ id: "LinkSide", description: "A link on one of its nodes." });

export const linkOutputs = z.object({
  sideA: side.describe("The link on node a."),
  sideB: side.optional().describe("The link on node b; absent where peer is given."),
  pathMtu: z
    .int()
    .describe(
      "Bytes that a packet inside of the link may have to pass in one piece, as far as that was found out: the MTU, or " +
        "what is less and was measured after the last change or by a refresh.",
    ),
  wgQuick: z
    .string()
    .optional()
    .describe("For peer, a file of wg-quick without its private key; absent where b is given."),
});
