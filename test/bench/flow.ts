/** A TCP flow with 64 KB on its way at most, by the link between lux and fra, and what of it is lost. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Lab } from "../lab";
import { overlayAddresses } from "./network";

const [LUX] = overlayAddresses(1);
const [FRA] = overlayAddresses(2);
/** So much that it is never idle for long, and does not fill queues by itself. */
const RATE = "8M";

/** Milliseconds after which all that was sent has come, or never will. */
const SETTLED = 500;

export class Flow {
  private constructor(
    private readonly lab: Lab,
    private readonly server: ChildProcess,
    private readonly client: ChildProcess,
  ) {}

  static async start(lab: Lab): Promise<Flow> {
    // A line of its standard input has it hold still, and its end ends it: a process in a host's own namespace is out of
    // reach of a signal from here.
    const begin = (host: string, command: string): ChildProcess => {
      const script = `${command} & if read -r _; then kill -STOP $!; read -r _ || kill -CONT $!; fi; kill -INT $!; wait $!`;
      const [program = "", ...args] = [...lab.enter(host), "sh", "-c", script];
      return spawn(program, args, { stdio: ["pipe", "pipe", "ignore"] });
    };
    const server = begin("fra", "iperf3 --server --one-off --forceflush");
    if (!server.stdout) throw new Error("iperf3 has no output");
    await once(server.stdout, "data"); // it listens
    const client = begin("lux", `iperf3 --client ${FRA} --window 64K --length 64K --bitrate ${RATE} --time 3600`);
    client.stdout?.resume();
    return new Flow(lab, server, client);
  }

  /** Segments that were lost: that lux has sent, be it once more, and fra has not got. */
  async stop(): Promise<{ lost: number; again: number; bytes: number }> {
    const before = await this.#look("lux", FRA);
    await sleep(SETTLED);
    this.client.stdin?.write("\n");
    await sleep(SETTLED);
    const [sent, got] = await Promise.all([this.#look("lux", FRA), this.#look("fra", LUX)]);
    const ended = once(this.client, "close");
    this.client.stdin?.end();
    await ended;
    this.server.stdin?.end();
    if (sent.bytes <= before.bytes) throw new Error("the TCP flow does not flow");
    return { ...sent, lost: sent.out - got.in };
  }

  /** What ss(8) says of the flow: of iperf3's two connections the one that carries more. */
  async #look(host: string, to: string): Promise<{ bytes: number; again: number; out: number; in: number }> {
    const { stdout } = await this.lab.exec(host, `ss -tinH dst ${to}`);
    const number = (text: string, pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? 0);
    const connections = stdout.split(/\n(?=\S)/).map((text) => ({
      bytes: number(text, /bytes_(?:sent|received):(\d+)/),
      again: number(text, /retrans:\d+\/(\d+)/),
      out: number(text, /data_segs_out:(\d+)/),
      in: number(text, /data_segs_in:(\d+)/),
    }));
    const [flow] = connections.sort((a, b) => b.out + b.in - a.out - a.in);
    if (!flow) throw new Error(`${host} has no TCP connection with ${to}`);
    return flow;
  }
}
