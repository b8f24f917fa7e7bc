/** Relays: nodes that forward between two others which have a link or a mesh with them, seen over the whole network. */
import type * as pulumi from "@pulumi/pulumi";
import { type Fault, fault } from "../sdk/faults";
import { family } from "../sdk/network/address";
import { isKnown } from "./input";
import type { MeshData } from "./meshArgs";
import { carried } from "./mtu";
import type { NodeData } from "./nodeArgs";
import { type Leg, legBetween } from "./paths";
import type { PeerData } from "./peerArgs";

/** A node that is reached by way of a peer of a device. */
export interface Relayed {
  name: string;
  /** The peer's name. */
  by: string;
  addresses: NodeData["addresses"];
  /** Bytes that the way from the peer on has, where that is known. */
  mtu?: pulumi.Input<number>;
}

type Pair = NodeData["relay"][number];

const others = (pair: Pair): [one: "a" | "b", name: string][] => [
  ["a", pair.a],
  ["b", pair.b],
];

/** The other node of a pair, where this one is of it. */
const far = ({ a, b }: Pair, name: string): string[] => (name === a ? [b] : name === b ? [a] : []);

export class Relays {
  private readonly legs: Leg[] = [];
  /** Machines of others, or of another stack, that a node has a link with, by name. */
  private readonly peers = new Map<string, PeerData>();

  /**
   * `whole`: false where links are declared in an order that nobody knows, as in the plugin: then nothing depends on
   * them, or two runs of one program would differ.
   */
  constructor(
    private readonly nodes: ReadonlyMap<string, NodeData>,
    private readonly whole: boolean,
  ) {}

  addLeg(leg: Leg): void {
    if (this.whole) this.legs.push(leg);
  }

  addPeer(peer: PeerData): void {
    this.peers.set(peer.name, peer);
  }

  private addresses = (name: string): NodeData["addresses"] =>
    (this.nodes.get(name) ?? this.peers.get(name))?.addresses ?? [];

  /** What a node forwards between, as its host is told. */
  pairs({ relay }: Pick<NodeData, "relay">) {
    const side = (name: string) => ({ name, addresses: this.addresses(name) });
    return relay.map(({ a, b }) => ({ a: side(a), b: side(b) }));
  }

  /** What relays are to the device that leads from a node to its peers. */
  of(own: string, peers: readonly string[]): { relayed: Relayed[]; forwards: boolean } {
    const relayed = peers.flatMap((by) =>
      (this.nodes.get(by)?.relay ?? [])
        .flatMap((pair) => far(pair, own))
        .map((name): Relayed => {
          const [near, beyond] = [this.leg(own, by), this.leg(by, name)];
          const family = near?.family ?? beyond?.family;
          const addresses = carried({ family }, this.addresses(name));
          const mtu = beyond?.mtu;
          return { name, by, addresses, ...(mtu !== undefined && { mtu }) };
        }),
    );
    const forwards = (this.nodes.get(own)?.relay ?? []).some(({ a, b }) => peers.includes(a) || peers.includes(b));
    return { relayed, forwards };
  }

  /** What is wrong with a node as a relay, when all is declared; in the plugin when those before it are. */
  faults(node: NodeData): Fault[] {
    return node.relay.flatMap((pair, index) => {
      const own = [...this.unknown(node, pair, index), ...double(node, pair, index)];
      return own.length > 0
        ? own
        : [...this.legless(node, pair, index), ...this.unheard(pair, index), ...this.taken(node, pair, index)];
    });
  }

  /** Nodes that forward between two others. */
  between = (one: string, other: string): string[] =>
    [...this.nodes.values()].flatMap(({ name, relay }) =>
      relay.some((pair) => far(pair, one).includes(other)) ? name : [],
    );

  private leg = (one: string, other: string): Leg | undefined => legBetween(this.legs, one, other);

  private unknown(node: NodeData, pair: Pair, index: number): Fault[] {
    return others(pair)
      .filter(([, name]) => name !== node.name && !this.nodes.has(name) && !this.peers.has(name))
      .map(([side, name]) => {
        const together = this.whole
          ? `declare it together with ${node.name}`
          : `have ${node.name} depend on it (depends_on)`;
        const legal =
          "the name of a node of this program, or of the `peer` of one of its links, without faults of its own";
        const cure = `correct the name, ${together}, or give one of a mesh's \`peers\` a WgLink with ${node.name} as well`;
        return fault(["relay", index, side], name, { code: "input/reference", legal, cure });
      });
  }

  private legless(node: NodeData, pair: Pair, index: number): Fault[] {
    if (!this.whole) return [];
    return others(pair)
      .filter(([, name]) => !this.leg(node.name, name))
      .map(([side, name]) => {
        const legal = `a node that ${node.name} has a link or a mesh with`;
        const cure = "declare one, or leave the pair out";
        return fault(["relay", index, side], name, { code: "input/way", legal, cure });
      });
  }

  /** In a mesh an address is one peer's, so a node there has one relay to another. */
  private taken(node: NodeData, pair: Pair, index: number): Fault[] {
    return others(pair).flatMap(([, name]) => {
      const { mesh, nodes = [] } = this.leg(node.name, name) ?? {};
      if (mesh === undefined) return [];
      const goal = far(pair, name);
      const other = nodes.find((it) => {
        const relay = this.nodes.get(it)?.relay ?? [];
        return it < node.name && relay.some((theirs) => far(theirs, name).some((end) => goal.includes(end)));
      });
      if (other === undefined) return [];
      const legal = `one relay for each node to another in a mesh, and in ${mesh} ${other} is that of ${name} to ${goal} already`;
      const cure = "leave it out at one of the two";
      return [fault(["relay", index], undefined, { code: "input/duplicate", legal, cure })];
    });
  }

  private unheard(pair: Pair, index: number): Fault[] {
    const families = [pair.a, pair.b].map((name) => {
      const addresses = this.addresses(name);
      return isKnown(addresses) && addresses.every(isKnown) ? addresses.map((it) => family(it as string)) : undefined;
    });
    const [a, b] = families;
    if (!a || !b || a.some((it) => b.includes(it))) return [];
    const legal = `two nodes with addresses of one family, and ${pair.a} and ${pair.b} have none in common`;
    const cure = "give both `addresses`, or leave the pair out";
    return [fault(["relay", index], undefined, { code: "input/family", legal, cure })];
  }
}

function double({ name, relay }: NodeData, pair: Pair, index: number): Fault[] {
  const another = (side: string, found: string, legal: string): Fault => {
    const cure = "name the two nodes that this one stands between";
    return fault(["relay", index, side], found, { code: "input/conflict", legal, cure });
  };
  const own = others(pair)
    .filter(([, of]) => of === name)
    .map(([side]) => another(side, name, "another node than the relay itself"));
  if (own.length > 0) return own;
  if (pair.a === pair.b) return [another("b", pair.b, "another node than a")];
  const before = relay.findIndex((it) => far(it, pair.a).includes(pair.b));
  if (before === index) return [];
  const legal = `each pair once, in whatever order, and ${pair.a} and ${pair.b} are relay[${before}] already`;
  return [fault(["relay", index], undefined, { code: "input/duplicate", legal, cure: "leave it out here" })];
}

/** A mesh cannot do for relays: each address there is one peer's, and a relay forwards nothing but its pairs. */
export function meshRelayFaults(nodes: readonly NodeData[], routes: MeshData["routes"]): Fault[] {
  const names = nodes.map(({ name }) => name);
  return nodes.flatMap((node, index) => {
    const { name, relay } = node;
    const inside = relay.filter(({ a, b }) => names.includes(a) && names.includes(b));
    const direct = inside.map(({ a, b }) => {
      const legal = `a mesh that does not hold both nodes of a pair of its relay, and ${name} relays between ${a} and ${b}, which are peers of each other here`;
      const cure = `leave the pair out of \`relay\` of ${name}, or one of the three out of the mesh and give it a WgLink`;
      return fault(["nodes", index], name, { code: "input/relay", legal, cure });
    });
    return [...direct, ...behindRelay(node, ["routes", name], routes[name] ?? [])];
  });
}

/** Nothing is reached by way of a relay but its pairs. `path`: where `routes` are written down. */
export function behindRelay({ name, relay }: NodeData, path: string[], routes: MeshData["routes"][string]): Fault[] {
  if (relay.length === 0 || (isKnown(routes) && routes.length === 0)) return [];
  const legal = `empty at ${name}, a relay, which forwards between its pairs and nothing else`;
  return [fault(path, undefined, { code: "input/relay", legal, cure: "have it behind a node that is no relay" })];
}
