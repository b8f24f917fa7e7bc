/** What keeps a change from cutting off the run that makes it. */
import { UNDO_AFTER } from "../host";
import { type Command, changes, exposure, type Fact, type HostFacts, type Snapshot, undo } from "../kernel";
import type { Operation } from "./lifecycle";

export interface Safeguard {
  /** For `Change`. */
  undo?: Command[];
  /** Why it was taken back, for whoever asks in the end. */
  cutOff: string;
}

/** Said beside the resource, too, where the change may cut off the run's own SSH. */
export function safeguard(
  { machine, status }: Operation,
  seen: Snapshot,
  is: readonly Fact[],
  wanted: readonly Fact[],
  host: HostFacts,
): Safeguard {
  const by = exposure(seen, changes(is, wanted, host).changed);
  if (by === undefined) return { cutOff: "" };
  status(`${by} may carry this run's own SSH: it is taken back after ${UNDO_AFTER} s unless a new login works`);
  return {
    undo: undo(is, wanted, host),
    cutOff: `${machine.name}: the change to ${by} cut off new logins, so the host took it back after ${UNDO_AFTER} s. Reach it by a way that does not depend on this (connection.host, proxyJump), or declare something else.`,
  };
}
