/** A TCP flow with 64 KB on its way at most, by the link between lux and fra, and what of it is lost. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Lab } from "../lab";
import { overlayAddresses } from "./network";

const [FRA] = overlayAddresses(2);
/** So much that it is never idle for long, and does not fill queues by itself. */
const RATE = "8M";

/** Milliseconds after which the other end has told of what came twice. */
const SETTLED = 500;

export class Flow {
  private constructor(
    private readonly lab: Lab,
    private readonly server: ChildProcess,
    private readonly client: ChildProcess,
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
    const client = begin("lux", `iperf3 --client ${FRA} --window 64K --length 64K --bitrate ${RATE} --time 3600`);
    client.stdout?.resume();
    return new Flow(lab, server, client);
  }

  /**
   * Segments that were lost: those that were sent again and did not come twice (RFC 2883). A machine that is busy answers
   * late now and then, and what is sent again then was not lost.
   */
  async stop(): Promise<{ lost: number; again: number; bytes: number }> {
    await sleep(SETTLED);
    const first = await this.#look();
    await sleep(SETTLED);
    const last = await this.#look();
    const ended = once(this.client, "close");
    this.client.stdin?.end();
    await ended;
    this.server.stdin?.end();
    if (last.bytes <= first.bytes) throw new Error("the TCP flow does not flow");
    return { ...last, lost: Math.max(0, first.again - last.twice) };
  }

  /** What ss(8) says of the flow: of iperf3's two connections the one that carries more. */
  async #look(): Promise<{ bytes: number; again: number; twice: number }> {
    const { stdout } = await this.lab.exec("lux", `ss -tinH dst ${FRA}`);
    const number = (text: string, pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? 0);
    const connections = stdout.split(/\n(?=\S)/).map((text) => ({
      bytes: number(text, /bytes_sent:(\d+)/),
      again: number(text, /retrans:\d+\/(\d+)/),
      twice: number(text, /dsack_dups:(\d+)/),
    }));
    return connections.sort((a, b) => b.bytes - a.bytes)[0] ?? { bytes: 0, again: 0, twice: 0 };
  }
}
