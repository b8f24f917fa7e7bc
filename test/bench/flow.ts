/** A TCP flow with 64 KB on its way at most, by the link between lux and fra, and what of it had to be sent again. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Lab } from "../lab";
import { overlayAddresses } from "./network";

const [FRA] = overlayAddresses(2);
/** So much that it is never idle for long, and does not fill queues by itself. */
const RATE = "8M";

export class Flow {
  private constructor(
    private readonly server: ChildProcess,
    private readonly client: ChildProcess,
    private readonly output: string[],
  ) {}

  static async start(lab: Lab): Promise<Flow> {
    // The end of its standard input ends it: a process in a host's own namespace is out of reach of a signal from here.
    const begin = (host: string, command: string): ChildProcess => {
      const script = `${command} & read -r _ || kill -INT $!; wait $!`;
      const [program = "", ...args] = [...lab.enter(host), "sh", "-c", script];
      return spawn(program, args, { stdio: ["pipe", "pipe", "ignore"] });
    };
    const server = begin("fra", "iperf3 --server --one-off --forceflush");
    if (!server.stdout) throw new Error("iperf3 has no output");
    await once(server.stdout, "data"); // it listens
    const client = begin(
      "lux",
      `iperf3 --client ${FRA} --window 64K --length 64K --bitrate ${RATE} --time 3600 --json`,
    );
    const output: string[] = [];
    client.stdout?.on("data", (chunk: Buffer) => output.push(chunk.toString()));
    return new Flow(server, client, output);
  }

  /** Segments that were sent again. */
  async stop(): Promise<{ again: number; bytes: number }> {
    const ended = once(this.client, "close");
    this.client.stdin?.end();
    await ended;
    this.server.stdin?.end();
    const { end } = JSON.parse(this.output.join("")) as { end: { sum_sent?: { retransmits: number; bytes: number } } };
    if (!end.sum_sent?.bytes) throw new Error("the TCP flow did not flow");
    return { again: end.sum_sent.retransmits, bytes: end.sum_sent.bytes };
  }
}
