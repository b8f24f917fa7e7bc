/** Trying again, at random moments that lie further and further apart, so that several do not meet again and again. */
import { setTimeout as sleep } from "node:timers/promises";

interface Waiting {
  /** Milliseconds: up to so much before the second attempt, twice that before the third. */
  first: number;
  /** The longest wait. */
  most: number;
  attempts?: number;
  /** When to give up, as Date.now() has it. */
  until?: number;
  signal?: AbortSignal | undefined;
}

/** One turn an attempt; each gives what waits for the next. */
export function* waiting({ first, most, attempts = Infinity, until = Infinity, signal }: Waiting) {
  for (let attempt = 0; attempt < attempts && Date.now() < until; attempt++) {
    yield async (): Promise<void> => {
      const longest = Math.min(most, first * 2 ** attempt);
      // Nobody waits after the last attempt.
      if (attempt + 1 < attempts) await sleep(Math.random() * longest, undefined, signal && { signal });
    };
  }
}
