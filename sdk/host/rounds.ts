/**
 * What waits for a host's turn goes together: looks are one look, and changes are made one after the other under one lock,
 * with one look after the last. A host needs some forty milliseconds for each.
 */
import type { Snapshot } from "../kernel/snapshot";
import { type Applied, applied, apply, type Change, changing } from "./apply";
import { withCredentials } from "./credentials";
import { abortable, type Operation, type RunOptions, type Session } from "./session";
import { looking, seen } from "./snapshot";

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

  /** As `apply`. */
  async change(given: Change, options: RunOptions = {}): Promise<Applied> {
    const change = { ...given, commands: withCredentials(given.commands) };
    // Alone, for the login that confirms it comes in between.
    if (change.undo) return apply(this.session, change, options);
    return this.#join({ queries: change.queries, change, options });
  }

  #join(one: Pick<Waiting, "queries" | "change" | "options">): Promise<Applied> {
    const result = new Promise<Applied>((done, failed) => {
      const waiting = { ...one, done, failed };
      if (this.#next && sameOwners([...this.#next, waiting])) this.#next.push(waiting);
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
    const { session } = this;
    const changes = () => round.flatMap(({ change }) => change ?? []);
    const queries = () => [...new Set(round.flatMap(({ queries }) => queries))];
    const result = await session.runLate((): Operation & RunOptions => {
      if (this.#next === round) this.#next = undefined;
      const operation: Operation & RunOptions =
        changes().length > 0 ? changing(session, changes(), queries()) : looking(queries());
      return {
        ...operation,
        ...together(
          round.map(({ options }) => options),
          operation,
        ),
      };
    });
    const [first] = changes();
    const { failures, snapshot } = first
      ? applied(session, result, { ...first, queries: queries() })
      : { failures: new Map(), snapshot: seen(session, result, queries()) };
    for (const { change, done } of round) {
      const failed = change && failures.get(changes().indexOf(change) + 1);
      done({ ...(failed && { failed }), snapshot });
    }
  }
}

/** A machine has one owner, so this is a change of the stack's name at most. */
const sameOwners = (round: Waiting[]): boolean =>
  new Set(round.flatMap(({ change }) => (change ? String(change.owners) : []))).size < 2;

/** As patient as the most patient of them; ended when all are. */
export function together(all: RunOptions[], { timeout = 60 }: RunOptions): RunOptions {
  const ended = new AbortController();
  const look = () => {
    if (all.every(({ signal }) => signal?.aborted)) ended.abort();
  };
  for (const { signal } of all) signal?.addEventListener("abort", look, { once: true });
  look();
  return {
    signal: ended.signal,
    timeout: Math.max(...all.map((one) => one.timeout ?? timeout)),
    wait: Math.max(...all.map(({ wait = 0 }) => wait)),
    status: (message) => {
      for (const { status } of all) status?.(message);
    },
  };
}
