/** What keeps a source of truth from being read or written: what it was, and the cure. */
export type Trouble =
  | "conflict" /** Others wrote each time, or what is there is not what was expected. */
  | "denied" /** The store knows the credentials and does not allow it, or does not know them. */
  | "unreachable" /** No answer, not in time, or one that says that the store is ill. */
  | "faulty" /** What is there cannot be used. */
  | "replayed" /** An older state than one that was seen before. */
  | "key" /** Nothing can be signed. */
  | "keygen" /** A program is missing. */
  | "address"; /** The store's address is none. */

/** What `overlay truth get` ends with where there is no document. */
export const ABSENT = 2;

export class TruthError extends Error {
  override readonly name = "TruthError";

  constructor(
    readonly trouble: Trouble,
    message: string,
  ) {
    super(message);
  }
}
