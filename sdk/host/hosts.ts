import { randomBytes } from "node:crypto";
import type { Connection } from "./connection";
import { Keyring } from "./keyring";
import { Probes } from "./probe";
import { Rounds } from "./rounds";
import { type RunOptions, type Session, SshSession } from "./session";
import type { SshEnvironment } from "./ssh";

export interface HostsOptions {
  /** The command to use as `ssh`. Default `["ssh"]`. */
  ssh?: string[];
  /**
   * Private keys (OpenSSH or PEM text, without passphrase), used from a private agent only, which takes the place of the
   * user's own.
   */
  identities?: string[];
  /** Told about retries. Never given a secret. */
  log?: (message: string) => void;
}

/** All hosts of one run: at most one SSH connection to each. */
export class Hosts {
  /** By which a host knows the changes of one run, see `Session`. */
  readonly #run = randomBytes(8).toString("hex");
  readonly #sessions = new Map<string, SshSession>();
  readonly #rounds = new Map<Session, Rounds>();
  readonly #probes = new Map<Session, Probes>();
  #keyring: Promise<Keyring> | undefined;

  constructor(private readonly options: HostsOptions = {}) {}

  session(connection: Connection): SshSession {
    const { host, port, user, hostKey, proxyJump } = connection;
    const key = JSON.stringify([host, port, user, hostKey, proxyJump]);
    const known = this.#sessions.get(key);
    if (known) return known;
    const session = this.#open(connection);
    this.#sessions.set(key, session);
    return session;
  }

  /** The session's, for what may go together with others. */
  rounds(connection: Connection): Rounds {
    const session = this.session(connection);
    const known = this.#rounds.get(session) ?? new Rounds(session);
    this.#rounds.set(session, known);
    return known;
  }

  /** What was seen of them so far is not what others may have made of them. */
  forget(): void {
    for (const rounds of this.#rounds.values()) rounds.forget();
  }

  probes(connection: Connection): Probes {
    const session = this.session(connection);
    const known = this.#probes.get(session) ?? new Probes(session);
    this.#probes.set(session, known);
    return known;
  }

  /** A login of its own, for a moment: whether new ones work. Throws HostError. */
  async login(connection: Connection, options: RunOptions = {}): Promise<void> {
    const session = this.#open(connection);
    try {
      await session.run("hello", "", options);
    } finally {
      await session.close();
    }
  }

  #open(connection: Connection): SshSession {
    const { log = () => undefined } = this.options;
    return new SshSession(connection, this.#run, () => this.#environment(), log);
  }

  /** Waits for running operations, then closes all connections and the private agent. */
  async close(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map((session) => session.close()));
    this.#sessions.clear();
    this.#rounds.clear();
    this.#probes.clear();
    (await this.#keyring?.catch(() => undefined))?.close();
    this.#keyring = undefined;
  }

  /** Ends all connections now, without a word to the hosts: what one was asked for, it finishes by itself. */
  kill(): void {
    for (const session of this.#sessions.values()) session.kill();
    this.#sessions.clear();
    this.#rounds.clear();
    this.#probes.clear();
    void this.#keyring?.then((keyring) => keyring.close()).catch(() => undefined);
    this.#keyring = undefined;
  }

  async #environment(): Promise<SshEnvironment> {
    const { ssh = ["ssh"], identities = [] } = this.options;
    if (identities.length === 0) return { ssh };
    this.#keyring ??= Keyring.open(identities);
    return { ssh, agentSocket: (await this.#keyring).socket };
  }
}
