import type { Topology } from "./topology";
import { fault, placeFault } from "./vm/netem";
import { hostPort, routerOf } from "./wires";

/**
 * - drop: nothing gets through a host's cables, or a segment
 * - loss: so many percent of the packets are lost at random, each way
 * - netem: what a vm sends is delayed, lost, reordered… in the words of tc-netem(8); of a segment, what all its vms send
 * - mtu: packets over so many bytes do not pass a segment's router, which says "too big" (silent: says nothing)
 * - link: a host's cables are pulled out
 * - power: a host's power is cut
 */
export type Break =
  | { kind: "drop"; target: string }
  | { kind: "loss"; target: string; percent: number }
  | { kind: "netem"; target: string; words: string }
  | { kind: "mtu"; target: string; bytes: number; silent: boolean }
  | { kind: "link"; target: string }
  | { kind: "power"; target: string };

export type BreakKind = Break["kind"];
export const KINDS = ["drop", "loss", "netem", "mtu", "link", "power"] as const satisfies readonly BreakKind[];

/** `segment/lux` where a host is called lux, too. */
export const segmentName = (target: string): string => target.replace(/^segment\//, "");

/** Why something cannot be broken, or undefined when it can. */
export function objection(topology: Topology, broken: Break): string | undefined {
  const { kind, target } = broken;
  const hosts = Object.keys(topology.hosts);
  const segments = Object.keys(topology.segments);
  const isSegment = segments.includes(segmentName(target));
  if (kind === "mtu") {
    if (!isSegment) return `${target} is no segment of this lab; its segments are ${segments.join(", ")}`;
    return routerOf(topology, segmentName(target))
      ? undefined
      : `${target} has no router for packets to be too big for`;
  }
  if (kind === "netem" && (hosts.includes(target) || isSegment)) {
    return fault(broken.words) ?? placeFault(topology, target);
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
  const set = ports.map((port) => `"${port}"`).join(", ");
  return (isHost ? ["iifname", "oifname"] : ["iifname"]).map((end) => `    ${end} { ${set} } ${verdict}`);
}

/** Random loss without netem, to a hundredth of a percent. */
const loss = (percent: number): string =>
  percent === 100 ? "drop" : `numgen random mod 10000 < ${Math.round(percent * 100)} drop`;

/**
 * The bridges' ruleset, which replaces the one before. ARP and neighbour discovery get through: a packet is lost
 * without a word, where a router that finds no neighbour would answer "no route to host".
 */
export function bridgeRules(topology: Topology, breaks: readonly Break[]): string {
  const lines = breaks.flatMap((one) => {
    if (one.kind === "drop") return rules(topology, one.target, "drop");
    return one.kind === "loss" ? rules(topology, one.target, loss(one.percent)) : [];
  });
  return replaceTable(
    "bridge breaks",
    `  chain forward {
    type filter hook forward priority 0
    ether type arp accept
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
${lines.join("\n")}
  }`,
  );
}

/** nft's words for a table that replaces the one of its name, in one transaction. */
export const replaceTable = (table: string, body: string): string =>
  `table ${table} {\n}\ndelete table ${table}\ntable ${table} {\n${body}\n}\n`;

function value(one: Break): string {
  if (one.kind === "loss") return ` ${one.percent}%`;
  if (one.kind === "netem") return ` ${one.words}`;
  return one.kind === "mtu" ? ` ${one.bytes}${one.silent ? " silent" : ""}` : "";
}

/** `loss lux 30%` */
export const words = (one: Break): string => `${one.kind} ${one.target}${value(one)}`;

/** Whether a host's cables are out. */
export const isPulled = (breaks: readonly Break[], host: string): boolean =>
  breaks.some(({ kind, target }) => kind === "link" && target === host);
