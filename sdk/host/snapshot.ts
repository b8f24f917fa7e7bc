import type { Snapshot } from "../kernel/snapshot";
import type { RunOptions, Session } from "./session";

/**
 * Looks at a host. Queries ask for what a snapshot does not always show, one a line:
 * `sysctl net/ipv4/ip_forward`, `file /etc/overlay/owner`, `unit overlay-late.service`, `key PATH`, `command wg`.
 */
export async function snapshot(_session: Session, _queries: string[], _options?: RunOptions): Promise<Snapshot> {
  throw new Error("not built yet");
}
