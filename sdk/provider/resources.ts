/** The resource classes, as a program or a component makes them. */

import type { z } from "zod";
import type { Connection } from "../host";
import type { ChooserSpec, HostSpec, NodeKeySpec } from "../node";
import type { RosenpassDaemonSpec, RosenpassKeySpec, RosenpassPskSpec } from "../rosenpass";
import type { DeclaredInput } from "../truth";
import type { BridgeSpec, MemberSpec } from "../vxlan";
import type { InterfaceSpec, KeySpec } from "../wireguard";
import * as pulumi from "./pulumi";

/** Each leaf may be an Output. */
type Inputs<T> = pulumi.Input<T extends object ? { [K in keyof T]: Inputs<T[K]> } : T>;

export type ConnectionArgs = z.input<typeof Connection>;

/** What a program says of its stack beside each resource. */
interface OfStack {
  /** How many devices of the stack's links one run may remove, unless it is allowed to remove more. Default: none. */
  removable?: pulumi.Input<number>;
  /** Every change is taken back unless a new login confirms it. Default: where it may cut off the run's own SSH. */
  canary?: pulumi.Input<boolean>;
  /** Of a device: whether it has post-quantum keys, so that a preview sees that it is to have none any more. */
  keyed?: pulumi.Input<boolean>;
}

export interface MachineArgs<Spec> extends OfStack {
  /** How the machine is reached. */
  connection: Inputs<ConnectionArgs>;
  /** What it is to be; or the same as JSON text. */
  spec: Inputs<Spec> | pulumi.Input<string>;
}

export interface PartArgs<Spec> extends OfStack {
  /** How the machine is reached: the same as of its Host. */
  connection: Inputs<ConnectionArgs>;
  /** The Host's output: another machine gets everything afresh. */
  machine: pulumi.Input<string>;
  /** What it is to be; or the same as JSON text. */
  spec: Inputs<Spec> | pulumi.Input<string>;
}

const outputs = (...names: string[]) => Object.fromEntries(names.map((name) => [name, undefined]));

/**
 * Pulumi takes a stack trace of each of the four promises of each property, and looks up every line of it in source maps, a
 * third of a program's time; it shows them only when it is asked for promises that leak. Where the program declares the
 * resource, which goes into state, it finds out whatever the limit is.
 */
const TRACED = Boolean(process.env.PULUMI_DEBUG_PROMISE_LEAKS);

/** What every resource of this package has. */
abstract class OnHost extends pulumi.CustomResource {
  /** The kernel's lines as they were last known, in the words of ip(8), wg(8), nft(8). */
  declare readonly config: pulumi.Output<string>;
  /** /etc/machine-id of the machine. */
  declare readonly machine: pulumi.Output<string>;
  /** Type and name under which the host knows whose a boot file is. */
  declare readonly resource: pulumi.Output<string>;

  protected constructor(
    type: string,
    name: string,
    args: Record<string, unknown>,
    results: string[],
    options?: pulumi.CustomResourceOptions,
  ) {
    const { stackTraceLimit } = Error;
    if (!TRACED) Error.stackTraceLimit = 0;
    try {
      super(type, name, { ...outputs("config", "machine", "resource", ...results), ...args }, options);
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  }
}

/** A machine of the network: its key, its guard, its boot units, and whatever else its links stand on. */
export class Host extends OnHost {
  static readonly type = "overlay:node:Host";
  /** WireGuard public key; the private one is made on the machine and stays there. */
  declare readonly publicKey: pulumi.Output<string>;
  /** Where WireGuard runs: `kernel`, or `userspace` where the kernel has none. */
  declare readonly wireguard: pulumi.Output<string>;

  constructor(name: string, args: MachineArgs<HostSpec>, options?: pulumi.CustomResourceOptions) {
    super(Host.type, name, { ...args }, ["publicKey", "wireguard"], options);
  }
}

/** A node's WireGuard key by itself, for devices of others that are made before the machine's turn comes. */
export class NodeKey extends OnHost {
  static readonly type = "overlay:node:Key";
  /** The same as its Host's. */
  declare readonly publicKey: pulumi.Output<string>;

  constructor(name: string, args: MachineArgs<NodeKeySpec>, options?: pulumi.CustomResourceOptions) {
    super(NodeKey.type, name, { ...args }, ["publicKey"], options);
  }
}

/** One side of a WireGuard link. */
export class Interface extends OnHost {
  static readonly type = "overlay:wireguard:Interface";
  /** Bytes that were found to pass in one piece, by the name of the other node, where that is less than the MTU. */
  declare readonly pathMtu: pulumi.Output<Record<string, number>>;

  constructor(name: string, args: PartArgs<InterfaceSpec>, options?: pulumi.CustomResourceOptions) {
    super(Interface.type, name, { ...args }, ["pathMtu"], options);
  }
}

/** A key of a device's own. The private one is made on the machine and stays there. */
export class Key extends OnHost {
  static readonly type = "overlay:wireguard:Key";
  declare readonly publicKey: pulumi.Output<string>;

  constructor(name: string, args: PartArgs<KeySpec>, options?: pulumi.CustomResourceOptions) {
    super(Key.type, name, { ...args }, ["publicKey"], options);
  }
}

/** Chooses on a node where it calls its peers, by what stacks say in signed documents. */
export class Chooser extends OnHost {
  static readonly type = "overlay:node:Chooser";

  constructor(name: string, args: PartArgs<ChooserSpec>, options?: pulumi.CustomResourceOptions) {
    super(Chooser.type, name, { ...args }, [], options);
  }
}

/** A member of a VXLAN segment. */
export class Member extends OnHost {
  static readonly type = "overlay:vxlan:Member";
  /** As of an Interface. */
  declare readonly pathMtu: pulumi.Output<Record<string, number>>;

  constructor(name: string, args: PartArgs<MemberSpec>, options?: pulumi.CustomResourceOptions) {
    super(Member.type, name, { ...args }, ["pathMtu"], options);
  }
}

/** The bridge of a node that segments are in. */
export class Bridge extends OnHost {
  static readonly type = "overlay:vxlan:Bridge";

  constructor(name: string, args: PartArgs<BridgeSpec>, options?: pulumi.CustomResourceOptions) {
    super(Bridge.type, name, { ...args }, [], options);
  }
}

/** What a node has of Rosenpass: the program, and a key pair, of which the secret one stays on the machine. */
export class RosenpassKey extends OnHost {
  static readonly type = "overlay:rosenpass:Key";
  /** SHA-256 of the public key. */
  declare readonly publicKey: pulumi.Output<string>;
  /** What the program says that it is. */
  declare readonly version: pulumi.Output<string>;

  constructor(name: string, args: PartArgs<RosenpassKeySpec>, options?: pulumi.CustomResourceOptions) {
    super(RosenpassKey.type, name, { ...args }, ["publicKey", "version"], options);
  }
}

/** The preshared key of one side of a link, which Rosenpass sets. */
export class RosenpassPsk extends OnHost {
  static readonly type = "overlay:rosenpass:Psk";

  constructor(name: string, args: PartArgs<RosenpassPskSpec>, options?: pulumi.CustomResourceOptions) {
    super(RosenpassPsk.type, name, { ...args }, [], options);
  }
}

export interface RosenpassDaemonArgs extends PartArgs<RosenpassDaemonSpec> {
  /** How the machine at the other end is reached, where it is a node: it is asked for its public key. */
  other?: Inputs<ConnectionArgs>;
}

/** The daemon of one side of a link. */
export class RosenpassDaemon extends OnHost {
  static readonly type = "overlay:rosenpass:Daemon";
  /** `healthy`, or what is wrong, as it was seen last; absent: the other end was still to come. */
  declare readonly health: pulumi.Output<string | undefined>;

  constructor(name: string, args: RosenpassDaemonArgs, options?: pulumi.CustomResourceOptions) {
    super(RosenpassDaemon.type, name, { ...args }, ["health"], options);
  }
}

export interface TruthPartArgs {
  /** Where the document is: file://FOLDER, or s3://BUCKET/FOLDER?endpoint=https://HOST&region=REGION. */
  store: pulumi.Input<string>;
  network: pulumi.Input<string>;
  /** Path of the key that signs. */
  key: pulumi.Input<string>;
  /** SSH public keys of each stack that may write. */
  signers: pulumi.Input<Record<string, string[]>>;
  /** What the stack says; or the same as JSON text. */
  spec: Inputs<DeclaredInput> | pulumi.Input<string>;
  /** SHA-256 of what hosts are to be told by what is in the document now, where that was read. */
  extracts?: pulumi.Input<string | undefined>;
}

/** What one stack says in a source of truth. */
export class TruthPart extends pulumi.CustomResource {
  static readonly type = "overlay:truth:Part";
  /** Its lines, as they were last known. */
  declare readonly config: pulumi.Output<string>;
  declare readonly identity: pulumi.Output<string>;
  declare readonly serial: pulumi.Output<number>;

  constructor(name: string, args: TruthPartArgs, options?: pulumi.CustomResourceOptions) {
    super(TruthPart.type, name, { ...outputs("config", "known", "told", "identity", "serial"), ...args }, options);
  }
}

export interface ProviderArgs {
  /** The command to use as `ssh`, words with white space between them. Default `ssh`. */
  ssh?: pulumi.Input<string>;
  /** Private keys (OpenSSH or PEM text, no passphrase). They are used from an agent in memory and never written to disk. */
  identities?: pulumi.Input<pulumi.Input<string>[]>;
  /** `on`: every preview reads the hosts first and shows drift. Default `off`; OVERLAY_LIVE=on does the same for a run. */
  live?: pulumi.Input<"on" | "off">;
  /**
   * `on`: a run may remove more than a fifth of the stack's links. Default `off`; OVERLAY_ALLOW_DESTROY=on allows it for
   * one run. `destroy` goes by what the last `up` was told.
   */
  allowDestroy?: pulumi.Input<"on" | "off">;
}

/**
 * How hosts are reached, for the resources that are given this provider.
 *
 * @example
 * ```ts
 * const bastion = new Provider("bastion", { ssh: "ssh -F ./ssh_config" });
 * new OverlayNode("lux", { id: 1, connection: { host: "lux" } }, { provider: bastion });
 * ```
 */
export class Provider extends pulumi.ProviderResource {
  constructor(name: string, args: ProviderArgs = {}, options?: pulumi.ResourceOptions) {
    // Configuration of providers travels as text, and what is not text as JSON.
    const identities = args.identities && pulumi.secret(pulumi.jsonStringify(args.identities));
    super("overlay", name, { ...args, ...(identities && { identities }) }, options);
  }
}
