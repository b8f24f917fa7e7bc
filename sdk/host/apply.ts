import type { Command } from "../kernel/fact";
import type { Snapshot } from "../kernel/snapshot";
import type { RunOptions, Session } from "./session";

export interface Change {
  commands: Command[];
  /** What the snapshot afterwards must look at, see `snapshot`. */
  queries: string[];
  /** The stack (`project/stack`) and its former names: when the host says another owner, HostError `owned`. */
  owners?: string[];
  /** A file under /etc/overlay/boot.d, written (or removed: null) after all commands, atomically. */
  boot?: { file: string; content: string | null };
}

export interface Failure {
  command: Command;
  /** Exit code of the tool; 124 = it took too long. */
  code: number;
  stderr: string;
  /** One sentence with the cure. */
  message: string;
}

/** Carries out a change under the host's lock, stops at the first command that fails, then looks at the host: one round trip. */
export async function apply(
  _session: Session,
  _change: Change,
  _options?: RunOptions,
): Promise<{ failed?: Failure; snapshot: Snapshot }> {
  throw new Error("not built yet");
}
