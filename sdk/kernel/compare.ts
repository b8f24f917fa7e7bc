/** What is against what should be: the fewest commands that lead from the one to the other. */
import { goesWithAddresses } from "./address";
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
  /** Each thing that is not as it should be, or goes and comes back with what it stands on. */
  changed: Changed[];
}

/** A thing before and after. */
export interface Changed {
  from?: Fact;
  to?: Fact;
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
 * and changes in their order; then the removal of what lingers, and what the kernel takes with that once more. `remake`:
 * ids of what is made again in any case.
 */
export function changes(
  live: readonly Fact[],
  wanted: readonly Fact[],
  host: HostFacts,
  remake: readonly string[] = [],
): Changes {
  const is = new Map(live.map((fact) => [factId(fact), fact]));
  const should = new Map(wanted.map((fact) => [factId(fact), fact]));
  const all = inOrder([...wanted, ...live.filter((fact) => !should.has(factId(fact)))]);

  const sentences = new Map(live.map((fact) => [factId(fact), kindOf(fact).foreign?.(fact.value)]));
  const foreign = [...sentences].flatMap(([id, sentence]) => (sentence === undefined ? [] : [{ id, sentence }]));
  const untouched = withDependents(all, ids(foreign));
  const ours = all.map((fact) => ({ ...fact, id: factId(fact) })).filter(({ id }) => !untouched.has(id));

  const set = (kind: string, from?: Fact, to?: Fact) => kindOf({ kind }).set(from?.value, to?.value, host);
  const commands = (kind: string, from?: Fact, to?: Fact): Command[] => {
    const result = set(kind, from, to);
    return result === "again" ? [] : result;
  };

  const there = ours.filter(({ id }) => is.has(id));
  const remade = there.filter(
    ({ id, kind }) => should.has(id) && (remake.includes(id) || set(kind, is.get(id), should.get(id)) === "again"),
  );
  const gone = there.filter(({ id }) => !should.has(id));
  const vanish = withDependents(ours, ids([...remade, ...gone]));
  const again = withDependents(ours, ids(remade));

  const removed = [...gone, ...remade].filter(({ after }) => after === undefined || !vanish.has(after));
  const lingers = (fact: Fact) => !should.has(factId(fact)) && (kindOf(fact).lingers ?? false);
  const remove = (linger: boolean) =>
    inOrder(removed)
      .reverse()
      .filter((fact) => lingers(fact) === linger)
      .flatMap(({ kind, key }) => commands(kind, is.get(factId({ kind, key }))));
  const goes = goesWithAddresses(removed, wanted);
  const added = (late: boolean) =>
    ours
      .filter((fact) => should.has(fact.id) && goes(fact) === late)
      .flatMap(({ id, kind }) => commands(kind, late || vanish.has(id) ? undefined : is.get(id), should.get(id)));

  return {
    commands: [...remove(false), ...added(false), ...remove(true), ...added(true)],
    again: ids(there.filter(({ id }) => should.has(id) && again.has(id))).sort(),
    foreign: foreign.map(({ sentence }) => sentence),
    changed: ours.flatMap(({ id, kind }) => {
      const [from, to] = [is.get(id), should.get(id)];
      if (!vanish.has(id) && commands(kind, from, to).length === 0) return [];
      return [{ ...(from && { from }), ...(to && { to }) }];
    }),
  };
}

/**
 * What leads from what is wanted back to what was there: of the kernel's own state only, which alone can cut off a
 * host. A line of it fails where the way there was not gone to its end; the others are to be carried out all the same.
 */
export function undo(live: readonly Fact[], wanted: readonly Fact[], host: HostFacts): Command[] {
  const volatile = (facts: readonly Fact[]) => facts.filter((fact) => kindOf(fact).volatile);
  const [found, goal] = [volatile(live), volatile(wanted)];
  // What is made again may be gone when the way is not gone to its end: there is nothing then to change in place.
  const { commands } = changes(goal, found, host, changes(found, goal, host).again);
  // A route goes, or forgets its source, with an address that was away for a moment.
  const routes = found.filter(({ kind }) => kind === "route").flatMap((fact) => kindOf(fact).lines(fact.value));
  return [...commands, ...routes.map((line) => line.replace(" add ", " replace "))];
}

const ids = (facts: readonly { id: string }[]): string[] => facts.map(({ id }) => id);
