/**
 * Who of two ends chooses where to call the other. The other follows by roaming: if both chose, each would undo what the
 * other did.
 */
import type { Declared, Endpoint, Link, Node } from "./schema";

export interface Named {
  name: string;
  stack: string;
  node: Node;
}

const fits = (at: Endpoint, family: Link["family"]): boolean => {
  const is = at.family ?? (at.address === undefined ? undefined : at.address.includes(":") ? "inet6" : "inet");
  return family === undefined || is === undefined || is === family;
};

/** Where a node is called on a link, the best first. */
export const callable = ({ node }: { node: Node }, { family }: Pick<Link, "family">): Endpoint[] =>
  node.endpoints.filter((at) => fits(at, family));

/**
 * Who is named; else the one whose peer can be called, and of two such the one with the lower id. Nobody where neither can.
 */
export function chooserOf(link: Link, a: Named, b: Named): string | undefined {
  if (link.chooser !== undefined) return link.chooser;
  const [first, second] = a.node.id < b.node.id ? [a, b] : [b, a];
  if (callable(second, link).length > 0) return first.name;
  return callable(first, link).length > 0 ? second.name : undefined;
}

/** Of links between two nodes, and apart from those of relays between the same. */
export const pairOf = ({ ends, relay = "" }: Link): string =>
  [...ends.map(({ node }) => node), `by ${relay}`].join(" ");

/**
 * The links as they are written down: of one between two stacks it says who chooses, so that the other stack, which writes
 * at another time, says the same. It stays so as long as there is something to choose from, whatever endpoints come.
 */
export function agreed(
  declared: Declared,
  stack: string,
  others: ReadonlyMap<string, Declared>,
  before: Declared | undefined,
): Declared["links"] {
  const nodes = new Map<string, Named>(
    [...others, [stack, declared] as const].flatMap(([owner, part]) =>
      Object.entries(part.nodes).map(([name, node]) => [name, { name, stack: owner, node }] as const),
    ),
  );
  const theirs = new Map(
    [...others.values()].flatMap(({ links }) => Object.values(links).map((it) => [pairOf(it), it.chooser])),
  );
  const links = Object.entries(declared.links).map(([name, link]): [string, Link] => {
    const [a, b] = link.ends.map((end) => nodes.get(end.node));
    if (link.chooser !== undefined || link.ends.length > 2 || !a || !b || a.stack === b.stack) return [name, link];
    const still = (name: string | undefined): string | undefined => {
      const peer = { [a.name]: b, [b.name]: a }[name ?? ""];
      return peer && callable(peer, link).length > 0 ? name : undefined;
    };
    const chooser = still(theirs.get(pairOf(link))) ?? still(before?.links[name]?.chooser) ?? chooserOf(link, a, b);
    return [name, { ...link, ...(chooser !== undefined && { chooser }) }];
  });
  return Object.fromEntries(links);
}
