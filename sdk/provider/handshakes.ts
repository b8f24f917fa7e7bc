/**
 * Whether those who are called answer. A firewall of a cloud cannot be asked or opened from here: that no handshake comes
 * is all that there is to see of it. It is said as a warning, for the other machine may as well be down.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { RunOptions } from "../host";
import { type Call, called, type End, type Snapshot } from "../kernel";
import type { Machine } from "./machine";

/** Milliseconds between looks; together as long as WireGuard takes to call again (REKEY_TIMEOUT, 5 s, and some). */
const PAUSES = [1000, 1500, 3000];

/** Those whom a look shows to have had no handshake, and the bytes that have come from them. */
const unanswered = (end: End, seen: Snapshot): Map<Call, number> =>
  new Map(
    called(end, seen).flatMap(([call, { latestHandshake, rxBytes }]) =>
      latestHandshake === 0 ? [[call, rxBytes]] : [],
    ),
  );

/** What is known of the ends that one run makes, so that nobody waits for one that is still to come. */
export class Handshakes {
  readonly #ready = new Set<string>();
  /** Ends that need no change: their names are made out when somebody asks. */
  #unchanged: (() => string)[] = [];
  /** Machines that somebody has waited for in vain. */
  readonly #silent = new Set<string>();

  unchanged(name: () => string): void {
    this.#unchanged.push(name);
  }

  /** The ends that are there. */
  ready(): Set<string> {
    for (const name of this.#unchanged) this.#ready.add(name());
    this.#unchanged = [];
    return new Set(this.#ready);
  }

  /**
   * Waits for answers after a change, some seconds where there is none; those who have not answered then. Of two that came
   * up in the same moment the later one calls again, where their calls have crossed.
   * `before`: the ends that were there when the change began.
   */
  async made(
    end: End,
    before: ReadonlySet<string>,
    seen: Snapshot,
    machine: Machine,
    options: RunOptions,
  ): Promise<Call[]> {
    this.#ready.add(end.name);
    const ready = this.ready();
    const due = ({ other }: Call) => other === undefined || before.has(other);
    // What came up meanwhile may not have heard us, but has called itself.
    const calledBack = ({ other }: Call) => end.called && other !== undefined && ready.has(other);
    const lost = (call: Call, bytes: number) => due(call) || (calledBack(call) && bytes === 0);
    let waiting = [...unanswered(end, seen).keys()].filter((call) => due(call) || calledBack(call));
    for (const pause of [0, ...PAUSES]) {
      if (waiting.length === 0) return [];
      if (pause > 0 && waiting.every(({ to }) => this.#silent.has(to))) break;
      await sleep(pause, undefined, { ...(options.signal && { signal: options.signal }) });
      const [{ device } = { device: "" }] = waiting;
      const heard = await machine.unanswered(
        device,
        waiting.map((call) => ({ publicKey: call.publicKey, again: !due(call) })),
        options,
      );
      waiting = waiting.filter((call) => {
        const bytes = heard.get(call.publicKey);
        return bytes !== undefined && lost(call, bytes);
      });
    }
    for (const { to } of waiting) this.#silent.add(to);
    return waiting;
  }
}
