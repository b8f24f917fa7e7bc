/** What a person may say about a machine of the network. */

import { z } from "zod";
import { checkedString, type Fault, fault } from "../sdk/faults";
import { Connection } from "../sdk/host/connection";
import { CHAIN_FIELDS, chainObjection } from "../sdk/kernel/chains";
import { address, notAnEndpoint } from "../sdk/network/address";
import {
  addressField,
  chainsField,
  deviceField,
  familyField,
  firewallField,
  NAME_UNDERLAY,
  nameField,
  portField,
  prefixField,
} from "../sdk/network/fields";
import { DEFAULT_UNDERLAY_MTU } from "../sdk/network/mtu";
import { PORT_BASE } from "../sdk/network/ports";
import { spec as host } from "../sdk/node/spec";
import * as pulumi from "../sdk/provider/pulumi";
import { input, isLater, lift } from "./input";

const underlayAddress = checkedString((value) => {
  const canonical = address(value);
  const why = canonical && notAnEndpoint(canonical, []);
  if (canonical && !why) return undefined;
  const legal = "an address on the underlay, such as 203.0.113.5 or 2001:db8::5";
  return why
    ? { legal: `${legal}, and this is ${why}`, cure: NAME_UNDERLAY }
    : { legal, cure: "correct the address; a host name is not one, because what it stands for may change" };
}).transform((value) => address(value) ?? value);

const connection = z
  .strictObject({
    host: input(Connection.shape.host),
    port: input(Connection.shape.port),
    user: input(Connection.shape.user),
    hostKey: input(Connection.shape.hostKey),
    proxyJump: input(Connection.shape.proxyJump),
    connectTimeout: input(Connection.shape.connectTimeout),
  })
  .meta({
    id: "Connection",
    description: "How a machine is reached over SSH. What is not said here is as ssh_config has it.",
  });

const endpoint = z
  .strictObject({
    address: input(underlayAddress).describe("Address on the underlay. Example: 203.0.113.5"),
    ports: z
      .array(input(portField))
      .min(1)
      .optional()
      .describe(
        "UDP ports that reach the node at this address, where only a few do; the other node's id decides which of " +
          "them. Default: the port that the node listens on. Example: [443, 4500]",
      ),
    family: familyField
      .optional()
      .describe("Family of an address that is known only later. Default: the address's own. Example: inet6"),
  })
  .meta({ id: "Endpoint", description: "Where other nodes reach a node over the underlay." });

const underlay = z
  .strictObject({
    mtu: input(z.int().min(576).max(65535).default(DEFAULT_UNDERLAY_MTU)).describe(
      "Bytes that a packet on its way to other nodes may have. Default: 1500. Example: 1492",
    ),
    devices: z
      .array(deviceField)
      .default([])
      .describe("Tunnel devices of others that encrypted packets may leave by. Default: none. Example: [hetzner0]"),
  })
  .meta({ id: "Underlay", description: "What encrypted packets travel on." });

const relayPair = z
  .strictObject({
    a: nameField.describe("Name of one node. Example: lux"),
    b: nameField.describe("Name of the other. Example: hkg"),
  })
  .meta({ id: "RelayPair", description: "Two nodes that a third forwards between." });

export const nodeArgs = z.strictObject({
  id: host.shape.id.describe("Number of the node, unique in the network; never change it. Example: 1"),
  connection: input(connection).describe("How the machine is reached over SSH."),
  addresses: input(z.array(input(addressField)).default([])).describe(
    "The node's addresses in the overlay. Default: none. Example: [10.255.0.1, fd00:6f::1]",
  ),
  endpoints: input(z.array(endpoint).default([])).describe(
    "Where other nodes reach this one over the underlay, the best first. Default: none, so this node calls the " +
      "others. Example: [{address: 203.0.113.5}, {address: 2001:db8::5}]",
  ),
  prefixes: input(z.array(input(prefixField)).default([])).describe(
    "The overlay's prefixes: no endpoint may be in one, and packets to what no link carries go nowhere. " +
      "Default: none. Example: [10.255.0.0/24, fd00:6f::/48]",
  ),
  ports: input(z.array(input(portField)).min(1).optional()).describe(
    "UDP ports to listen on, for a machine that has only a few; the other node's id decides which of them. " +
      "Default: portBase + the other node's id. Example: [51820, 51821]",
  ),
  portBase: input(z.int().min(1).max(65534).default(PORT_BASE)).describe(
    "The node listens for another on this UDP port + the other's id. Default: 11000. Example: 20000",
  ),
  relay: z
    .array(relayPair)
    .default([])
    .describe(
      "Pairs of nodes that this one forwards between. It has a link or a mesh with both; where they have one with each " +
        "other, that goes first, and this is the way when its routes are gone. A relay forwards nothing else from or to " +
        "its links, for containers neither; IPv6 forwarding goes on for the whole host, and comes back off with the last " +
        "pair. Default: none. Example: [{a: lux, b: hkg}]",
    ),
  clampMss: host.shape.clampMss.describe(
    "Whether the ends of TCP connections that the node forwards from or to a link or a segment are told what size of " +
      "segments the way carries (MSS). Default: true. Example: false",
  ),
  underlay: input(underlay.prefault({})).describe("What encrypted packets travel on. Default: 1500 bytes, no tunnels."),
  packages: host.shape.packages.describe(
    "Whether packages that the machine lacks are installed or are a fault. Default: expect. Example: install",
  ),
  firewall: firewallField
    .optional()
    .describe(
      "Who on the machine decides which packets are let in: rules of its own let in the UDP ports of the node's links. " +
        "none: nobody, or somebody else opens them. Default: not known, and a machine that drops what no rule lets in is a " +
        "fault. Example: ufw",
    ),
  firewallChain: chainsField
    .optional()
    .describe(
      "Of firewall nftables, the family, table and name of the chain that drops what no rule lets in, or a list of all " +
        "such chains. Default: none. Example: [ip filter input, ip6 filter input]",
    ),
  forwardChain: chainsField
    .optional()
    .describe(
      "Of firewall nftables, the same of the chains that drop what is forwarded and no rule lets through; for a relay. " +
        "Default: none. Example: inet filter forward",
    ),
  sysctls: host.shape.sysctls.describe('Kernel settings. Default: none. Example: {net/ipv4/ip_forward: "1"}'),
  formerly: host.shape.formerly.describe(
    "Names that this stack had before, as project/stack. Default: none. Example: [net/production]",
  ),
  prepare: z
    .array(input(z.string().min(1)))
    .default([])
    .describe(
      "Your own shell commands that run on the machine before anything of ours, once each, in this order, by Pulumi's " +
        "command package. They need connection.hostKey and a key in your SSH agent. Default: none. " +
        "Example: [apt-get update]",
    ),
});

export const nodeOutputs = z.object({
  machine: z.string().describe("/etc/machine-id of the machine."),
  publicKey: z.string().describe("The node's WireGuard public key; the private one never leaves the machine."),
  wireguard: z.string().describe("Where WireGuard runs there: kernel or userspace."),
  nodeId: z.int().describe("The node's id."),
  connection: connection.describe("How the machine is reached."),
  addresses: z.array(z.string()).describe("The node's addresses in the overlay."),
  endpoints: z.array(endpoint).describe("Where other nodes reach this one."),
  prefixes: z.array(z.string()).describe("The overlay's prefixes."),
  ports: z.array(z.int()).optional().describe("UDP ports to listen on, where there are only a few."),
  portBase: z.int().describe("First of the UDP ports that are listened on."),
  underlay: underlay.describe("What the node's encrypted packets travel on."),
  firewall: firewallField.optional().describe("Who decides which packets are let in, where it was said."),
  firewallChain: z.array(z.string()).optional().describe("Of nftables, the chains that drop what no rule lets in."),
  forwardChain: z.array(z.string()).optional().describe("The same of those that drop what no rule lets through."),
});

export type EndpointArgs = z.input<typeof endpoint>;

/** Each is described in the document Arguments of the reference. */
export type OverlayNodeArgs = Omit<z.input<typeof nodeArgs>, "endpoints"> & {
  /** An address stands for `{ address }`. */
  endpoints?: pulumi.Input<(pulumi.Input<string> | EndpointArgs)[]>;
};

/** A node as declared, defaults filled in. */
export type NodeArgs = z.output<typeof nodeArgs>;
export type NodeData = NodeArgs & { name: string };

/** One shape for what can be written in several. */
export function expanded(args: OverlayNodeArgs): unknown {
  const expand = (endpoints: unknown): unknown =>
    Array.isArray(endpoints)
      ? endpoints.map((it) => (typeof it === "string" || isLater(it) ? { address: it } : it))
      : endpoints;
  const endpoints = args?.endpoints;
  return { ...args, endpoints: isLater(endpoints) ? pulumi.output(endpoints).apply(expand) : expand(endpoints) };
}

/** What the machine of a node is told. */
export const hostSpec = <P>(node: NodeData, owner: string, { adopts, relay }: { adopts: string[]; relay: P }) => ({
  node: node.name,
  owner,
  formerly: node.formerly,
  id: node.id,
  addresses: node.addresses,
  prefixes: node.prefixes,
  relay,
  underlay: lift(({ devices }) => devices, node.underlay),
  clampMss: node.clampMss,
  adopts,
  packages: node.packages,
  sysctls: node.sysctls,
  ...letIn(node),
});

/** What it is told of its key alone. */
export const keySpec = ({ name, formerly, packages }: NodeData, owner: string) => ({
  node: name,
  owner,
  formerly,
  packages,
});

type LetIn = Pick<NodeData, "firewall" | "firewallChain" | "forwardChain">;

/** What a machine and its links are told of its firewall; nothing where nothing was said. */
export const letIn = ({ firewall, firewallChain, forwardChain }: LetIn) => ({
  ...(firewall !== undefined && { firewall }),
  ...(firewallChain !== undefined && { firewallChain }),
  ...(forwardChain !== undefined && { forwardChain }),
});

/** What is wrong between the fields of a node. */
export const firewallFaults = (node: NodeArgs): Fault[] =>
  CHAIN_FIELDS.flatMap((field) => {
    const objection = chainObjection(node, field);
    return objection ? [fault([field], node[field]?.join(", "), objection)] : [];
  });
