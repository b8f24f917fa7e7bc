/** What two hosts have to tell each other by way of the tool, so that they can exchange keys; and whether they have. */
import type { Exchange } from "../kernel/snapshot";
import type { RunOptions, Session } from "./session";
import { agentError, exchange } from "./snapshot";

/** A host's own Rosenpass public key; empty where it has none. Throws HostError. */
export async function publicKey(session: Session, options?: RunOptions): Promise<Buffer> {
  const { code, stdout, stderr } = await session.run("rosenpass_public", "", options);
  if (code !== 0) throw agentError(session, "read its public key", code, stderr);
  return Buffer.from(stdout, "base64");
}

/** Waits until keys were exchanged after the daemon's start, `seconds` at most. Throws HostError. */
export async function exchanged(
  session: Session,
  name: string,
  seconds: number,
  options?: RunOptions,
): Promise<Exchange> {
  const { code, stdout, stderr } = await session.run("rosenpass_exchanged", `${name} ${seconds}\n`, options);
  if (code !== 0) throw agentError(session, "look at it", code, stderr);
  return exchange(stdout.split("\n").filter((line) => line !== ""));
}
