/** What the members of a segment must each have alone, and what they must have in common. */
import type { Objection } from "../faults";
import { isPlaceholder } from "../kernel/later";
import { type Family, family, inside } from "../network/address";

/** What members are compared by. */
export interface Compared {
  name: string;
  vtep: string;
  mac: string;
  /** With the length of their prefix. */
  addresses: readonly string[];
  behind: readonly { mac: string; addresses: readonly string[] }[];
}

interface Segment {
  variant: string;
  family?: "v4" | undefined;
}

/** The path begins with the member's place among all. */
export interface Objected extends Objection {
  path: [member: number, ...PropertyKey[]];
}

interface Seen {
  what: string;
  value: string;
  who: string;
  path: Objected["path"];
}

/** What each member, and each host behind one, must have alone. */
function everybody(members: readonly Compared[]): Seen[] {
  const seen = (what: string, value: string, who: string, path: Objected["path"]): Seen => ({ what, value, who, path });
  const plain = (address: string) => address.split("/")[0] ?? "";
  const own = members.flatMap(({ name, vtep, mac, addresses }, at) => [
    seen("VTEP", vtep, name, [at, "vtep"]),
    seen("MAC address", mac, name, [at, "mac"]),
    ...addresses.map((it, n) => seen("address", plain(it), name, [at, "addresses", n])),
  ]);
  // After all members, because a member's MAC address is nowhere written that it could be changed.
  const behind = members.flatMap(({ name, behind }, at) =>
    behind.flatMap(({ mac, addresses }, n) => {
      const who = `a host behind ${name}`;
      return [
        seen("MAC address", mac, who, [at, "behind", n, "mac"]),
        ...addresses.map((it, m) => seen("address", it, who, [at, "behind", n, "addresses", m])),
      ];
    }),
  );
  return [...own, ...behind];
}

export function nothingTwice(_: Segment, members: readonly Compared[]): Objected[] {
  const owners = new Map<string, string>();
  return everybody(members).flatMap(({ what, value, who, path }) => {
    const other = owners.get(`${what} ${value}`);
    owners.set(`${what} ${value}`, other ?? who);
    if (other === undefined || isPlaceholder(value)) return [];
    const legal = `another ${what} than ${other} has`;
    return [{ path, code: "input/duplicate", legal, cure: `give each its own ${what}` }];
  });
}

interface Within {
  name: string;
  own: { prefix: string; path: Objected["path"] }[];
  prefixes: Set<string>;
}

/** The members that have addresses of a family, and the prefixes that these are in. */
const within = (of: Family, members: readonly Compared[]): Within[] =>
  members.flatMap(({ name, addresses }, at) => {
    const own = addresses.flatMap((text, n): Within["own"] => {
      const it = inside(text);
      return it && family(it.address) === of ? [{ prefix: it.prefix, path: [at, "addresses", n] }] : [];
    });
    return own.length === 0 ? [] : [{ name, own, prefixes: new Set(own.map(({ prefix }) => prefix)) }];
  });

/** Members of an L2 segment are in the same prefixes, or they do not look for each other there. */
export function samePrefixes({ variant }: Segment, members: readonly Compared[]): Objected[] {
  if (variant === "unicast-routing" || variant === "route-short-circuit") return [];
  const outOf = ({ name, prefixes }: Within, path: Objected["path"]): Objected => ({
    path,
    code: "input/prefix",
    legal: `an address in ${[...prefixes].join(" or ")}, as ${name} has`,
    cure: "give all members the same prefix",
  });
  return (["inet", "inet6"] as const).flatMap((of) => {
    const [first, ...others] = within(of, members);
    if (!first) return [];
    // Of those that have nothing in common with the first it is said where they stand.
    const alike = others.filter(({ prefixes }) => [...prefixes].some((it) => first.prefixes.has(it)));
    const more = first.own.flatMap(({ prefix, path }) => {
      const without = alike.find(({ prefixes }) => !prefixes.has(prefix));
      return without ? [outOf(without, path)] : [];
    });
    const different = others.flatMap(({ own }) => own.filter(({ prefix }) => !first.prefixes.has(prefix)));
    return [...more, ...different.map(({ path }) => outOf(first, path))];
  });
}

export function onlyV4({ family: only }: Segment, members: readonly Compared[]): Objected[] {
  if (only !== "v4") return [];
  const six = everybody(members).filter(({ what, value }) => what === "address" && family(value) === "inet6");
  const [legal, cure] = ['an IPv4 address, because family is "v4"', "leave it out, or leave out `family`"];
  return six.map(({ path }) => ({ path, code: "input/family", legal, cure }));
}

/** What is wrong with members when all are seen together. */
export const amongMembers = (segment: Segment, members: readonly Compared[]): Objected[] =>
  [nothingTwice, samePrefixes, onlyV4].flatMap((check) => check(segment, members));
