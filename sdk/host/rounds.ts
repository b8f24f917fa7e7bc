/**
 * What waits for a host's turn goes together: looks are one look, and changes are made one after the other under one lock,
 * with one look after the last. A host needs some forty milliseconds for each, and for a login that confirms more.
 */
import { setImmediate } from "node:timers/promises";
import type { Snapshot } from "../kernel/snapshot";
import { type Applied, type Change, carriedOut, confirmed, type Round } from "./apply";
import { withCredentials } from "./credentials";
import { abortable, type RunOptions, type Session } from "./session";
import { parseSnapshot, type Seen } from "./snapshot";

export interface LookOptions extends RunOptions {
  /**
   * Whether what was seen of the host a moment ago will do, in this run and before nothing of it was changed since: the host
   * is asked for what is missing. Default: it is looked at afresh.
   */
  recent?: boolean;
}

/** Milliseconds that "a moment ago" is. */
const RECENT = 5000;

interface Waiting {
  queries: string[];
  change?: Change;
  options: LookOptions;
  done(result: Applied): void;
  failed(error: unknown): void;
}

interface Remembered extends Seen {
  /** Of the oldest of it, in milliseconds. */
  at: number;
}

/** One session's. */
export class Rounds {
  /** Have not begun: who comes may join them. Those of the second need a login that confirms them, and others do not. */
  readonly #open: { plain?: Waiting[]; armed?: Waiting[] } = {};
  /** The end of all of the first. */
  #plain: Promise<void> = Promise.resolve();
  /** What was seen after the last change, or since. */
  #seen: Remembered | undefined;

  constructor(private readonly session: Session) {}

  /** As `snapshot`. */
  async look(queries: string[], options: LookOptions = {}): Promise<Snapshot> {
    const seen = options.recent && this.#recent();
    if (seen && missing(queries, seen).length === 0) return parseSnapshot(seen.text, seen.queries);
    return (await this.#join({ queries, options })).snapshot;
  }

  /** What was seen so far is not what others may have made of it. */
  forget(): void {
    this.#seen = undefined;
  }

  #recent(): Remembered | undefined {
    return this.#seen && Date.now() - this.#seen.at < RECENT ? this.#seen : undefined;
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
    const kind = one.change?.undo ? "armed" : "plain";
    const result = new Promise<Applied>((done, failed) => {
      const [waiting, open] = [{ ...one, done, failed }, this.#open[kind]];
      if (open && sameOwners([...open, waiting])) open.push(waiting);
      else this.#begin(kind, [waiting]);
    });
    return abortable(result, one.options.signal);
  }

  #begin(kind: "plain" | "armed", round: Waiting[]): void {
    this.#open[kind] = round;
    const end = this.#end(kind, round).catch((error: unknown) => {
      this.forget();
      for (const { failed } of round) failed(error);
    });
    if (kind === "plain") this.#plain = end;
  }

  /** Who looks at the host now may have something to confirm then, and a login takes longer than a look. */
  async #othersHaveLooked(): Promise<void> {
    for (let seen: unknown; seen !== this.#plain; ) {
      seen = this.#plain;
      await this.#plain;
      await setImmediate();
    }
  }

  async #end(kind: "plain" | "armed", round: Waiting[]): Promise<void> {
    if (kind === "armed") await this.#othersHaveLooked();
    const begin = (): Round & { at: number } => {
      if (this.#open[kind] === round) delete this.#open[kind];
      const changes = round.flatMap(({ change }) => change ?? []);
      if (changes.length > 0) this.forget();
      const seen = round.every(({ options }) => options.recent) ? this.#recent() : undefined;
      const queries = [...new Set(round.flatMap(({ queries }) => queries))];
      const options = round.map(({ options }) => options);
      return seen
        ? { at: seen.at, changes, queries: missing(queries, seen), options, seen }
        : { at: Date.now(), changes, queries, options };
    };
    let begun: ReturnType<typeof begin> | undefined;
    const now = () => {
      begun ??= begin();
      return begun;
    };
    const { failures, seen, ...rest } = await (kind === "armed" ? confirmed : carriedOut)(this.session, now);
    const { changes, at } = now();
    this.#seen = { ...seen, at };
    for (const { change, done } of round) {
      const failed = change && failures.get(changes.indexOf(change) + 1);
      done({ ...(failed && { failed }), ...rest });
    }
  }
}

const missing = (queries: readonly string[], seen: Seen): string[] =>
  queries.filter((query) => !seen.queries.includes(query));

/** A machine has one owner, so this is a change of the stack's name at most. */
const sameOwners = (round: Waiting[]): boolean =>
  new Set(round.flatMap(({ change }) => (change ? String(change.owners) : []))).size < 2;

/** A change by itself. */
export const apply = (session: Session, change: Change, options?: RunOptions): Promise<Applied> =>
  new Rounds(session).change(change, options);
