/** The order in which facts are written and made: the same facts in any order give the same bytes. */
import { type Fact, factId } from "./fact";
import type { KindName } from "./kinds";
import { isPlaceholder } from "./later";

/**
 * Kinds in order; `@` stands on a device. The guard counts before a device sends, and the forward chain is there before
 * anything is forwarded, so their table comes first; a firewall is open before anybody calls, and as long as anybody
 * answers.
 */
const ORDER: (KindName | `${KindName}@`)[] = [
  "package",
  "file",
  "wgKey",
  "rosenpassKey",
  "keptPsk",
  "unit",
  "nftTable",
  "sysctl",
  "route",
  "rule",
  "ufwRule",
  "firewalldRule",
  "nftRule",
  "link",
  "sysctl@",
  "wgDevice",
  "wgPeer",
  "wgPsk",
  "neighbour",
  "fdb",
  "bridgePort",
  "address",
  "route@",
  "nftElement",
  "unit@",
  "backup",
];

const PLACES = new Map(ORDER.map((kind, place) => [kind as string, place]));
const ON_DEVICE = new Map(ORDER.map((kind, place) => [kind.replace(/@$/, ""), place]));

/** What runs needs all else, and ends first. */
const runs = ({ kind, value }: Fact): boolean => kind === "unit" && (value as { active?: boolean }).active === true;

/** The last of a kind's places is that on a device. */
const rank = (fact: Fact): number =>
  (fact.after === undefined && !runs(fact) ? PLACES : ON_DEVICE).get(fact.kind) ?? -1;

// Forwarding goes on last of all settings: it deletes a default route that came by router advertisement at once,
// unless accept_ra=2 is already there (net/ipv6/addrconf.c, addrconf_fixup_forwarding and rt6_purge_dflt_routers).
const forwards = (fact: Fact): number => (fact.kind === "sysctl" && /forward(ing)?$/.test(fact.key) ? 1 : 0);
const unfinished = (fact: Fact): number => (isPlaceholder(fact.key) ? 1 : 0);

const placeOf = (fact: Fact): number => rank(fact) * 4 + unfinished(fact) * 2 + forwards(fact);

/** By place, then by key. There are a few places, and thousands of facts in those of a mesh's peers and routes. */
function sort(facts: readonly Fact[]): Fact[] {
  const places = new Map<number, Fact[]>();
  for (const fact of facts) {
    const place = placeOf(fact);
    const same = places.get(place);
    if (same) same.push(fact);
    else places.set(place, [fact]);
  }
  const inTurn = [...places].sort(([a], [b]) => a - b);
  return inTurn.flatMap(([, same]) => same.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)));
}

/** Sorted, each once, and each behind the one that it stands on, where that is among them. */
export function inOrder(facts: readonly Fact[]): Fact[] {
  const sorted = sort(facts);
  // Few are stood on by others, a device by thousands: only of these is anything kept.
  const kinds = new Set(
    [...new Set(facts.map(({ after }) => after))].map((after) => after?.slice(0, after.indexOf(" "))),
  );
  const waiting = new Map(sorted.filter(({ kind }) => kinds.has(kind)).map((fact) => [factId(fact), fact]));
  const ordered: Fact[] = [];
  const take = (fact: Fact): void => {
    const base = fact.after === undefined ? undefined : waiting.get(fact.after);
    if (base) {
      waiting.delete(fact.after as string);
      take(base);
    }
    ordered.push(fact);
  };
  for (const [index, fact] of sorted.entries()) {
    const next = sorted[index + 1];
    if (next && next.kind === fact.kind && next.key === fact.key) continue;
    if (!kinds.has(fact.kind)) take(fact);
    else if (waiting.delete(factId(fact))) take(fact);
  }
  return ordered;
}
