/**
 * Changes of one run that are made one after the other, because each takes something away for a moment that the others have:
 * in the order of their names. Who has to be changed is known to the engine's diff. Who turns out to only when its host has
 * been looked at goes in the order of names among those who wait.
 */

/** Milliseconds for those of one run to come together, so that the first of them by name is the first to go. */
const TOGETHER = 200;
/** Milliseconds to wait for one that comes earlier by name: its host may be slow, or dead, or of a later stage. */
const PATIENCE = 10_000;

interface Waiting {
  name: string;
  go(): void;
}

/** Of what is changed together, those who are to come, and those who wait. */
interface Same {
  expected: Set<string>;
  waiting: Waiting[];
  busy: boolean;
}

export class Turns {
  readonly #all = new Map<string, Same>();

  constructor(private readonly patience = PATIENCE) {}

  #of(same: string): Same {
    const known = this.#all.get(same) ?? { expected: new Set(), waiting: [], busy: false };
    this.#all.set(same, known);
    return known;
  }

  /** It will come, unless something keeps it from that. */
  expect(same: string, name: string): void {
    this.#of(same).expected.add(name);
  }

  /** It does not come any more: it has been, or something kept it. */
  ended(same: string, name: string): void {
    this.#of(same).expected.delete(name);
    this.#next(same);
  }

  /** Does the work when nobody else is at work at the same, those who wait in the order of names. */
  async within<T>(same: string, name: string, work: () => Promise<T>): Promise<T> {
    const { waiting, expected } = this.#of(same);
    await new Promise<void>((go) => {
      waiting.push({ name, go });
      waiting.sort((a, b) => (a.name < b.name ? -1 : 1));
      expected.delete(name);
      setTimeout(() => this.#next(same), TOGETHER);
    });
    try {
      return await work();
    } finally {
      this.#of(same).busy = false;
      this.#next(same);
    }
  }

  #next(same: string): void {
    const known = this.#of(same);
    const [first] = known.waiting;
    if (known.busy || !first) return;
    const earlier = [...known.expected].filter((name) => name < first.name);
    if (earlier.length > 0) {
      setTimeout(() => {
        for (const name of earlier) this.ended(same, name);
      }, this.patience).unref();
      return;
    }
    known.waiting.shift();
    known.busy = true;
    first.go();
  }
}
