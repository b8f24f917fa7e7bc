/** Pairs that a relay forwards between, as a source of truth names them: what is wrong with them, and who makes the routes. */
import { type Fault, fault } from "../sdk/faults";
import type { TopologyDevice } from "../sdk/network/topology";
import type * as pulumi from "../sdk/provider/pulumi";
import type { Document } from "../sdk/truth/document";
import type { Network } from "./network";
import { owner } from "./outputs";
import type { TruthData } from "./truthArgs";

type Pairs = Pick<TruthData, "nodes" | "relays">;
type Pair = Pairs["relays"][number];

/** A pair as one of its ends sees it. */
interface View {
  near: string;
  far: string;
  by: string;
}

/** A node that another is to reach by way of a relay, with the key that its stack says. */
export interface Far {
  stack: string;
  publicKey: pulumi.Input<string>;
  addresses: pulumi.Input<string[]>;
}

/** In the document, whatever their order: other than the usual one of a link of the two, which may be there as well. */
export const pairName = ({ a, b, by }: Pair): string => `${[a, b].sort().join("-")}-by-${by}`;

const isOwn = ({ nodes }: Pairs, name: string): boolean => nodes.some(({ nodeName }) => nodeName === name);

const ownViews = (data: Pairs, { a, b, by }: Pair): View[] =>
  [
    { near: a, far: b, by },
    { near: b, far: a, by },
  ].filter(({ near }) => isOwn(data, near));

/** Pairs whose route is this stack's hosts' own to make, by what others say; what the program declares is made with its links. */
const hostsOwn = (data: Pairs, network: Network): View[] =>
  data.relays.flatMap((pair) => (network.relays.between(pair.a, pair.b).includes(pair.by) ? [] : ownViews(data, pair)));

/** Whether the document has to be looked at for them. */
export const crossStacks = (data: Pairs): boolean =>
  data.relays.some((pair) => ownViews(data, pair).some(({ far }) => !isOwn(data, far)));

function farOf({ nodes }: Pairs, document: Document | undefined, name: string): Far | undefined {
  const own = nodes.find(({ nodeName }) => nodeName === name);
  if (own) return { stack: owner(), publicKey: own.early.publicKey, addresses: own.addresses };
  for (const [stack, { nodes }] of Object.entries(document?.stacks ?? {})) {
    const { publicKey, addresses = [] } = nodes[name] ?? {};
    if (stack !== owner() && publicKey !== undefined) return { stack, publicKey, addresses };
  }
  return undefined;
}

/** Whom a node's host may reach by the relays that documents name, each once. */
export function farsOf(data: Pairs, document: Document | undefined, network: Network, node: string): Far[] {
  const names = hostsOwn(data, network).flatMap(({ near, far }) => (near === node ? far : []));
  return [...new Set(names)].flatMap((name) => farOf(data, document, name) ?? []);
}

/** What a preview says of routes whose far node nobody has told of yet. */
export function comingRoutes(data: Pairs, document: Document | undefined, network: Network): string | undefined {
  const coming = hostsOwn(data, network)
    .filter(({ far }) => !farOf(data, document, far))
    .map(
      ({ near, far, by }) =>
        `The route of ${near} to ${far} by way of ${by} is still to come: the document has no key of ${far} yet. ` +
        `Run again when the stack that has ${far} has run.`,
    );
  return coming.length > 0 ? coming.join("\n") : undefined;
}

/** What is wrong with pairs, when all is declared. */
export function pairFaults(data: Pairs, network: Network): Fault[] {
  return data.relays.flatMap((pair, index) => {
    const { a, b, by } = pair;
    const own = ownViews(data, pair);
    if (own.length === 0) {
      const legal = `a pair with one of \`nodes\` in it, and neither ${a} nor ${b} is one`;
      const cure = "leave it to the stacks that have them";
      return [fault(["relays", index], undefined, { code: "input/conflict", legal, cure })];
    }
    const path = ["relays", index, "by"];
    const idle = network.idOf(by) !== undefined && !network.relays.between(a, b).includes(by);
    const legal = `a node that forwards between the two, and ${by} does not`;
    const cure = `add relay: [{ a: "${a}", b: "${b}" }] to ${by}`;
    return [
      ...(idle ? [fault(path, by, { code: "input/way", legal, cure })] : []),
      ...own.flatMap((view) => legless(path, view, network)),
      ...strict(pair, index, network),
      ...twice(data, pair, index, network),
    ];
  });
}

/** Its packets would go on without a key of theirs. */
function strict({ a, b }: Pair, index: number, network: Network): Fault[] {
  if (!network.isStrict(a, b)) return [];
  const legal = `a pair without a link that is strict about its keys, and that of ${a} and ${b} is`;
  const cure = "leave it out, or make their link permissive";
  return [fault(["relays", index], undefined, { code: "input/strict", legal, cure })];
}

function legless(path: PropertyKey[], { near, far, by }: View, { whole, ways, idOf }: Network): Fault[] {
  const legs = [...ways].filter(([, { ends, others }]) => {
    const names = [...ends.map(({ node }) => node), ...others];
    return names.includes(near) && names.includes(by);
  });
  if (!whole) return [];
  if (legs.length === 0) {
    const legal = `a node that ${near} has a link or a mesh with`;
    return [fault(path, by, { code: "input/way", legal, cure: "declare one, or leave the pair out" })];
  }
  // The program gives its own relay's entry in a mesh the far node's addresses; a host changes no allowed IPs.
  const carries = legs.some(([name, { ends }]) => name.startsWith("link ") || ends.some((end) => routed(end, by)));
  if (carries || idOf(by) !== undefined) return [];
  const legal = `a node that ${near} has a link with, for in a mesh ${by} is sent what is its own alone`;
  const cure = `declare a WgLink of the two, or add the addresses of ${far} to \`routes\` of ${by} among \`peers\` of the mesh`;
  return [fault(path, by, { code: "input/relay", legal, cure })];
}

const routed = ({ members = [] }: Pick<TopologyDevice, "members">, name: string): boolean =>
  members.some((it) => it.name === name && it.routes.length > 0);

/** What would be said under one name in the document. */
function twice({ relays }: Pairs, pair: Pair, index: number, { ways }: Network): Fault[] {
  const name = pairName(pair);
  const before = relays.findIndex((it) => pairName(it) === name);
  const way = [...ways.keys()].find((it) => it.endsWith(` ${name}`));
  if (before === index && way === undefined) return [];
  const [other, cure] =
    before < index ? [`relays[${before}]`, "leave it out here"] : [way, "give the other another name"];
  return [
    fault(["relays", index], undefined, {
      code: "input/duplicate",
      legal: `a pair whose name, ${name}, no other has, and ${other} has it`,
      cure,
    }),
  ];
}
