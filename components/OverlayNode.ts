import type { Connection } from "../sdk/host/connection";
import type { Family } from "../sdk/network/address";
import * as pulumi from "../sdk/provider/pulumi";
import { Host, NodeKey } from "../sdk/provider/resources";
import { hostSpec, keySpec, type NodeData, nodeOutputs, type OverlayNodeArgs } from "./nodeArgs";
import { formerNames, named, owner, properties, settled, timeouts, withheld } from "./outputs";
import { prepare } from "./prepare";
import { program } from "./program";

/** Where other nodes reach a node over the underlay. */
export interface Endpoint {
  /** On the underlay. */
  address: string;
  /** UDP ports that reach the node at this address, where only a few do. */
  ports?: number[];
  /** Of an address that is known only later. */
  family?: Family;
}

/** What encrypted packets travel on. */
export interface Underlay {
  /** Bytes that a packet on its way to other nodes may have. */
  mtu: number;
  /** Tunnel devices of others that encrypted packets may leave by. */
  devices: string[];
}

/**
 * A machine of the network: its keys, its addresses in the overlay, and all that its links stand on.
 *
 * @example
 * ```ts
 * const lux = new OverlayNode("lux", {
 *   id: 1,
 *   connection: { host: "203.0.113.5", hostKey: "ssh-ed25519 AAAA…" },
 *   addresses: ["10.255.0.1", "fd00:6f::1"],
 *   endpoints: ["203.0.113.5", "2001:db8::5"],
 * });
 * export const key = lux.publicKey;
 * ```
 */
export class OverlayNode extends pulumi.ComponentResource {
  static readonly token = "overlay:index:OverlayNode";

  /** /etc/machine-id of the machine. */
  declare readonly machine: pulumi.Output<string>;
  /** The node's WireGuard public key; the private one never leaves the machine. */
  declare readonly publicKey: pulumi.Output<string>;
  /** Where WireGuard runs there: `kernel` or `userspace`. */
  declare readonly wireguard: pulumi.Output<string>;
  /** The node's id. */
  declare readonly nodeId: pulumi.Output<number>;
  /** How the machine is reached over SSH. */
  declare readonly connection: pulumi.Output<Connection>;
  /** The node's addresses in the overlay. */
  declare readonly addresses: pulumi.Output<string[]>;
  /** Where other nodes reach this one over the underlay, the best first. */
  declare readonly endpoints: pulumi.Output<Endpoint[]>;
  /** The overlay's prefixes. */
  declare readonly prefixes: pulumi.Output<string[]>;
  /** UDP ports to listen on, where there are only a few. */
  declare readonly ports: pulumi.Output<number[] | undefined>;
  /** The node listens for another on this UDP port + the other's id. */
  declare readonly portBase: pulumi.Output<number>;
  /** What the node's encrypted packets travel on. */
  declare readonly underlay: pulumi.Output<Underlay>;
  /** Who decides which packets are let in, where it was said. */
  declare readonly firewall: pulumi.Output<OverlayNodeArgs["firewall"]>;
  /** Of nftables, the chains that drop what no rule lets in. */
  declare readonly firewallChain: pulumi.Output<string[] | undefined>;
  /** The same of those that drop what is forwarded and no rule lets through. */
  declare readonly forwardChain: pulumi.Output<string[] | undefined>;
  /** Names that `aliases` says it had, so that its links' sides, which bear its name, are known by them, too. */
  readonly formerNames: string[];
  private key: NodeKey | undefined;

  /** Faults of the arguments are reported, with those of the whole program, when it has declared all that it has. */
  constructor(
    readonly nodeName: string,
    args: OverlayNodeArgs,
    options: pulumi.ComponentResourceOptions = {},
  ) {
    super(OverlayNode.token, nodeName, named(nodeOutputs), options);
    this.formerNames = formerNames(options);
    if (options.urn) return;
    program().rollout.join(nodeName);
    const node = program().sound(this, args, program().network.addNode(nodeName, args));
    program().whenWhole(this, () => (node ? program().network.relays.faults(node) : []));
    if (!node) {
      Object.assign(this, withheld(nodeOutputs));
      return;
    }

    const own = { parent: this, deletedWith: options.deletedWith, ...timeouts(options) };
    const key = program().rollout.isConfigured ? makeKey(node, own) : undefined;
    const host = program().inTurn("machine", nodeName, (inTurn) => {
      const before = key ? [key] : prepare(node, this, (value) => pulumi.output(inTurn(value)));
      return new Host(
        nodeName,
        {
          connection: node.connection,
          spec: program().whenDeclared(() => {
            const { network } = program();
            return hostSpec(node, owner(), {
              adopts: network.adopted(nodeName),
              relay: network.relays.pairs(node),
            });
          }),
          ...program().ofStack(nodeName),
        },
        { ...own, dependsOn: inTurn(before) },
      );
    });
    // A preview has it from the Host, which may have said it before there was an order.
    if (!pulumi.runtime.isDryRun()) this.key = key;

    const { machine, publicKey, wireguard } = host;
    const outputs = settled(nodeOutputs, { ...node, nodeId: node.id, machine, publicKey, wireguard });
    Object.assign(this, properties(outputs));
    this.registerOutputs(outputs);
  }

  /** What is known of the machine before its turn comes, where some nodes go before others. */
  get early(): Pick<OverlayNode, "machine" | "publicKey"> {
    return this.key ?? this;
  }
}

/** What devices of all nodes have to know, before any machine changes; and what it takes to make it. */
const makeKey = (node: NodeData, options: pulumi.CustomResourceOptions & { parent: pulumi.Resource }): NodeKey =>
  program().inTurn("key", node.name, (inTurn) => {
    const dependsOn = inTurn(prepare(node, options.parent, (value) => pulumi.output(inTurn(value))));
    return new NodeKey(
      node.name,
      { connection: node.connection, spec: keySpec(node, owner()) },
      { ...options, dependsOn },
    );
  });
