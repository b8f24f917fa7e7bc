/** Where a node is led by its links and meshes: what two of them lead to has one way that nobody chose. */
import { type Fault, fault } from "../faults";
import { host } from "./address";
import { isDefault, type Owned, overlapping } from "./overlaps";

/** The other end of a link, or a member of a mesh, and what is reached by way of it. */
export interface Member {
  name: string;
  /** Its own addresses, as far as they are known. */
  addresses: readonly string[];
  /** What lies behind it. */
  routes: readonly string[];
}

/** A link or a mesh on a node. */
interface Way {
  name: string;
  /** `link lux-fra` */
  who: string;
  /** The node itself may be among them. */
  members: readonly Member[];
  /** Where routes are written down. Default: routes. */
  field?: string;
  /** How to have none that another leads to. Default: by smaller prefixes. */
  cure?: string;
  /** Of a segment, what it is a port of: all that are in one bridge may have the same prefix. */
  bridge?: string;
}

interface Clash {
  /** Whose fault it is: that of the later of two. */
  who: string;
  fault: Fault;
}

/** Addresses that a node reaches by way of others, which forward to them. */
export type RelayedBy = (node: string, others: readonly string[]) => readonly string[];

export class Ways {
  private readonly of = new Map<string, Way[]>();
  /** Looked for once a node, for each of its links asks. */
  private readonly clashes = new Map<string, Clash[]>();

  add(node: string, way: Way): void {
    const before = this.of.get(node);
    if (before) before.push(way);
    else this.of.set(node, [way]);
    this.clashes.delete(node);
  }

  /** What a link or mesh leads a node to that another, which was added before it, leads to as well. */
  faults(node: string, who: string, relayed: RelayedBy): Fault[] {
    const clashes = this.clashes.get(node) ?? clashesOn(node, this.of.get(node) ?? [], relayed);
    this.clashes.set(node, clashes);
    return clashes.flatMap((clash) => (clash.who === who ? clash.fault : []));
  }
}

type Owner = Way & { routes: ReadonlySet<string> };

/**
 * Routes that two have are refused by the kernel as one too many, and one in our own table hides what another device leads
 * to in main, which is looked at later. Addresses alone have been compared node by node, and of a relay and a link to one
 * node the link goes first.
 */
function clashesOn(node: string, ways: readonly Way[], relayed: RelayedBy): Clash[] {
  if (ways.length < 2) return [];
  const others = ways.map((way) => ({ ...way, members: way.members.filter(({ name }) => name !== node) }));
  const owners = others.map((way): Owner => ({ ...way, routes: new Set(way.members.flatMap(({ routes }) => routes)) }));
  if (owners.every(({ routes }) => routes.size === 0)) return [];
  const all = owners.flatMap((owner) => {
    const { members, routes } = owner;
    const names = members.map(({ name }) => name);
    const hosts = [...members.flatMap(({ addresses }) => addresses), ...relayed(node, names)].map(host);
    return [...routes, ...hosts].map((prefix): Owned<Owner> => ({ prefix, owner }));
  });
  const isRoute = ({ prefix, owner }: Owned<Owner>) => owner.routes.has(prefix);
  return overlapping(all)
    .filter((two) => two.some(isRoute) && !sameBridge(two))
    .map(([one, other]) => {
      const [late, early] = owners.indexOf(one.owner) > owners.indexOf(other.owner) ? [one, other] : [other, one];
      return { who: late.owner.who, fault: clash(node, late, isRoute(late), early) };
    });
}

const sameBridge = ([one, other]: [Owned<Owner>, Owned<Owner>]): boolean =>
  one.owner.bridge !== undefined && one.owner.bridge === other.owner.bridge;

function clash(node: string, { prefix, owner }: Owned<Owner>, isRoute: boolean, other: Owned<Owner>): Fault {
  const path = [owner.name, ...(isRoute ? [owner.field ?? "routes"] : [])];
  const theirs = `${other.owner.who} leads to ${other.prefix} there`;
  if (isDefault(prefix)) {
    return fault(path, prefix, {
      code: "input/overlap",
      legal: `a default route by one link or mesh of ${node}, and ${theirs}`,
      cure: "leave one of them out",
    });
  }
  const legal = `a prefix that ${node} has one way to, and ${theirs}`;
  return fault(path, prefix, {
    code: "input/overlap",
    legal,
    cure: owner.cure ?? "leave it to one of the two, or name smaller prefixes in `routes`",
  });
}
