import { type Code, CodedError, type Named } from "../codes";

/** What keeps a source of truth from being read or written; `CODES` says what each means. */
export type Trouble = Named<"truth">;

/** What `overlay truth get` ends with where there is no document. */
export const ABSENT = 2;

export class TruthError extends CodedError {
  override readonly name = "TruthError";

  constructor(
    readonly trouble: Trouble,
    message: string,
  ) {
    super(message);
  }

  get code(): Code {
    return `truth/${this.trouble}`;
  }
}
