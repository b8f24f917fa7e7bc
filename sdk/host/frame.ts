/**
 * What one operation writes to one stream: everything between `MARK<` and `MARK>CODE`, see agents/session.sh. Text before
 * it (a greeting of the login shell) is no part of it.
 */
export class Frame {
  readonly #begin: string;
  readonly #end: string;
  #seen = "";
  #result: { text: string; code: number } | undefined;

  constructor(mark: string) {
    this.#begin = `${mark}<`;
    this.#end = `${mark}>`;
  }

  get result(): { text: string; code: number } | undefined {
    return this.#result;
  }

  /** Everything so far, for the message when the end never comes. */
  get seen(): string {
    return this.#seen;
  }

  push(chunk: string): void {
    const from = Math.max(0, this.#seen.length - this.#end.length - 8);
    this.#seen += chunk;
    const end = this.#seen.indexOf(this.#end, from);
    const line = end < 0 ? null : /^(\d+)\n/.exec(this.#seen.slice(end + this.#end.length));
    if (!line) return;
    const begin = this.#seen.indexOf(this.#begin);
    this.#result = { text: this.#seen.slice(begin + this.#begin.length, end), code: Number(line[1]) };
  }
}
