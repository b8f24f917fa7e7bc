/**
 * What waits for a host's turn goes together: looks are one look, and changes are made one after the other under one lock,
 * with one look after the last. A host needs some forty milliseconds for each, and for a login that confirms more.
 */
import type { Snapshot } from "../kernel/snapshot";
import { type Applied, type Change, carriedOut, confirmed, type Round } from "./apply";
import { withCredentials } from "./credentials";
import { abortable, type RunOptions, type Session } from "./session";

interface Waiting {
  queries: string[];
  change?: Change;
  options: RunOptions;
  done(result: Applied): void;
  failed(error: unknown): void;
}

/** One session's. */
export class Rounds {
  /** It has not begun: who comes may join it. */
  #next: Waiting[] | undefined;

  constructor(private readonly session: Session) {}

  /** As `snapshot`. */
  async look(queries: string[], options: RunOptions = {}): Promise<Snapshot> {
    return (await this.#join({ queries, options })).snapshot;
  }

  /**
   * Carries out a change, stops at the first command that fails, then looks at the host. Throws HostError when nothing was
   * done, or when it is not known what was done, see `carriedOut` and `confirmed`.
   */
  async change(given: Change, options: RunOptions = {}): Promise<Applied> {
    const change = { ...given, commands: withCredentials(given.commands) };
    return this.#join({ queries: change.queries, change, options });
  }

  #join(one: Pick<Waiting, "queries" | "change" | "options">): Promise<Applied> {
    const result = new Promise<Applied>((done, failed) => {
      const waiting = { ...one, done, failed };
      if (this.#next && goTogether([...this.#next, waiting])) this.#next.push(waiting);
      else this.#begin([waiting]);
    });
    return abortable(result, one.options.signal);
  }

  #begin(round: Waiting[]): void {
    this.#next = round;
    this.#end(round).catch((error: unknown) => {
      for (const { failed } of round) failed(error);
    });
  }

  async #end(round: Waiting[]): Promise<void> {
    const begun = (): Round => {
      if (this.#next === round) this.#next = undefined;
      return {
        changes: round.flatMap(({ change }) => change ?? []),
        queries: [...new Set(round.flatMap(({ queries }) => queries))],
        options: round.map(({ options }) => options),
      };
    };
    const work = round.some(({ change }) => change?.undo) ? confirmed : carriedOut;
    const { failures, ...rest } = await work(this.session, begun);
    const { changes } = begun();
    for (const { change, done } of round) {
      const failed = change && failures.get(changes.indexOf(change) + 1);
      done({ ...(failed && { failed }), ...rest });
    }
  }
}

/**
 * Looks do not wait for a login that confirms changes of others. A machine has one owner, so two are a change of the
 * stack's name at most.
 */
function goTogether(round: Waiting[]): boolean {
  const owners = new Set(round.flatMap(({ change }) => (change ? String(change.owners) : [])));
  return owners.size < 2 && new Set(round.map(({ change }) => change?.undo !== undefined)).size < 2;
}

/** A change by itself. */
export const apply = (session: Session, change: Change, options?: RunOptions): Promise<Applied> =>
  new Rounds(session).change(change, options);
