/** Whether those answer whom a device calls. */
import type { RunOptions, Session } from "./session";
import { agentError } from "./snapshot";

/** A peer of a device, and whether it is called again where calls have crossed. */
export interface Called {
  publicKey: string;
  again: boolean;
}

/**
 * Those of a WireGuard device's peers that have had no handshake yet, and how many bytes have come from them. It takes up
 * to 0.3 s to say that of any. Those from whom something came, and who are to be called again, are. Throws HostError.
 */
export async function unanswered(
  session: Session,
  device: string,
  peers: readonly Called[],
  options?: RunOptions,
): Promise<Map<string, number>> {
  const lines = peers.map(({ publicKey, again }) => (again ? `${publicKey} again` : publicKey));
  const { code, stdout, stderr } = await session.run("unanswered", [device, ...lines].join("\n"), options);
  if (code !== 0) throw agentError(session, "look at it", code, stderr);
  const left = stdout.split("\n").filter(Boolean);
  return new Map(left.map((line) => line.split(" ")).map(([key = "", bytes]) => [key, Number(bytes)]));
}

/** Calls a peer again whose session has carried nothing: one that is in use is left alone. Throws HostError. */
export async function callAgain(
  session: Session,
  device: string,
  publicKey: string,
  options?: RunOptions,
): Promise<void> {
  const { code, stderr } = await session.run("call_again", `${device}\n${publicKey}`, options);
  if (code !== 0) throw agentError(session, "have it call again", code, stderr);
}
