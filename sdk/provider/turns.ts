/**
 * Changes of one run that are made one after the other, because each takes something away for a moment that the others have.
 * In the order of their names those that come together. Nobody waits longer for who may yet come: what a host needs is
 * known when it has been looked at, and a host may answer late, be of a later stage, or not be there.
 */

/** Milliseconds for those of one run to come together, so that the first of them by name is the first to go. */
const TOGETHER = 200;

interface Waiting {
  name: string;
  go(): void;
}

export class Turns {
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #busy = new Set<string>();

  /** Does the work when nobody else is at work at the same, those who wait in the order of names. */
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
