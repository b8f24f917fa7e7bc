/** One long test. */
import { Lab } from "../lab";

export interface Trial {
  title: string;
  mustBe: string;
  /** Resolves to what was seen; throws an Error that says what went wrong. */
  run(): Promise<string | Seen>;
}

/** With a table, whose first row is the head. */
export interface Seen {
  seen: string;
  table: string[][];
}

const LAB = "long";

/** A lab that is there for one piece of work. */
export async function onLab<T>(work: (lab: Lab) => Promise<T>): Promise<T> {
  const lab = await Lab.up("lab", { name: LAB, fresh: true });
  try {
    return await work(lab);
  } finally {
    await Lab.down(LAB);
  }
}

export const oneOf = <T>(values: readonly T[]): T => values[Math.floor(Math.random() * values.length)] as T;
