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

/** Everything on a device that is ours and that nobody has declared. */
function undeclaredOn(snapshot: Snapshot, link: Fact, declared: ReadonlySet<string>): Fact[] {
  const after = factId(link);
  return Object.entries(kinds).flatMap(([kind, { key: keyOf, on }]) =>
    (on?.(snapshot, link.key) ?? []).flatMap((value) => {
      const key = (keyOf as (value: unknown) => string)(value);
      return declared.has(factId({ kind, key })) ? [] : [{ kind, key, value, after }];
    }),
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
    .flatMap((link) => undeclaredOn(snapshot, link, ids));
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
  const [is, should] = [byId(live), byId(wanted)];
  const all = inOrder([...wanted, ...live.filter((fact) => !should.has(factId(fact)))]);

  const foreign = [...is].flatMap(([id, fact]) => {
    const sentence = kindOf(fact).foreign?.(fact.value);
    return sentence === undefined ? [] : [{ id, sentence }];
  });
  const untouched = withDependents(all, ids(foreign));
  const ours = all.map((fact) => ({ ...fact, id: factId(fact) })).filter(({ id }) => !untouched.has(id));

  // Asked several times of each of what may be thousands.
  const known = new Map<string, Command[] | "again">();
  const inPlace = ({ id, kind }: Known): Command[] | "again" => {
    const result = known.get(id) ?? kindOf({ kind }).set(is.get(id)?.value, should.get(id)?.value, host);
    known.set(id, result);
    return result;
  };
  const unless = (result: Command[] | "again"): Command[] => (result === "again" ? [] : result);
  const add = ({ id, kind }: Known) => unless(kindOf({ kind }).set(undefined, should.get(id)?.value, host));
  const take = ({ id, kind }: Known) => unless(kindOf({ kind }).set(is.get(id)?.value, undefined, host));

  const there = ours.filter(({ id }) => is.has(id));
  const remade = there.filter((fact) => should.has(fact.id) && (remake.includes(fact.id) || inPlace(fact) === "again"));
  const gone = there.filter(({ id }) => !should.has(id));
  const vanish = withDependents(ours, ids([...remade, ...gone]));
  const again = withDependents(ours, ids(remade));

  const removed = [...gone, ...remade].filter(({ after }) => after === undefined || !vanish.has(after));
  const lingers = (fact: Fact) => !should.has(factId(fact)) && (kindOf(fact).lingers ?? false);
  const remove = (linger: boolean) =>
    inOrder(removed)
      .reverse()
      .filter((fact) => lingers(fact) === linger)
      .flatMap((fact) => take({ id: factId(fact), kind: fact.kind }));
  const goes = goesWithAddresses(removed, wanted);
  const added = (late: boolean) =>
    ours
      .filter((fact) => should.has(fact.id) && goes(fact) === late)
      .flatMap((fact) => (late || vanish.has(fact.id) ? add(fact) : unless(inPlace(fact))));

  return {
    commands: [...remove(false), ...added(false), ...remove(true), ...added(true)],
    again: ids(there.filter(({ id }) => should.has(id) && again.has(id))).sort(),
    foreign: foreign.map(({ sentence }) => sentence),
    changed: ours.flatMap((fact) => {
      if (!vanish.has(fact.id) && unless(inPlace(fact)).length === 0) return [];
      const [from, to] = [is.get(fact.id), should.get(fact.id)];
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
  const ahead = changes(found, goal, host);
  // What is made again may be gone when the way is not gone to its end: there is nothing then to change in place.
  const { commands } = changes(goal, found, host, ahead.again);
  const lines = (facts: readonly Fact[]) => facts.flatMap((fact) => kindOf(fact).lines(fact.value));
  // A route goes, or forgets its source, with an address that was away for a moment.
  const routes = lines(found.filter(({ kind }) => kind === "route")).map((line) => line.replace(" add ", " replace "));
  // Permanent neighbours go with the last address of their family.
  const devices = new Set(ahead.changed.flatMap(({ from }) => (from?.kind === "address" ? from.after : [])));
  const neighbours = lines(found.filter(({ kind, after }) => kind === "neighbour" && devices.has(after)));
  return [...commands, ...routes, ...neighbours];
}

type Known = Pick<Fact, "kind"> & { id: string };

const byId = (facts: readonly Fact[]): Map<string, Fact> => new Map(facts.map((fact) => [factId(fact), fact]));

const ids = (facts: readonly { id: string }[]): string[] => facts.map(({ id }) => id);
