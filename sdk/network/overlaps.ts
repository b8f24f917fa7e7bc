/** Prefixes of several owners that have addresses in common: a packet to one of these has two ways. */
import { fixedBits } from "./address";

export interface Owned<Owner> {
  /** Canonical. */
  prefix: string;
  owner: Owner;
}

type Pair<Owner> = [one: Owned<Owner>, other: Owned<Owner>];

export const isDefault = (prefix: string): boolean => prefix.endsWith("/0");

/**
 * Each prefix that lies in one of another owner, with that one. The time grows with their number, and with that of their
 * lengths. Default routes hold everything and take nothing away, so they clash with each other alone, of whatever family.
 */
export function overlapping<Owner>(all: readonly Owned<Owner>[]): Pair<Owner>[] {
  const [first, ...others] = all.filter(({ prefix }) => isDefault(prefix));
  const defaults = others.flatMap((it): Pair<Owner>[] => (first && it.owner !== first.owner ? [[it, first]] : []));

  const specific = all
    .filter(({ prefix }) => !isDefault(prefix))
    .map((it) => ({ it, bits: fixedBits(it.prefix) ?? "" }));
  specific.sort((a, b) => a.bits.length - b.bits.length);
  const holders = new Map<string, Owned<Owner>>();
  const lengths: number[] = [];
  const found: Pair<Owner>[] = [];
  for (const { it, bits } of specific) {
    if (lengths.at(-1) !== bits.length) lengths.push(bits.length);
    const around = lengths.map((length) => holders.get(bits.slice(0, length)));
    const other = around.find((holder) => holder !== undefined && holder.owner !== it.owner);
    if (other) found.push([it, other]);
    if (!holders.has(bits)) holders.set(bits, it);
  }
  const place = ([{ prefix }]: Pair<Owner>): string => fixedBits(prefix) ?? "";
  return [...defaults, ...found.sort((a, b) => (place(a) < place(b) ? -1 : place(a) > place(b) ? 1 : 0))];
}
