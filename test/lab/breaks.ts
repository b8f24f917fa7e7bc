/** What can be broken in a lab, and the words that break it. Pure. */
import * as ip from "../../sdk/network/address";
import { gateway, type Topology } from "./topology";
import { defaultGateways, hostPort, internetSegments, routerOf } from "./wires";

/**
 * - drop: nothing gets through a host's cables, or a segment
 * - loss: so many percent of the packets are lost at random, each way
 * - mtu: packets over so many bytes do not pass a segment's router, which says "too big" (silent: says nothing)
 * - link: a host's cables are pulled out
 * - power: a host's power is cut
 */
export type Break =
  | { kind: "drop"; target: string }
  | { kind: "loss"; target: string; percent: number }
  | { kind: "mtu"; target: string; bytes: number; silent: boolean }
  | { kind: "link"; target: string }
  | { kind: "power"; target: string };

export type BreakKind = Break["kind"];
export const KINDS = ["drop", "loss", "mtu", "link", "power"] as const satisfies readonly BreakKind[];

/** `segment/lux` where a host is called lux, too. */
const segmentName = (target: string): string => target.replace(/^segment\//, "");

/** Why something cannot be broken, or undefined when it can. */
export function objection(topology: Topology, { kind, target }: Pick<Break, "kind" | "target">): string | undefined {
  const hosts = Object.keys(topology.hosts);
  const segments = Object.keys(topology.segments);
  const isSegment = segments.includes(segmentName(target));
  if (kind === "mtu") {
    if (!isSegment) return `${target} is no segment of this lab; its segments are ${segments.join(", ")}`;
    return routerOf(topology, segmentName(target))
      ? undefined
      : `${target} has no router for packets to be too big for`;
  }
  if (hosts.includes(target)) return undefined;
  if (kind === "link" || kind === "power") return `${target} is no host of this lab; its hosts are ${hosts.join(", ")}`;
  return isSegment
    ? undefined
    : `${target} is neither a host nor a segment of this lab; they are ${[...new Set([...hosts, ...segments])].join(", ")}`;
}

/** A host's plugs in the lab's bridges. */
export const hostPorts = (topology: Topology, host: string): string[] =>
  (topology.hosts[host]?.segment ?? []).map((_, index) => hostPort(host, index));

const segmentPorts = (topology: Topology, segment: string): string[] => [
  ...(routerOf(topology, segment) ? [`r-${segment}`] : []),
  ...(segment === "operator" ? ["operator-eth0"] : []),
  ...Object.keys(topology.routers)
    .filter((name) => topology.routers[name]?.outside === segment)
    .map((name) => `${name}-eth0`),
  ...Object.entries(topology.hosts).flatMap(([name, host]) =>
    host.segment.flatMap((one, index) => (one === segment ? [hostPort(name, index)] : [])),
  ),
];

/** What happens to frames at plugs: a frame passes a host's once, in or out, and comes in by one of a segment's. */
function rules(topology: Topology, target: string, verdict: string): string[] {
  const isHost = target in topology.hosts;
  const ports = isHost ? hostPorts(topology, target) : segmentPorts(topology, segmentName(target));
  const set = `{ ${ports.map((port) => `"${port}"`).join(", ")} }`;
  return (isHost ? ["iifname", "oifname"] : ["iifname"]).map((end) => `    ${end} ${set} counter ${verdict}`);
}

/** The bridges' ruleset, which replaces the one before. */
export function bridgeRules(topology: Topology, breaks: readonly Break[]): string {
  const lines = breaks.flatMap((one) => {
    if (one.kind === "drop") return rules(topology, one.target, "drop");
    // Random loss without netem, to a hundredth of a percent.
    if (one.kind === "loss") {
      const verdict = `numgen random mod 10000 < ${Math.round(one.percent * 100)} drop`;
      return rules(topology, one.target, verdict).map((rule) => rule.replace(" counter", ""));
    }
    return [];
  });
  return replaceTable(
    "bridge breaks",
    `  chain forward {\n    type filter hook forward priority 0\n${lines.join("\n")}\n  }`,
  );
}

const replaceTable = (table: string, body: string): string =>
  `table ${table} {\n}\ndelete table ${table}\ntable ${table} {\n${body}\n}\n`;

export interface RouterWords {
  /** The router's name: its namespace. */
  router: string;
  /** Lines of `ip -force -batch`: the last state's rules and tables go, whatever they were. */
  clear: string[];
  /** Lines of `ip -batch`. */
  ip: string[];
  nft: string;
}

interface Leg {
  device: string;
  prefixes: string[];
  gateways: string[];
  limit: number | undefined;
}

/**
 * A router's routes and rules under these breaks. A route's locked MTU holds for what is forwarded (ip(8)), on the way
 * into a segment; for the way out each segment with a limit has a table of its own, by the interface a packet came in.
 */
function routerWords(router: string, legs: Leg[], silent: boolean): RouterWords {
  const locked = (limit: number | undefined): string => (limit === undefined ? "" : ` mtu lock ${limit}`);
  const least = (a: number | undefined, b: number | undefined) =>
    a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
  const connected = ({ device, prefixes, limit }: Leg): string[] =>
    prefixes.map((prefix) =>
      ip.family(prefix) === "inet"
        ? `route replace ${prefix} dev ${device} proto kernel scope link src ${gateway(prefix)}${locked(limit)}`
        : `route replace ${prefix} dev ${device} proto kernel metric 256${locked(limit)}`,
    );
  const out = ({ device, limit }: Leg, index: number): string[] =>
    limit === undefined
      ? []
      : [
          `rule add from 0.0.0.0/0 iif ${device} lookup ${TABLES + index} pref ${TABLES + index}`,
          `rule add from ::/0 iif ${device} lookup ${TABLES + index} pref ${TABLES + index}`,
          ...legs
            .filter((other) => other.device !== device)
            .flatMap((other) => [
              ...other.prefixes.map(
                (prefix) =>
                  `route add ${prefix} dev ${other.device} table ${TABLES + index}${locked(least(limit, other.limit))}`,
              ),
              ...other.gateways.map(
                (via) =>
                  `route add default via ${via} dev ${other.device} table ${TABLES + index}${locked(least(limit, other.limit))}`,
              ),
            ]),
        ];
  return {
    router,
    clear: legs.flatMap((_, index) => [
      `rule del from 0.0.0.0/0 pref ${TABLES + index}`,
      `rule del from ::/0 pref ${TABLES + index}`,
      `route flush table ${TABLES + index}`,
    ]),
    ip: legs.flatMap((leg, index) => [...(leg.gateways.length === 0 ? connected(leg) : []), ...out(leg, index)]),
    nft: replaceTable(
      "inet breaks",
      silent
        ? "  chain output {\n    type filter hook output priority 0\n    icmp code frag-needed drop\n    icmpv6 type packet-too-big drop\n  }"
        : "",
    ),
  };
}

/** Routing tables, and the preferences of the rules that lead to them. */
const TABLES = 1000;

/** What the routers are told under these breaks. */
export function routers(topology: Topology, breaks: readonly Break[]): RouterWords[] {
  const limits = breaks.filter((one) => one.kind === "mtu");
  const limit = (segment: string): number | undefined => {
    const bytes = limits.filter(({ target }) => segmentName(target) === segment).map(({ bytes }) => bytes);
    return bytes.length === 0 ? undefined : Math.min(...bytes);
  };
  const silent = (router: string): boolean =>
    limits.some(({ target, silent }) => silent && routerOf(topology, segmentName(target)) === router);
  const prefixes = (segment: string): string[] => topology.segments[segment]?.prefixes ?? [];
  const internet = internetSegments(topology).map((segment) => ({
    device: segment,
    prefixes: prefixes(segment),
    gateways: [],
    limit: limit(segment),
  }));
  return [
    routerWords("internet", internet, silent("internet")),
    ...Object.entries(topology.routers).map(([name, { inside, outside, addresses }]) =>
      routerWords(
        name,
        [
          { device: "inside", prefixes: prefixes(inside), gateways: [], limit: limit(inside) },
          {
            device: "outside",
            prefixes: prefixes(outside),
            gateways: [...new Set(defaultGateways(topology, outside, addresses))],
            limit: undefined,
          },
        ],
        silent(name),
      ),
    ),
  ];
}

/** `loss lux 30%` */
export function words(one: Break): string {
  const value = one.kind === "loss" ? ` ${one.percent}%` : one.kind === "mtu" ? ` ${one.bytes}` : "";
  return `${one.kind} ${one.target}${value}${one.kind === "mtu" && one.silent ? " silent" : ""}`;
}
