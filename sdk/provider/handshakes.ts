/**
 * Whether those who are called answer. A firewall of a cloud cannot be asked or opened from here: that no handshake comes
 * is all that there is to see of it. It is said as a warning, for the other machine may as well be down.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { RunOptions } from "../host";
import { type Call, type End, SESSION_SECONDS, type Snapshot } from "../kernel";
import { parseEndpoint } from "../network/address";
import type { Machine } from "./machine";

/** Milliseconds between looks; together as long as WireGuard takes to call again (REKEY_TIMEOUT, 5 s, and some). */
const PAUSES = [1000, 1500, 3000];

type Peer = Snapshot["wg"][number]["peers"][number];

/** What a look shows of those who are called. */
function called({ calls }: End, { wg }: Snapshot): [Call, Peer][] {
  const peers = new Map(wg.flatMap(({ device, peers }) => peers.map((peer) => [`${device} ${peer.publicKey}`, peer])));
  return calls.flatMap((call): [Call, Peer][] => {
    const peer = peers.get(`${call.device} ${call.publicKey}`);
    return peer ? [[call, peer]] : [];
  });
}

/** Those whom a look shows to have had no handshake, and the bytes that have come from them. */
const unanswered = (end: End, seen: Snapshot): Map<Call, number> =>
  new Map(
    called(end, seen).flatMap(([call, { latestHandshake, rxBytes }]) =>
      latestHandshake === 0 ? [[call, rxBytes]] : [],
    ),
  );

/** A call in vain, and the seconds since it was answered for the last time; absent: it never was. */
export type Silent = Call & { since?: number };

/**
 * Those whom a look shows to be called in vain. Where something came and led to nothing, two calls have crossed: they
 * are made again, which takes 5 s, and nothing is wrong.
 */
export function silent(end: End, seen: Snapshot): Silent[] {
  return called(end, seen).flatMap(([call, peer]): Silent[] => {
    if (peer.latestHandshake === 0) return peer.rxBytes === 0 ? [call] : [];
    const since = dead(call, peer, seen);
    return since === undefined ? [] : [{ ...call, since }];
  });
}

/**
 * Seconds since the last handshake, where a session lives no more. The first packet after 120 s asks for a new one, and
 * keepalives are packets. Somebody else's machine may sleep. A clock that was set makes handshakes of the future, or of
 * before the host was started.
 */
function dead(
  { other }: Call,
  { latestHandshake, keepalive }: Peer,
  { now, uptime = now }: Snapshot,
): number | undefined {
  const since = now - latestHandshake;
  const counts = other !== undefined && keepalive > 0 && since <= uptime;
  return counts && since > SESSION_SECONDS + keepalive ? since : undefined;
}

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
   * Waits for answers after a change, some seconds where there is none; those who have not answered then.
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
    let waiting = [...unanswered(end, seen)].flatMap(([call, bytes]) => (lost(call, bytes) ? [call] : []));
    for (const pause of [0, ...PAUSES]) {
      if (waiting.length === 0) return [];
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
    return waiting;
  }
}

const at = (call: Call): { address: string; port: number } => parseEndpoint(call.endpoint) ?? { address: "", port: 0 };

/** Beyond these the rest is counted. */
const NAMED = 5;

/** `no handshake for 12 minutes` */
function ago({ since }: Silent): string {
  if (since === undefined) return "no handshake yet";
  const [size, unit] = (
    [
      [86400, "days"],
      [3600, "hours"],
    ] as const
  ).find(([size]) => since >= 2 * size) ?? [60, "minutes"];
  return `no handshake for ${Math.floor(since / size)} ${unit}`;
}

/** What to look at, for people. */
export function silence({ from }: End, calls: readonly Silent[], { ways }: Snapshot): string {
  const lost = calls.filter((call) => at(call).address in ways && ways[at(call).address] === undefined);
  const routes = lost.map((call) => `${from} has no route to ${at(call).address}. `).join("");
  const [first] = calls;
  if (calls.length === 1 && first) {
    const { address, port } = at(first);
    return (
      `UDP ${port} from ${from} to ${first.to} does not arrive at ${address}, or no answer comes back: ${ago(first)}. ${routes}` +
      `Let UDP ${port} in where ${first.to} is: in the security group of its cloud, on its router, in a firewall of its own ` +
      `(\`firewall\` of the node); and see that it runs and has that address.`
    );
  }
  const all = calls.slice(0, NAMED).map((call) => `${call.to} (${call.endpoint}, ${ago(call)})`);
  const more = calls.length > NAMED ? ` and ${calls.length - NAMED} more` : "";
  return (
    `UDP from ${from} does not arrive at ${all.join(", ")}${more}, or no answers come back. ${routes}` +
    `Let these ports in there: in the security groups of their clouds, on their routers, in firewalls of their own ` +
    `(\`firewall\` of a node). Where nobody answers at all, see to ${from}'s own way out.`
  );
}
