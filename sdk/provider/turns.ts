/**
 * Changes of one run that are made one after the other, because each takes something away for a moment that the others have:
 * in the order of their names. Whether one is to come the engine's diff of it tells, and that comes late where its host is
 * still at work; who comes earlier by name is waited for until then, as long as this run is at work on anything at all.
 */

/** One of those that belong to a whole, as a member to a segment. */
export interface Part {
  whole: string;
  name: string;
  others: readonly string[];
}

/** Those of a part that come before it, and were there before the change: who is new takes nothing away. */
export const earlier = ({ name, others }: Part, before: Part | undefined): string[] =>
  others.filter((other) => other < name && before?.others.includes(other));

/**
 * Milliseconds in which nobody does anything but wait, and the program is silent: who has not come by then is of no target,
 * of a later stage of a rollout, or needs what has failed; or those who wait are as many as the engine lets be at work.
 */
const QUIET = 2_000;
/** Milliseconds without news of the whole: what holds a host up, such as a package to install, may take longer. */
const PATIENCE = 30_000;
/** Milliseconds between looks at the clock. */
const LOOK = 50;

interface Waiting {
  name: string;
  /** Whom it still waits for. */
  for: Set<string>;
  signal: AbortSignal | undefined;
  go(): void;
}

interface Whole {
  /** Names of those who need no turn, or had theirs. */
  settled: Set<string>;
  waiting: Waiting[];
  atWork: Waiting | undefined;
  /** When it was last told of any. */
  news: number;
  clock: NodeJS.Timeout | undefined;
}

export class Turns {
  readonly #wholes = new Map<string, Whole>();
  /** Calls of the engine that are under way, those that wait here too. */
  #calls = 0;
  #lastCall = 0;

  constructor(
    private readonly quiet = QUIET,
    private readonly patience = PATIENCE,
  ) {}

  /** A call of the engine: while there is one that does not wait here, somebody may still come. */
  async during<T>(call: () => T | Promise<T>): Promise<T> {
    this.#calls++;
    try {
      return await call();
    } finally {
      this.#calls--;
      this.#lastCall = performance.now();
    }
  }

  /** It needs no turn, or has had it, or will not come to it. */
  settle({ whole, name }: Part): void {
    const of = this.#of(whole);
    of.settled.add(name);
    of.news = performance.now();
    this.#next(of);
  }

  /** Does the work when those who come earlier are settled, and nobody of the whole is at work; a cancelled one at once. */
  async within<T>(part: Part, before: readonly string[], work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const of = this.#of(part.whole);
    const own = await new Promise<Waiting>((resolve) => {
      const own: Waiting = { name: part.name, for: new Set(before), signal, go: () => resolve(own) };
      of.waiting.push(own);
      of.waiting.sort((a, b) => (a.name < b.name ? -1 : 1));
      of.news = performance.now();
      of.clock ??= setInterval(() => this.#next(of), LOOK);
      this.#next(of);
    });
    try {
      return await work();
    } finally {
      if (of.atWork === own) of.atWork = undefined;
      this.settle(part);
    }
  }

  #of(whole: string): Whole {
    const known = this.#wholes.get(whole);
    const of = known ?? { settled: new Set(), waiting: [], atWork: undefined, news: 0, clock: undefined };
    this.#wholes.set(whole, of);
    return of;
  }

  #next(of: Whole): void {
    this.#release(of, ({ signal }) => signal?.aborted === true);
    if (of.atWork) return;
    if (this.#inVain(of)) for (const waiting of of.waiting) waiting.for.clear();
    const [first] = of.waiting;
    if (!first || [...first.for].some((name) => !of.settled.has(name))) return;
    of.atWork = first;
    this.#release(of, (waiting) => waiting === first);
  }

  #inVain({ news }: Whole): boolean {
    const now = performance.now();
    const waiting = [...this.#wholes.values()].reduce((sum, of) => sum + of.waiting.length, 0);
    const silent = now - Math.max(news, this.#lastCall);
    return now - news > this.patience || (this.#calls <= waiting && silent > this.quiet);
  }

  #release(of: Whole, which: (waiting: Waiting) => boolean): void {
    const released = of.waiting.filter(which);
    of.waiting = of.waiting.filter((waiting) => !which(waiting));
    for (const { go } of released) go();
    if (of.waiting.length > 0) return;
    clearInterval(of.clock);
    of.clock = undefined;
  }
}
