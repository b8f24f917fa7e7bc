import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { type Connection, describeConnection } from "./connection";
import { HostError } from "./errors";
import { isLook, type Result, Shell } from "./shell";
import type { SshEnvironment } from "./ssh";

export interface RunOptions {
  /** Aborts the operation: it rejects at once with HostError `cancelled`; what the host has begun it finishes by itself. */
  signal?: AbortSignal;
  /** Seconds for the operation itself, without the time to connect. Default 60. */
  timeout?: number;
  /** Seconds in which to begin attempts to connect, for a host that may still be booting. Default 0: one attempt a run. */
  wait?: number;
  /** Told why, each time that it is to be tried again. */
  status?(message: string): void;
}

/** One host: one ssh process, opened by the first operation, with a shell at its far end that serves them one by one. */
export interface Session {
  readonly connection: Connection;
  /** The same for all sessions of a run, and for no other run's. */
  readonly runId: string;
  /** Runs a function of agents/*.sh with `input` as its standard input. Throws HostError. */
  run(agent: string, input?: string, options?: RunOptions): Promise<Result>;
  /** The same, of what is put together only when the host's turn has come. */
  runLate(operation: () => Operation & RunOptions): Promise<Result>;
  /**
   * Runs an agent, and then, unless it ended with another code than 0, a second one over a new login, which takes the
   * place of the old one; no other operation comes in between. `second` is given the first's result, or nothing where the
   * connection broke meanwhile. `patience`: seconds to go on trying to log in.
   */
  runAnew(
    first: () => Operation & RunOptions,
    second: (result?: Result) => Promise<Operation>,
    patience: number,
  ): Promise<{ first?: Result; second: Result } | { first: Result; second?: undefined }>;
}

export interface Operation {
  agent: string;
  input: string;
}

/** Milliseconds before each new attempt after MaxStartups turned us away; half of it is random. */
const crowdedPauses = [200, 400, 800, 1600, 3200];

/** Seconds that a machine may take from when it answers until it lets us in: its users and keys are made while it boots. */
const SETTLING = 30;

export class SshSession implements Session {
  #shell: Shell | undefined;
  #begun: Promise<Shell> | undefined;
  #last: Promise<unknown> = Promise.resolve();
  /** A host that did not let us in is not asked again in this run: the resources on it would each wait for it. */
  #refused: HostError | undefined;

  constructor(
    readonly connection: Connection,
    readonly runId: string,
    private readonly environment: () => Promise<SshEnvironment>,
    private readonly log: (message: string) => void,
  ) {}

  /** Has the login begin, where there is none yet, for who is about to run something. That tells what comes of it. */
  begin(): void {
    if (this.#shell?.alive || this.#refused || this.#begun) return;
    this.#begun = this.environment().then((environment) => new Shell(this.connection, environment));
    this.#begun.catch(() => undefined);
  }

  async run(agent: string, input = "", options: RunOptions = {}): Promise<Result> {
    return this.#turn(() => this.#now({ agent, input }, options), options);
  }

  runLate(operation: () => Operation & RunOptions): Promise<Result> {
    return this.#turn(() => {
      const { agent, input, ...options } = operation();
      return this.#now({ agent, input }, options);
    }, {});
  }

  runAnew(
    first: () => Operation & RunOptions,
    second: (result?: Result) => Promise<Operation>,
    patience: number,
  ): Promise<{ first?: Result; second: Result } | { first: Result; second?: undefined }> {
    return this.#turn(async () => {
      const { agent, input, ...options } = first();
      const result = await this.#now({ agent, input }, options).catch((error: HostError) => {
        if (error.kind !== "lost") throw error;
        return undefined;
      });
      if (result && result.code !== 0) return { first: result };
      this.#shell?.kill(cancelled());
      this.#shell = undefined;
      const last = await this.#now(await second(result), { ...options, wait: patience });
      return { ...(result && { first: result }), second: last };
    }, {});
  }

  #turn<T>(work: () => Promise<T>, { signal }: RunOptions): Promise<T> {
    const turn = this.#last.then(work);
    // Who hears of it does what follows from it before the next one begins.
    this.#last = turn.catch(() => undefined).then(() => setImmediate());
    return abortable(turn, signal);
  }

  /** Lets running operations end, then the connection: ssh goes by itself when the far shell has, and nobody waits for it. */
  async close(): Promise<void> {
    await this.#last;
    this.#shell?.end();
    (await this.#begun?.catch(() => undefined))?.end();
  }

  /** Ends the connection now. One that is still being made ends with the signal of its operation. */
  kill(): void {
    this.#shell?.kill(cancelled());
    this.#shell = undefined;
    this.#begun?.then((shell) => shell.kill(cancelled())).catch(() => undefined);
  }

  async #now({ agent, input }: Operation, options: RunOptions): Promise<Result> {
    const { signal, timeout = 60 } = options;
    if (signal?.aborted) throw cancelled();
    const { shell, result } = await this.#connected(options, isLook(agent) ? { agent, input } : undefined);
    const who = describeConnection(this.connection);
    const late = new HostError(
      "timeout",
      `${who} took more than ${timeout} s for one operation and may be finishing it still: look at its load, then run again.`,
    );
    const limit = setTimeout(() => shell.kill(late), timeout * 1000);
    const abort = () => shell.kill(cancelled());
    signal?.addEventListener("abort", abort, { once: true });
    try {
      return await (result ?? shell.run(agent, input));
    } finally {
      clearTimeout(limit);
      signal?.removeEventListener("abort", abort);
    }
  }

  /** `look`: goes with the login, if there is to be one, and has its result then: it spares a round trip. */
  async #connected(
    { wait = 0, signal, status }: RunOptions,
    look: Operation | undefined,
  ): Promise<{ shell: Shell; result?: Promise<Result> }> {
    if (this.#shell?.alive) return { shell: this.#shell };
    if (this.#refused && wait === 0) throw this.#refused;
    let begun = this.#begun;
    this.#begun = undefined;
    const environment = await this.environment();
    const deadline = Date.now() + wait * 1000;
    let settled: number | undefined;
    for (let attempt = 0; ; attempt++) {
      const shell = (await begun) ?? new Shell(this.connection, environment);
      begun = undefined;
      const result = look && shell.run(look.agent, look.input);
      result?.catch(() => undefined); // `ready` tells
      const abort = () => shell.kill(cancelled());
      signal?.addEventListener("abort", abort, { once: true });
      try {
        await shell.ready;
        this.#refused = undefined;
        this.#shell = shell;
        return { shell, ...(result && { result }) };
      } catch (error) {
        if (!(error instanceof HostError) || signal?.aborted) throw error;
        // A host that is down again, as after a reboot, settles anew.
        settled = error.offline ? undefined : (settled ?? Date.now() + SETTLING * 1000);
        const crowded = crowdedPauses[attempt];
        const again = shell.crowded && crowded !== undefined;
        const pause = again ? crowded / 2 + Math.random() * crowded : error.offline ? 1000 : 5000;
        if (!again && !(mayPass(error) && Date.now() + pause < Math.min(deadline, settled ?? deadline))) {
          this.#refused = error;
          throw error;
        }
        status?.(`trying again: ${error.message}`);
        this.log(`${describeConnection(this.connection)}: trying to connect again (${error.kind})`);
        await sleep(pause, undefined, { ...(signal && { signal }) }).catch(() => {
          throw cancelled();
        });
      } finally {
        signal?.removeEventListener("abort", abort);
      }
    }
  }
}

/** A machine that boots for the first time takes its keys and lets users in only after sshd has started. */
const mayPass = (error: HostError): boolean => error.offline || ["auth", "noShell", "timeout"].includes(error.kind);

const cancelled = () => new HostError("cancelled", "cancelled.");

/** Rejects as soon as the signal is aborted, also while the promise waits for others. */
export function abortable<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(cancelled());
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** As patient as the most patient of them; ended when all are. */
export function together(all: RunOptions[], { timeout = 60 }: RunOptions): RunOptions {
  const ended = new AbortController();
  const look = () => {
    if (all.every(({ signal }) => signal?.aborted)) ended.abort();
  };
  for (const { signal } of all) signal?.addEventListener("abort", look, { once: true });
  look();
  return {
    signal: ended.signal,
    timeout: Math.max(...all.map((one) => one.timeout ?? timeout)),
    wait: Math.max(...all.map(({ wait = 0 }) => wait)),
    status: (message) => {
      for (const { status } of all) status?.(message);
    },
  };
}
