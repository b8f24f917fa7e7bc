/** The order in which facts are written and made: the same facts in any order give the same bytes. */
import { type Fact, factId } from "./fact";
import type { KindName } from "./kinds";
import { isPlaceholder } from "./later";

/** Kinds in order; `@` stands on a device. The guard counts before a device sends, so its table comes first. */
const ORDER: (KindName | `${KindName}@`)[] = [
  "package",
  "file",
  "wgKey",
  "unit",
  "sysctl",
  "nftTable",
  "rule",
  "route",
  "link",
  "sysctl@",
  "wgDevice",
  "wgPeer",
  "address",
  "route@",
  "nftElement",
];

const rank = (fact: Fact): number => {
  const kind = fact.kind as KindName;
  const onDevice = ORDER.indexOf(`${kind}@`);
  return fact.after !== undefined && onDevice >= 0 ? onDevice : ORDER.indexOf(kind);
};

// Forwarding goes on last of all settings: it deletes a default route that came by router advertisement at once,
// unless accept_ra=2 is already there (net/ipv6/addrconf.c, addrconf_fixup_forwarding and rt6_purge_dflt_routers).
const forwards = (fact: Fact): number => (fact.kind === "sysctl" && /forward(ing)?$/.test(fact.key) ? 1 : 0);
const unfinished = (fact: Fact): number => (isPlaceholder(fact.key) ? 1 : 0);

const compare = (a: Fact, b: Fact): number =>
  rank(a) - rank(b) ||
  unfinished(a) - unfinished(b) ||
  forwards(a) - forwards(b) ||
  (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);

/** Sorted, and each fact behind the one that it stands on, where that is among them. */
export function inOrder(facts: readonly Fact[]): Fact[] {
  const waiting = new Map([...facts].sort(compare).map((fact) => [factId(fact), fact]));
  const ordered: Fact[] = [];
  const take = (id: string): void => {
    const fact = waiting.get(id);
    if (!fact) return;
    waiting.delete(id);
    if (fact.after !== undefined) take(fact.after);
    ordered.push(fact);
  };
  for (const id of [...waiting.keys()]) take(id);
  return ordered;
}
