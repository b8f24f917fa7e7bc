/** Changes of one run that are made one after the other, because each takes something away for a moment that the others have. */

/** Milliseconds for those of one run to come together, so that the first by name is the first to go. */
const TOGETHER = 200;

interface Waiting {
  name: string;
  go(): void;
}

export class Turns {
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #busy = new Set<string>();

  /** Does the work when nobody else is at work at the same, in the order of names. */
  async within<T>(same: string, name: string, work: () => Promise<T>): Promise<T> {
    const waiting = this.#waiting.get(same) ?? [];
    this.#waiting.set(same, waiting);
    await new Promise<void>((go) => {
      waiting.push({ name, go });
      waiting.sort((a, b) => (a.name < b.name ? -1 : 1));
      setTimeout(() => this.#next(same), TOGETHER);
    });
    try {
      return await work();
    } finally {
      this.#busy.delete(same);
      this.#next(same);
    }
  }

  #next(same: string): void {
    const [first] = this.#busy.has(same) ? [] : (this.#waiting.get(same)?.splice(0, 1) ?? []);
    if (!first) return;
    this.#busy.add(same);
    first.go();
  }
}
