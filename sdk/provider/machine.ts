/** What the lifecycle needs of a host: one look, and one change with a look afterwards. */
import {
  type Applied,
  type Called,
  type Change,
  type Connection,
  callAgain,
  describeConnection,
  HostError,
  type Hosts,
  type LookOptions,
  PATIENCE,
  type Probe,
  type Probed,
  publicKey,
  type RunOptions,
  unanswered,
} from "../host";
import type { Snapshot } from "../kernel";

export interface Machine {
  /** As its connection names it, for messages. */
  name: string;
  look(queries: string[], options?: LookOptions): Promise<Snapshot>;
  change(change: Change, options?: RunOptions): Promise<Applied>;
  /** Those of a device's peers that have had no handshake yet, and how many bytes have come from them. */
  unanswered(device: string, peers: readonly Called[], options?: RunOptions): Promise<Map<string, number>>;
  /** Calls a device's peers again, which are new. */
  callAgain(device: string, publicKey: string, options?: RunOptions): Promise<void>;
  /** Which packets come back to it, and which of them in fragments. */
  probe(probes: readonly Probe[], options?: RunOptions): Promise<Probed>;
  /** Its Rosenpass public key; empty where it has none. */
  publicKey(options?: RunOptions): Promise<Buffer>;
  /** Resolves when a new login works, beside the connection that there is; it is tried as long as a change can be taken back. */
  login(options?: RunOptions): Promise<void>;
}

export function overSsh(hosts: Hosts, connection: Connection): Machine {
  const [session, rounds, probes] = [hosts.session(connection), hosts.rounds(connection), hosts.probes(connection)];
  return {
    name: describeConnection(connection),
    look: (queries, options) => rounds.look(queries, options),
    change: (change, options) => rounds.change(change, options),
    unanswered: (device, peers, options) => unanswered(session, device, peers, options),
    callAgain: (device, publicKey, options) => callAgain(session, device, publicKey, options),
    probe: (all, options) => probes.probe(all, options),
    publicKey: (options) => publicKey(session, options),
    login: (options) => hosts.login(connection, { ...options, wait: PATIENCE }),
  };
}

/** Tells the user's own time limit, which aborts, from a cancelled run. */
export function withinLimits(machine: Machine, limit: AbortSignal, seconds: number): Machine {
  const tell = (error: unknown): never => {
    if (!limit.aborted || !(error instanceof HostError) || error.kind !== "cancelled") throw error;
    throw new HostError(
      "timeout",
      `${machine.name} was not done within the ${seconds} s of customTimeouts: look at its load, or allow more.`,
    );
  };
  return {
    name: machine.name,
    look: (...args) => machine.look(...args).catch(tell),
    change: (...args) => machine.change(...args).catch(tell),
    unanswered: (...args) => machine.unanswered(...args).catch(tell),
    callAgain: (...args) => machine.callAgain(...args).catch(tell),
    probe: (...args) => machine.probe(...args).catch(tell),
    publicKey: (...args) => machine.publicKey(...args).catch(tell),
    login: (...args) => machine.login(...args).catch(tell),
  };
}

/** Says what it is waiting for when a look takes longer than people wonder. */
export function telling(machine: Machine, status: (message: string) => void): Machine {
  const look: Machine["look"] = async (...args) => {
    const late = setTimeout(() => status(`waiting for ${machine.name}`), 500);
    try {
      return await machine.look(...args);
    } finally {
      clearTimeout(late);
    }
  };
  return { ...machine, look };
}
