/** Whether the keys of a link are exchanged as they should be: seen at both ends, where both can be seen. */
import type { Exchange } from "../kernel/snapshot";

/** Seconds: a new key every 130 s (Rosenpass 0.2), and what it takes. */
const FRESH = 140;

export const HEALTHY = "healthy";

/** Why one end is not, or undefined. */
function ill(name: string, { exchanged, trouble, protected: safe }: Exchange): string | undefined {
  if (exchanged === undefined) return `${name} has exchanged no key yet${trouble === undefined ? "" : `: ${trouble}`}`;
  if (exchanged >= FRESH) {
    const why = trouble === undefined ? "" : `: ${trouble}`;
    return `the last key of ${name} is older than ${FRESH} s${why}`;
  }
  return safe ? undefined : `the session of ${name} began before its first key`;
}

/** The exchange by the node's name: of both ends, or of one, where the other is somebody else's; undefined: it cannot be seen. */
type Ends = Readonly<Record<string, Exchange | undefined>>;

const isSame = (ends: Ends): boolean => new Set(Object.values(ends).map((it) => it?.psk)).size === 1;

/** Whether all have exchanged a key, and the same. */
export const agreed = (ends: Ends): boolean =>
  Object.values(ends).every((it) => it?.exchanged !== undefined) && isSame(ends);

/** The same text from either end. */
export function health(ends: Ends): string {
  const sorted = Object.entries(ends).sort(([a], [b]) => (a < b ? -1 : 1));
  const all = sorted.flatMap(([name, it]) => (it ? (ill(name, it) ?? []) : []));
  if (all.length === 0 && Object.values(ends).every(Boolean) && !isSame(ends))
    all.push("the two ends have different keys");
  const unseen = sorted.flatMap(([name, it]) => (it ? [] : [`${name} cannot be seen`]));
  return [...all, ...unseen].join("; ") || HEALTHY;
}
