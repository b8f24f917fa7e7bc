/**
 * The forward chain. A packet that comes by a link of ours and would leave by another passes only where a relay was
 * declared for the two nodes: a host may forward for reasons of its own (Docker switches it on for all devices), and is
 * then no way between nodes that have none. A relay, which forwards because we said so, forwards nothing else from or to
 * its links. What touches no device of ours is nobody's business here.
 */
import { LINK_GROUP } from "../kernel/marks";
import { type Family, family } from "../network/address";
import type { RelayPair } from "./spec";

const FAMILIES: [Family, string][] = [
  ["inet", "ip"],
  ["inet6", "ip6"],
];

const BETWEEN = `iifgroup ${LINK_GROUP} oifgroup ${LINK_GROUP}`;

const of = (wanted: Family, addresses: readonly string[]): string[] => addresses.filter((it) => family(it) === wanted);

/** Every address of the one with every address of the other, both ways. */
const ways = (pairs: readonly RelayPair[], wanted: Family): [from: string, to: string][] =>
  pairs.flatMap(({ a, b }) =>
    of(wanted, a.addresses).flatMap((one) =>
      of(wanted, b.addresses).flatMap((other): [string, string][] => [
        [one, other],
        [other, one],
      ]),
    ),
  );

const set = (words: readonly string[]): string => `{ ${[...new Set(words)].sort().join(", ")} }`;

const eachFamily = (pairs: readonly RelayPair[], rule: (ip: string, ways: [string, string][]) => string): string[] =>
  FAMILIES.flatMap(([wanted, ip]) => {
    const all = ways(pairs, wanted);
    return all.length > 0 ? [rule(ip, all)] : [];
  });

/** Chains and rules of a table, by chain. */
export interface Chains {
  chains: string[];
  rules: string[];
}

export function forward(pairs: readonly RelayPair[]): Chains {
  const relay = pairs.length > 0;
  const accepted = eachFamily(
    pairs,
    (ip, all) => `${BETWEEN} ${ip} saddr . ${ip} daddr ${set(all.map((way) => way.join(" . ")))} accept`,
  );
  const dropped = relay ? [`iifgroup ${LINK_GROUP}`, `oifgroup ${LINK_GROUP}`] : [BETWEEN];
  return {
    chains: ["forward { type filter hook forward priority 0 ; policy accept ; }"],
    rules: [...accepted, ...dropped.map((which) => `${which} counter drop`)].map((rule) => `forward ${rule}`),
  };
}

/**
 * A link carries whatever its peer sends, so the peer could send in another node's name: what is to be forwarded comes
 * by the device that leads back to its source. (Before 5.19 the kernel looks that up at no later hook: nft_fib.c.)
 */
export function spoofed(pairs: readonly RelayPair[]): Chains {
  const rules = eachFamily(
    pairs,
    (ip, all) =>
      `spoofed iifgroup ${LINK_GROUP} ${ip} saddr ${set(all.flat())} fib daddr type != local fib saddr . iif oif missing counter drop`,
  );
  return rules.length === 0
    ? { chains: [], rules }
    : { chains: ["spoofed { type filter hook prerouting priority -300 ; policy accept ; }"], rules };
}

/** Forwarding of IPv6 is a setting of the whole host; that of IPv4 is one of each link. */
export const forwardingSysctls = (pairs: readonly RelayPair[]): Record<string, string> =>
  ways(pairs, "inet6").length > 0 ? { "net/ipv6/conf/all/forwarding": "1" } : {};
