import type { Connection } from "./connection";

export interface RunOptions {
  /** Aborts the operation: it rejects at once with HostError `cancelled`; what the host has begun it finishes by itself. */
  signal?: AbortSignal;
  /** Seconds for the operation itself, without the time to connect. Default 60. */
  timeout?: number;
  /** Seconds to go on trying to connect, for a host that may still be booting. Default 0: one attempt a run. */
  wait?: number;
}

export interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

/** One host: one ssh process, opened by the first operation, with a shell at its far end that serves them one by one. */
export interface Session {
  readonly connection: Connection;
  /** Runs a function of agents/*.sh with `input` as its standard input. Throws HostError. */
  run(agent: string, input?: string, options?: RunOptions): Promise<Result>;
}
