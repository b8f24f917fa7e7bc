import type { Connection } from "./connection";
import type { Session } from "./session";

export interface HostsOptions {
  /** The command to use as `ssh`. Default `["ssh"]`. */
  ssh?: string[];
  /** Private keys (OpenSSH or PEM text, without passphrase), used from a private agent only. */
  identities?: string[];
  /** Seconds after which an unused connection is closed. Default 60. */
  idle?: number;
  /** Told about retries. Never given a secret. */
  log?: (message: string) => void;
}

/** All hosts of one run: at most one SSH connection to each. */
export class Hosts {
  constructor(readonly options: HostsOptions = {}) {}

  session(_connection: Connection): Session {
    throw new Error("not built yet");
  }

  async close(): Promise<void> {}
}
