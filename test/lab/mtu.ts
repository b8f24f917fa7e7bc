/**
 * A smaller MTU on the way, in the words of ip(8) and nft(8). Pure.
 *
 * A locked MTU on a route holds for packets that are forwarded, so the router says "too big" (ICMP) as one with a
 * narrower link would. Main routes limit what goes into a segment; what comes out of it is found by its interface and
 * takes a table of its own.
 */
import * as ip from "../../sdk/network/address";
import { type Break, replaceTable, segmentName } from "./breaks";
import { gateway, type Topology } from "./topology";
import { internetSegments, outsideRoutes, routedBehind, routerOf } from "./wires";

/** What one router is told. */
export interface RouterWords {
  /** The router's name: its namespace. */
  router: string;
  /** Lines of `ip -4 -force -batch` and of `ip -6 …`: the rules and tables of before go, whatever they were. */
  clear: string[];
  /** Lines of `ip -batch`, one list a family. */
  ip: Record<ip.Family, string[]>;
  nft: string;
}

/** One of a router's interfaces, and what lies behind it: `203.0.113.0/24 dev lux …`, as `ip route` takes it. */
interface Leg {
  device: string;
  routes: Record<ip.Family, string[]>;
  limit: number | undefined;
}

/** Routing tables, and the preferences of the rules that lead to them. */
const TABLES = 1000;

const least = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);

const locked = (route: string, limit: number | undefined): string =>
  limit === undefined ? route : `${route} mtu lock ${limit}`;

/** The route that the kernel made for a router's address in a prefix. */
const connected = (prefix: string, device: string): string =>
  ip.family(prefix) === "inet"
    ? `${prefix} dev ${device} proto kernel scope link src ${gateway(prefix)}`
    : `${prefix} dev ${device} proto kernel metric 256`;

function words(router: string, legs: readonly Leg[], silent: boolean): RouterWords {
  const lines = (family: ip.Family): string[] =>
    legs.flatMap(({ device, routes, limit }, index) => {
      const table = TABLES + index;
      const into = routes[family].map((route) => `route replace ${locked(route, limit)}`);
      if (limit === undefined) return into;
      const others = legs.filter((other) => other.device !== device);
      return [
        ...into,
        `rule add iif ${device} lookup ${table} pref ${table}`,
        ...others.flatMap((other) =>
          other.routes[family].map(
            (route) => `route add ${locked(`${route} table ${table}`, least(limit, other.limit))}`,
          ),
        ),
      ];
    });
  const mute = `  chain output {
    type filter hook output priority 0
    icmp code frag-needed drop
    icmpv6 type packet-too-big drop
  }`;
  return {
    router,
    clear: legs.flatMap((_, index) => [`rule del pref ${TABLES + index}`, `route flush table ${TABLES + index}`]),
    ip: { inet: lines("inet"), inet6: lines("inet6") },
    nft: replaceTable("inet breaks", silent ? mute : ""),
  };
}

const byFamily = (routes: readonly string[]): Record<ip.Family, string[]> => {
  const of = (family: ip.Family): string[] =>
    // A default route is of its gateway's family.
    routes.filter((route) => ip.family(route.replace(/^default via /, "").split(" ")[0] ?? "") === family);
  return { inet: of("inet"), inet6: of("inet6") };
};

/** What the routers are told under these breaks. */
export function routers(topology: Topology, breaks: readonly Break[]): RouterWords[] {
  const narrow = breaks.filter((one) => one.kind === "mtu");
  const limit = (segment: string): number | undefined =>
    narrow
      .filter(({ target }) => segmentName(target) === segment)
      .reduce<number | undefined>((a, { bytes }) => least(a, bytes), undefined);
  const silent = (router: string): boolean =>
    narrow.some(({ target, silent }) => silent && routerOf(topology, segmentName(target)) === router);
  const leg = (segment: string, device: string, further: string[]): Leg => ({
    device,
    routes: byFamily([
      ...(topology.segments[segment]?.prefixes ?? []).map((prefix) => connected(prefix, device)),
      ...further.map((route) => `${route} dev ${device}`),
    ]),
    limit: limit(segment),
  });
  return [
    words(
      "internet",
      internetSegments(topology).map((segment) => leg(segment, segment, routedBehind(topology, segment))),
      silent("internet"),
    ),
    ...Object.entries(topology.routers).map(([name, { inside, outside, addresses }]) =>
      words(
        name,
        [
          leg(inside, "inside", routedBehind(topology, inside)),
          // The segment outside is another router's to break.
          { device: "outside", routes: byFamily(outsideRoutes(topology, outside, addresses)), limit: undefined },
        ],
        silent(name),
      ),
    ),
  ];
}
