/** Echo requests at 500 a second and more between hosts of a lab, by the links that are not changed, each accounted for. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { Lab } from "../lab";
import { others } from "./changes";

/** Milliseconds between two requests. ping comes late now and then: at 2 it would send fewer than 500 a second. */
const INTERVAL = 1;
/** Milliseconds after which a link without an answer has lost what was sent, and is not just on its way. */
const SILENCE = 1000;

/**
 * Which of the requests were answered, from what ping prints. One that was sent just before the end may be on its way
 * still: what counts is up to the last one that was answered.
 */
export class Answers {
  /** Of the last answered one; the first is 1. ping's own numbers begin again after 65,535. */
  last = 0;
  /** When that was, milliseconds since 1970. */
  lastTime = Date.now();
  /** Before the last one, not answered: the number, and when a later one was. */
  readonly missing = new Map<number, number>();

  /** A line that ping -D printed. */
  line(text: string): void {
    const [, seconds, wrapped] = /^\[([\d.]+)\] .* icmp_seq=(\d+) ttl=/.exec(text) ?? [];
    if (wrapped === undefined) return;
    const time = Number(seconds) * 1000;
    // Within half a turn of the last one, before or behind it.
    const number = this.last + (((Number(wrapped) - this.last + 0x8000) & 0xffff) - 0x8000);
    for (let skipped = this.last + 1; skipped < number; skipped++) this.missing.set(skipped, time);
    this.missing.delete(number);
    this.last = Math.max(this.last, number);
    this.lastTime = time;
  }
}

class Ping {
  readonly answers = new Answers();
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;

  constructor(lab: Lab, from: string, address: string) {
    // The end of its standard input ends it: a process in a host's own namespace is out of reach of a signal from here.
    const script = `ping -D -n -i ${INTERVAL / 1000} ${address} & read -r _ || kill -INT $!; wait $!`;
    const [command = "", ...args] = [...lab.enter(from), "sh", "-c", script];
    this.#child = spawn(command, args, { stdio: ["pipe", "pipe", "ignore"] });
    this.#ended = new Promise((resolve) => this.#child.once("close", () => resolve()));
    if (!this.#child.stdout) throw new Error("ping has no output");
    createInterface(this.#child.stdout).on("line", (line) => this.answers.line(line));
  }

  async stop(): Promise<void> {
    this.#child.stdin?.end();
    await this.#ended;
  }
}

export interface Pinged {
  sent: number;
  lost: number;
  /** Requests a second, on one link. */
  rate: number;
  /** When something was answered again after a gap, milliseconds since 1970. */
  gaps: number[];
}

/** Pings by all links that are not changed, until it is stopped. */
export class Traffic {
  readonly #began = Date.now();

  private constructor(private readonly pings: Ping[]) {}

  /** Waits until the ways are there. */
  static async start(lab: Lab, ways = others): Promise<Traffic> {
    await Promise.all(ways.map(({ from, address }) => reach(lab, from, address)));
    return new Traffic(ways.map(({ from, address }) => new Ping(lab, from, address)));
  }

  async stop(): Promise<Pinged> {
    await Promise.all(this.pings.map((ping) => ping.stop()));
    const now = Date.now();
    const answers = this.pings.map((ping) => ping.answers);
    const silent = answers.map(({ lastTime }) => now - lastTime).filter((silence) => silence > SILENCE);
    const sum = (values: number[]) => values.reduce((total, one) => total + one, 0);
    const sent = sum(answers.map(({ last }) => last));
    return {
      sent,
      lost: sum(answers.map(({ missing }) => missing.size)) + sum(silent.map((one) => Math.round(one / INTERVAL))),
      rate: sent / answers.length / ((now - this.#began) / 1000),
      gaps: [...answers.flatMap(({ missing }) => [...missing.values()]), ...silent.map((silence) => now - silence)],
    };
  }
}

/** One answered echo, however long the handshake before it takes. */
async function reach(lab: Lab, from: string, address: string): Promise<void> {
  const { code, stdout } = await lab.exec(from, ["ping", "-n", "-c", "1", "-w", "20", address]);
  if (code !== 0) throw new Error(`${from} does not reach ${address}:\n${stdout}`);
}

/** Pings from half a second before some work until a second after it. */
export async function pingedMeanwhile(lab: Lab, work: () => Promise<unknown>, ways = others): Promise<Pinged> {
  const traffic = await Traffic.start(lab, ways);
  await sleep(500);
  try {
    await work();
    await sleep(SILENCE);
  } finally {
    await traffic.stop();
  }
  return traffic.stop();
}
