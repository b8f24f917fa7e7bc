/** Those of one run that are at work at the same time, and do better to go on together. */

/** Milliseconds that those who are ready wait for others who may still come. */
const TOGETHER = 100;

export class Company {
  /** Who may still come. */
  #coming = 0;
  #ready: (() => void)[] = [];
  #late: NodeJS.Timeout | undefined;

  /** `gather` waits until nobody else may come, or for a moment: who is alone waits for nobody. */
  async during<T>(work: (gather: () => Promise<void>) => Promise<T>): Promise<T> {
    let coming = true;
    const came = () => {
      if (coming) this.#coming--;
      coming = false;
    };
    const gather = () =>
      new Promise<void>((go) => {
        came();
        this.#ready.push(go);
        this.#late ??= setTimeout(() => this.#go(), TOGETHER);
        if (this.#coming === 0) this.#go();
      });
    this.#coming++;
    try {
      return await work(gather);
    } finally {
      came();
      if (this.#coming === 0) this.#go();
    }
  }

  #go(): void {
    clearTimeout(this.#late);
    this.#late = undefined;
    for (const go of this.#ready.splice(0)) go();
  }
}
