/** A technology is two files: spec.ts, what a person may say, and plan.ts, the facts that follow from it. */
import type { z } from "zod";
import type { Fault } from "../faults";
import type { Fact } from "./fact";
import type { Snapshot } from "./snapshot";

export interface Technology<In, Spec> {
  /** Pulumi's type token, `overlay:wireguard:Interface`. */
  token: string;
  spec: z.ZodType<Spec, In>;
  /** Pure and complete: all that the host is told for this resource. */
  plan(spec: Spec): Fact[];
  /** What only the live host can tell to be wrong. */
  faults?(spec: Spec, snapshot: Snapshot): Fault[];
}
