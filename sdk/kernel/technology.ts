/** A technology is two files: spec.ts, what a person may say, and plan.ts, the facts that follow from it. */
import type { z } from "zod";
import type { Fault } from "../faults";
import type { Fact } from "./fact";
import type { Snapshot } from "./snapshot";

/** A machine that is called by a resource, so that it has to answer. */
export interface Call {
  device: string;
  publicKey: string;
  /** Name of the machine. */
  to: string;
  /** `198.51.100.9:11001` */
  endpoint: string;
  /** The end of another resource that answers; absent: somebody else's. */
  other?: string;
}

/** One end of what several resources make together, and whom it calls. */
export interface End {
  /** The same for all who speak of it, `lux-fra@lux`. */
  name: string;
  /** Name of the machine. */
  from: string;
  /** Whether the others call it. */
  called: boolean;
  calls: Call[];
}

export interface Technology<In, Spec> {
  /** Pulumi's type token, `overlay:wireguard:Interface`. */
  token: string;
  spec: z.ZodType<Spec, In>;
  /** Pure and complete: all that the host is told for this resource. */
  plan(spec: Spec): Fact[];
  /**
   * What the look before a change must ask besides what the facts need, so that faults can be told. `known`: the text of
   * the kernel as it was last known, empty before anything was made.
   */
  queries?(spec: Spec, known: string): string[];
  /** What only the live host can tell to be wrong. */
  faults?(spec: Spec, snapshot: Snapshot): Fault[];
  /** What a look before a change, and that of a refresh, must ask besides, so that warnings can be told. */
  observes?(spec: Spec): string[];
  /** What such a look shows that keeps it from working, and that only a person can mend. */
  warnings?(spec: Spec, snapshot: Snapshot): string[];
  /** Whose answers tell that it works. */
  end?(spec: Spec): End;
}
