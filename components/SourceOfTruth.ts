import { marked } from "../sdk/codes";
import { parse } from "../sdk/faults";
import * as pulumi from "../sdk/provider/pulumi";
import { TruthPart } from "../sdk/provider/resources";
import type { Document } from "../sdk/truth/document";
import type { Declared } from "../sdk/truth/schema";
import type { Checked } from "./network";
import type { OverlayNode } from "./OverlayNode";
import { foretell, named, owner, properties, settled, timeouts, withheld } from "./outputs";
import type { Peer } from "./peerArgs";
import { program } from "./program";
import type { SourceOfTruthArgs, TruthData } from "./truthArgs";
import type { ForeignPeer } from "./truthChoosers";
import type { Far } from "./truthRelays";

/** Loaded with the first source of truth: most programs have none. */
const truth = (): typeof import("./truth") => require("./truth");

/**
 * A network that several stacks have a part of: one document in a folder or a bucket, in which each stack writes and signs
 * its own nodes and links, and from which it takes those of the others.
 *
 * @example
 * ```ts
 * const truth = new SourceOfTruth("truth", {
 *   network: "prod",
 *   store: "file:///srv/truth",
 *   key: "/home/ci/.ssh/truth",
 *   signers: { "net/prod": ["ssh-ed25519 AAAA…"], "edge/prod": ["ssh-ed25519 AAAA…"] },
 *   nodes: [lux],
 * });
 * new WgLink("lux-fra", { a: lux, peer: truth.peer("fra") });
 * ```
 */
export class SourceOfTruth extends pulumi.ComponentResource {
  static readonly token = "overlay:index:SourceOfTruth";

  /** Of the document: another network may have the same name. */
  declare readonly identity: pulumi.Output<string>;
  /** Of the document when this stack last wrote or read it. */
  declare readonly serial: pulumi.Output<number>;
  private readonly data: TruthData | undefined;
  private seen: { document: Document | undefined } | undefined;
  /** Nodes of other stacks that the program has asked for, by `NODE PEER`. */
  private readonly peers = new Map<string, ForeignPeer>();

  /** Faults of the arguments are reported, with those of the whole program, when it has declared all that it has. */
  constructor(name: string, args: SourceOfTruthArgs, options: pulumi.ComponentResourceOptions = {}) {
    super(SourceOfTruth.token, name, named(truth().truthOutputs), options);
    if (options.urn) return;
    this.data = program().sound(this, args, checked(name, args));
    if (!this.data) {
      Object.assign(this, withheld(truth().truthOutputs));
      return;
    }
    const { network, store, key, signers, relays } = this.data;
    foretell(this, "warning/readable", readBy(relays));
    const data = this.data;
    program().whenWhole(this, () => truth().pairFaults(data, program().network));
    const limits = { parent: this, ...timeouts(options) };
    // Hosts know who signs before they get what is signed.
    const choosers = truth().makeChoosers(name, data, { peers: this.peers, fars: this.fars(data) }, limits);
    const foreign = () => new Set([...this.peers.values()].map((peer) => peer.name));
    const spec = program().whenDeclared(() => truth().said(data, foreign())) as unknown as pulumi.Input<string>;
    // What others say has hosts told something else, and no line of this stack's differs.
    const extracts = program().whenDeclared(
      () => this.seen?.document && truth().extractsHash(this.seen.document, owner()),
    );
    const inputs = { network, store, key, signers, spec, extracts };
    const made = new TruthPart(name, inputs, { ...limits, dependsOn: choosers });
    const outputs = settled(truth().truthOutputs, { identity: made.identity, serial: made.serial });
    Object.assign(this, properties(outputs));
    this.registerOutputs(outputs);
  }

  /** What this stack has in the document; nothing where it has not written yet. Throws a RunError. */
  static said({ network, store, signers }: Pick<SourceOfTruthArgs, "network" | "store" | "signers">): Declared {
    const {
      prefixes = [],
      nodes = {},
      links = {},
    } = truth().documentNow({ network, store, signers })?.stacks[owner()] ?? {};
    return { prefixes, nodes, links };
  }

  /**
   * Another stack's node. `towards`: for `peer` of a link, the node of this stack that the link begins at, for the port depends
   * on it; the only one, where it has one. For `peers` of a mesh a list, all of the mesh's nodes, which call it at one port.
   * Reads the document at once. Throws a RunError.
   */
  peer(name: string, towards: OverlayNode | OverlayNode[] = this.onlyNode(name)): Peer {
    const near = [towards].flat().flatMap(({ nodeName }) => {
      const id = program().network.idOf(nodeName);
      return id === undefined ? [] : { name: nodeName, id };
    });
    const [first] = near;
    if (!this.data || !first || near.length < [towards].flat().length)
      throw new pulumi.RunError(
        marked("input/peer", `what was declared before peer("${name}") has faults, or nobody is to have a way to it`),
      );
    const { stack, ...peer } = truth().peerIn(
      this.data,
      this.document(this.data),
      name,
      Array.isArray(towards) ? near : first,
    );
    for (const node of near) this.peers.set(`${node.name} ${name}`, { stack, ...peer });
    return peer;
  }

  /** Without the part that this run writes. */
  private document(data: TruthData): Document | undefined {
    this.seen ??= { document: truth().documentNow(data, owner()) };
    return this.seen.document;
  }

  /** Whom a node may reach by a relay, when all is declared; the preview says of whom nothing is known yet. */
  private fars(data: TruthData): (node: string) => Far[] {
    if (!data.choose || data.relays.length === 0) return () => [];
    const document = truth().crossStacks(data) ? this.document(data) : undefined;
    const { network } = program();
    foretell(
      this,
      "warning/pending",
      program().whenDeclared(() => truth().comingRoutes(data, document, network)),
    );
    return (node) => truth().farsOf(data, document, network, node);
  }

  private onlyNode(peer: string): OverlayNode {
    const [node, ...more] = this.data?.nodes ?? [];
    if (node && more.length === 0) return node;
    throw new pulumi.RunError(
      marked(
        "input/peer",
        `say which of the nodes is to have a link with it: peer("${peer}", node); or a mesh: peer("${peer}", [node, node])`,
      ),
    );
  }
}

function checked(name: string, args: SourceOfTruthArgs): Checked<TruthData> {
  const result = parse(truth().truthArgs, args);
  if ("faults" in result) return result;
  const { choose, nodes } = result.value;
  const clashes = choose ? program().network.addChoosers(name, nodes) : [];
  const faults = [...truth().choosingFaults(result.value), ...clashes];
  return faults.length > 0 ? { faults } : result;
}

const readBy = (relays: TruthData["relays"]): string | undefined =>
  relays.map(({ a, b, by }) => `${by} can read what ${a} and ${b} send each other.`).join("\n") || undefined;
