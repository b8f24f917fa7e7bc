/** What two hosts have to tell each other by way of the tool, so that they can exchange keys. */
import type { RunOptions, Session } from "./session";
import { agentError } from "./snapshot";

/** A host's own Rosenpass public key; empty where it has none. Throws HostError. */
export async function publicKey(session: Session, options?: RunOptions): Promise<Buffer> {
  const { code, stdout, stderr } = await session.run("rosenpass_public", "", options);
  if (code !== 0) throw agentError(session, "read its public key", code, stderr);
  return Buffer.from(stdout, "base64");
}
