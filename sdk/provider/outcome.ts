/** How an operation can end other than well. */
import { type Code, CodedError, markedBelow } from "../codes";
import { asOne, type Fault } from "../faults";
import type { Values } from "./wire";

/** Nothing was done, for a reason that the user can mend. */
export class Refused extends CodedError {
  override readonly name = "Refused";

  constructor(
    readonly code: Code,
    message: string,
  ) {
    super(message);
  }

  static because(where: string, faults: readonly Fault[]): Refused {
    const { code, text } = asOne(faults);
    return new Refused(code, `${where}: ${text}`);
  }
}

/** Some of it was done: what there is now stays in state, so that the next run goes on from there. */
export class HalfApplied extends Error {
  override readonly name = "HalfApplied";
  readonly reasons: string[];

  constructor(
    readonly id: string,
    readonly outputs: Values,
    code: Code,
    why: readonly [string, ...string[]],
    /** Where it was the user who ended it. */
    readonly cancelled = false,
  ) {
    const reasons = why.map((it) => markedBelow(code, it));
    super(reasons.join("\n"));
    this.reasons = reasons;
  }
}
