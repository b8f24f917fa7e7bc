/** Those who are called in vain, as a look at a host shows it, and what to see to then. */
import { parseEndpoint } from "../network/address";
import type { Snapshot } from "./snapshot";
import type { Call, End } from "./technology";
import { SESSION_SECONDS } from "./wgPeer";

type Peer = Snapshot["wg"][number]["peers"][number];

/** What a look shows of those who are called. */
export function called({ calls }: End, { wg }: Snapshot): [Call, Peer][] {
  const peers = new Map(wg.flatMap(({ device, peers }) => peers.map((peer) => [`${device} ${peer.publicKey}`, peer])));
  return calls.flatMap((call): [Call, Peer][] => {
    const peer = peers.get(`${call.device} ${call.publicKey}`);
    return peer ? [[call, peer]] : [];
  });
}

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
      [60, "minutes"],
    ] as const
  ).find(([size]) => since >= 2 * size) ?? [1, "seconds"];
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
