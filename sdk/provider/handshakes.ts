/**
 * Whether those who are called answer. A firewall of a cloud cannot be asked or opened from here: that no handshake comes
 * is all that there is to see of it. It is said as a warning, for the other machine may as well be down.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { RunOptions } from "../host";
import type { Call, End, Snapshot } from "../kernel";
import { parseEndpoint } from "../network/address";
import type { Machine } from "./machine";

/** Milliseconds between looks; together as long as WireGuard takes to call again (REKEY_TIMEOUT, 5 s, and some). */
const PAUSES = [1000, 1500, 3000];

/** Those whom a look shows to have had no handshake, and the bytes that have come from them. */
function unanswered({ calls }: End, { wg }: Snapshot): Map<Call, number> {
  const peers = new Map(wg.flatMap(({ device, peers }) => peers.map((peer) => [`${device} ${peer.publicKey}`, peer])));
  return new Map(
    calls.flatMap((call) => {
      const peer = peers.get(`${call.device} ${call.publicKey}`);
      return peer?.latestHandshake === 0 ? [[call, peer.rxBytes]] : [];
    }),
  );
}

/**
 * Those whom a look shows to be called in vain. Where something came and led to nothing, two calls have crossed: they
 * are made again, which takes 5 s, and nothing is wrong.
 */
export const silent = (end: End, seen: Snapshot): Call[] =>
  [...unanswered(end, seen)].flatMap(([call, bytes]) => (bytes === 0 ? [call] : []));

/** What is known of the ends that one run makes, so that nobody waits for one that is still to come. */
export class Handshakes {
  readonly #ready = new Set<string>();
  /** Ends that need no change, as text of their specs: it is read when somebody asks. */
  #unchanged: string[] = [];
  /** Machines that somebody has waited for in vain. */
  readonly #silent = new Set<string>();

  unchanged(spec: unknown): void {
    this.#unchanged.push(String(spec));
  }

  /** The ends that are there. */
  ready(): Set<string> {
    for (const spec of this.#unchanged) {
      const { link, node } = JSON.parse(spec) as { link?: string; node?: string };
      this.#ready.add(`${link}@${node}`);
    }
    this.#unchanged = [];
    return new Set(this.#ready);
  }

  /**
   * Waits for answers after a change, some seconds where there is none; a sentence where there is none then.
   * `before`: the ends that were there when the change began.
   */
  async made(
    end: End,
    before: ReadonlySet<string>,
    seen: Snapshot,
    machine: Machine,
    options: RunOptions,
  ): Promise<string | undefined> {
    this.#ready.add(end.name);
    const ready = this.ready();
    const due = ({ other }: Call) => other === undefined || before.has(other);
    // What came up meanwhile may not have heard us, but has called itself.
    const calledBack = ({ other }: Call) => end.called && other !== undefined && ready.has(other);
    const lost = (call: Call, bytes: number) => due(call) || (calledBack(call) && bytes === 0);
    let waiting = [...unanswered(end, seen)].flatMap(([call, bytes]) => (lost(call, bytes) ? [call] : []));
    for (const pause of [0, ...PAUSES]) {
      if (waiting.length === 0) return undefined;
      if (pause > 0 && waiting.every(({ to }) => this.#silent.has(to))) break;
      await sleep(pause, undefined, { ...(options.signal && { signal: options.signal }) });
      const [{ device } = { device: "" }] = waiting;
      const heard = await machine.unanswered(
        device,
        waiting.map(({ publicKey }) => publicKey),
        options,
      );
      waiting = waiting.filter((call) => {
        const bytes = heard.get(call.publicKey);
        return bytes !== undefined && lost(call, bytes);
      });
    }
    for (const { to } of waiting) this.#silent.add(to);
    return waiting.length === 0 ? undefined : silence(end, waiting, seen);
  }
}

const at = (call: Call): { address: string; port: number } => parseEndpoint(call.endpoint) ?? { address: "", port: 0 };

/** Beyond these the rest is counted. */
const NAMED = 5;

/** What to look at, for people. */
export function silence({ from }: End, calls: readonly Call[], { ways }: Snapshot): string {
  const lost = calls.filter((call) => at(call).address in ways && ways[at(call).address] === undefined);
  const routes = lost.map((call) => `${from} has no route to ${at(call).address}. `).join("");
  const [first] = calls;
  if (calls.length === 1 && first) {
    const { address, port } = at(first);
    return (
      `UDP ${port} from ${from} to ${first.to} does not arrive at ${address}, or no answer comes back: no handshake yet. ${routes}` +
      `Let UDP ${port} in where ${first.to} is: in the security group of its cloud, on its router, in a firewall of its own ` +
      `(\`firewall\` of the node); and see that it runs and has that address.`
    );
  }
  const all = calls.slice(0, NAMED).map((call) => `${call.to} (${call.endpoint})`);
  const more = calls.length > NAMED ? ` and ${calls.length - NAMED} more` : "";
  return (
    `UDP from ${from} does not arrive at ${all.join(", ")}${more}, or no answers come back: no handshakes yet. ${routes}` +
    `Let these ports in there: in the security groups of their clouds, on their routers, in firewalls of their own ` +
    `(\`firewall\` of a node). Where nobody answers at all, see to ${from}'s own way out.`
  );
}
