import { type Code, CodedError } from "../codes";
import { asOne, type Fault } from "../faults";

/** What `overlay truth get` ends with where there is no document. */
export const ABSENT = 2;

/** About the way to a store, what signs or who; not about what the store has. */
const OUTSIDE: readonly Code[] = [
  ...(["truth/denied", "truth/unreachable", "truth/address", "truth/conflict"] as const),
  ...(["truth/key", "truth/keygen", "truth/signers"] as const),
];

/** What keeps a source of truth from being read or written. */
export class TruthError extends CodedError {
  override readonly name = "TruthError";

  constructor(
    readonly code: Code,
    message: string,
  ) {
    super(message);
  }

  /** `where`: what the faults are of, as the message begins. */
  static because(where: string, faults: readonly Fault[]): TruthError {
    const { code, text } = asOne(faults);
    return new TruthError(code, `${where}${text}`);
  }

  /** Whether what the store has is to blame. */
  get unusable(): boolean {
    return !OUTSIDE.includes(this.code);
  }
}
