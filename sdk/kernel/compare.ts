/** What is against what should be: the fewest commands that lead from the one to the other. */
import { type Command, type Fact, factId, type HostFacts } from "./fact";
import { kindOf, kinds } from "./kinds";
import type { Link } from "./link";
import { inOrder } from "./order";
import type { Snapshot } from "./snapshot";

export interface Changes {
  commands: Command[];
  /** Ids of facts that are removed and made again, because they cannot change in place or stand on one that cannot. */
  again: string[];
  /** A sentence for each thing of the same name that is somebody else's; nothing is done to these. */
  foreign: string[];
}

/** What the snapshot must be asked for, so that these facts can be read from it. */
export const queries = (facts: readonly Fact[]): string[] =>
  [...new Set(facts.flatMap((fact) => kindOf(fact).queries?.(fact.value) ?? []))].sort();

/** Everything on a device that is ours, declared or not. */
function onDevice(snapshot: Snapshot, link: Fact): Fact[] {
  return Object.entries(kinds).flatMap(([kind, { key, on }]) =>
    (on?.(snapshot, link.key) ?? []).map((value) => ({
      kind,
      key: (key as (value: unknown) => string)(value),
      value,
      after: factId(link),
    })),
  );
}

/** The live values of these facts, and whatever else there is on their devices. */
export function live(snapshot: Snapshot, facts: readonly Fact[]): Fact[] {
  const declared = facts.flatMap((fact) => {
    const value = kindOf(fact).read(snapshot, fact.key, fact.value);
    return value === undefined ? [] : [{ ...fact, value }];
  });
  const ids = new Set(facts.map(factId));
  const undeclared = declared
    .filter((fact) => fact.kind === "link" && !kinds.link.foreign?.(fact.value as Link))
    .flatMap((link) => onDevice(snapshot, link))
    .filter((fact) => !ids.has(factId(fact)));
  return inOrder([...declared, ...undeclared]);
}

/** Ids of facts, and of all that stands on one of them; what is stood on comes first in `facts`. */
function withDependents(facts: readonly Fact[], roots: Iterable<string>): Set<string> {
  const ids = new Set(roots);
  for (const fact of facts) if (fact.after !== undefined && ids.has(fact.after)) ids.add(factId(fact));
  return ids;
}

/**
 * Removal first, from the last to the first, without what vanishes with the thing that it stands on; then additions
 * and changes in their order.
 */
export function changes(live: readonly Fact[], wanted: readonly Fact[], host: HostFacts): Changes {
  const is = new Map(live.map((fact) => [factId(fact), fact]));
  const should = new Map(wanted.map((fact) => [factId(fact), fact]));
  const both = inOrder([...wanted, ...live.filter((fact) => !should.has(factId(fact)))]);

  const foreign = live.flatMap((fact) => {
    const sentence = kindOf(fact).foreign?.(fact.value);
    return sentence === undefined ? [] : [{ id: factId(fact), sentence }];
  });
  const untouched = withDependents(
    both,
    foreign.map(({ id }) => id),
  );
  const ours = both.filter((fact) => !untouched.has(factId(fact)));

  const set = (fact: Fact, from?: Fact, to?: Fact) => kindOf(fact).set(from?.value, to?.value, host);
  const unchangeable = ours.filter((fact) => {
    const [from, to] = [is.get(factId(fact)), should.get(factId(fact))];
    return from && to && set(fact, from, to) === "again";
  });
  const again = withDependents(ours, unchangeable.map(factId));
  const gone = ours.map(factId).filter((id) => !should.has(id));
  const vanishing = new Set([...gone.filter((id) => is.has(id)), ...unchangeable.map(factId)]);
  const goes = withDependents(ours, vanishing);

  const commands: Command[] = [];
  const run = (result: Command[] | "again") => commands.push(...(result === "again" ? [] : result));
  for (const fact of [...ours].reverse()) {
    const id = factId(fact);
    if (vanishing.has(id) && !(fact.after !== undefined && goes.has(fact.after))) run(set(fact, is.get(id)));
  }
  for (const fact of ours) {
    const id = factId(fact);
    if (should.has(id)) run(set(fact, goes.has(id) ? undefined : is.get(id), fact));
  }
  return {
    commands,
    again: wanted
      .map(factId)
      .filter((id) => again.has(id) && is.has(id))
      .sort(),
    foreign: foreign.map(({ sentence }) => sentence),
  };
}
