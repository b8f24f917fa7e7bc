/** Prefixes of several owners that have addresses in common: a packet to one of these has two ways. */
import ipaddr from "ipaddr.js";

export interface Owned<Owner> {
  /** Canonical. */
  prefix: string;
  owner: Owner;
}

/** The bits that a prefix fixes: one prefix holds another where its bits are how the other's begin. */
function fixedBits(prefix: string): string {
  const [base = "", length] = prefix.split("/");
  const bytes = ipaddr.parse(base).toByteArray();
  const bits = bytes.map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return `${bytes.length === 4 ? "v4 " : "v6 "}${bits.slice(0, Number(length))}`;
}

export const isDefault = (prefix: string): boolean => prefix.endsWith("/0");

/**
 * Each prefix that lies in one of another owner, with that one; n log n. Default routes hold everything and take
 * nothing away, so they clash with each other alone, of whatever family.
 */
export function overlapping<Owner>(all: readonly Owned<Owner>[]): [Owned<Owner>, Owned<Owner>][] {
  const found: [Owned<Owner>, Owned<Owner>][] = [];
  const [first, ...others] = all.filter(({ prefix }) => isDefault(prefix));
  if (first)
    found.push(
      ...others.filter(({ owner }) => owner !== first.owner).map((it) => [it, first] as [typeof it, typeof it]),
    );

  const specific = all.filter(({ prefix }) => !isDefault(prefix)).map((it) => ({ it, bits: fixedBits(it.prefix) }));
  specific.sort((a, b) => (a.bits < b.bits ? -1 : a.bits > b.bits ? 1 : 0));
  let around: typeof specific = [];
  for (const one of specific) {
    around = around.filter(({ bits }) => one.bits.startsWith(bits));
    const other = around.find(({ it }) => it.owner !== one.it.owner);
    if (other) found.push([one.it, other.it]);
    around.push(one);
  }
  return found;
}
