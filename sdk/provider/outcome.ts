/** How an operation can end other than well. */
import { type Fault, format } from "../faults";
import type { Values } from "./wire";

/** Nothing was done, for a reason that the user can mend. */
export class Refused extends Error {
  override readonly name = "Refused";

  static because = (where: string, faults: readonly Fault[]): Refused => new Refused(`${where}: ${format(faults)}`);
}

/** Some of it was done: what there is now stays in state, so that the next run goes on from there. */
export class HalfApplied extends Error {
  override readonly name = "HalfApplied";

  constructor(
    readonly id: string,
    readonly outputs: Values,
    readonly reasons: string[],
    /** Where it was the user who ended it. */
    readonly cancelled = false,
  ) {
    super(reasons.join("\n"));
  }
}
