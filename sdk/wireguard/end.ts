/** Whom a WireGuard device calls, by itself and at once: a handshake then takes one round trip. */
import type { Call, End } from "../kernel/technology";
import type { Spec } from "./spec";

export const named = (link: string, node: string): string => `${link}@${node}`;

/** Without keepalive nothing is sent until somebody has something to say. */
export function end({ node, link, device, called, peer, peers = [] }: Spec): End {
  const calls = [...(peer ? [peer] : []), ...peers].flatMap(
    ({ name: to, publicKey, endpoint, keepalive, foreign }): Call[] =>
      endpoint === undefined || keepalive === undefined
        ? []
        : [{ device, publicKey, to, endpoint, ...(!foreign && { other: named(link, to) }) }],
  );
  return { name: named(link, node), from: node, called, calls };
}
