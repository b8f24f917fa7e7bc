/** A route of ours, ip-route(8): its protocol is always ROUTE_PROTOCOL, and no other's routes are ever looked at. */
import { family } from "../network/address";
import type { Kind } from "./fact";
import { ROUTE_PROTOCOL } from "./marks";
import type { RouteJson, Snapshot } from "./snapshot";

export interface Route {
  /** Absent: unicast. */
  type?: "unreachable";
  /** With its prefix length; `0.0.0.0/0` and `::/0` for default. */
  dst: string;
  device?: string;
  /** Number of the table. Absent: main. */
  table?: string;
  metric: number;
  /** Source address of the host's own packets. */
  src?: string;
  /** Bytes, where the way has less than its device. */
  mtu?: number;
  /** The host on the device that forwards, whether or not a prefix there has its address. */
  via?: string;
  /** What the packets are put into, by a device that each route tells so, ip-route(8). */
  encap?: Encap;
}

export interface Encap {
  /** Of VXLAN, its VNI. */
  id: number;
  src: string;
  dst: string;
  /** Hops that the packets may take: what the device says of that is not for them (vxlan_core.c, vxlan_xmit_one). */
  ttl: number;
}

const MAIN = "main";

const key = (value: Route): string => `${value.table ?? MAIN} ${value.dst} ${value.device ?? value.type ?? ""}`;

/** In one form, with its prefix length, what ip(8) shortens. */
export function destination(dst: string, family: 4 | 6): string {
  if (dst === "default") return family === 4 ? "0.0.0.0/0" : "::/0";
  return dst.includes("/") ? dst : `${dst}/${family === 4 ? 32 : 128}`;
}

const encap = ({ encap: json }: RouteJson): Pick<Route, "encap"> =>
  json?.dst === undefined
    ? {}
    : { encap: { id: json.id ?? 0, src: json.src ?? "", dst: json.dst, ttl: json.ttl ?? json.hoplimit ?? 0 } };

const metrics = ({ metrics = [] }: RouteJson): Pick<Route, "mtu"> =>
  Object.assign({}, ...metrics.map(({ mtu }) => (mtu === undefined ? {} : { mtu })));

function fromJson(json: RouteJson, family: 4 | 6): Route {
  const unreachable = json.type === "unreachable";
  return {
    ...(unreachable && { type: "unreachable" as const }),
    dst: destination(json.dst, family),
    // IPv6 shows `dev lo` for an unreachable route that was given none.
    ...(!unreachable && json.dev !== undefined && { device: json.dev }),
    ...(json.table !== undefined && json.table !== MAIN && { table: json.table }),
    metric: json.metric ?? 0,
    ...(json.prefsrc !== undefined && { src: json.prefsrc }),
    ...metrics(json),
    ...(json.gateway !== undefined && { via: json.gateway }),
    ...encap(json),
  };
}

/** By way of a relay that the host has chosen for itself (sdk/host/agents/choose): nobody declares it, and it is no drift. */
function chosenOn({ wg }: Snapshot): (live: Route) => boolean {
  const routes = new Set(wg.flatMap(({ relayed = [] }) => relayed));
  return (live) => routes.size > 0 && routes.has(full(live));
}

/** By key, made once a snapshot: a mesh asks for hundreds. */
const known = new WeakMap<Snapshot, Map<string, Route>>();

function byKey(snapshot: Snapshot): Map<string, Route> {
  const before = known.get(snapshot);
  if (before) return before;
  const pick = (routes: RouteJson[], family: 4 | 6) =>
    routes.filter(({ protocol }) => protocol === String(ROUTE_PROTOCOL)).map((json) => fromJson(json, family));
  const routes = [...pick(snapshot.routes4, 4), ...pick(snapshot.routes6, 6)];
  const chosen = chosenOn(snapshot);
  // Of several with one key, as with two metrics, the first is the one that counts; what the host has chosen hides none.
  const inTurn = [...routes.filter((one) => !chosen(one)), ...routes.filter(chosen)];
  const made = new Map(inTurn.reverse().map((one) => [key(one), one]));
  known.set(snapshot, made);
  return made;
}

/** All routes of ours. */
export const ownRoutes = (snapshot: Snapshot): Route[] => [...byKey(snapshot).values()].reverse();

const words = ({ type, dst, device, table, metric }: Route): string =>
  `${type ? `${type} ` : ""}${dst}${device ? ` dev ${device}` : ""}${table ? ` table ${table}` : ""}` +
  ` proto ${ROUTE_PROTOCOL} metric ${metric}`;

const full = (value: Route): string =>
  `${words(value)}${value.src ? ` src ${value.src}` : ""}${value.mtu === undefined ? "" : ` mtu ${value.mtu}`}` +
  `${value.via === undefined ? "" : ` via ${value.via} onlink`}${value.encap ? ` ${encapWords(value.encap)}` : ""}`;

function encapWords({ id, src, dst, ttl }: Encap): string {
  const [type, hops] = family(dst) === "inet" ? ["ip", "ttl"] : ["ip6", "hoplimit"];
  return `encap ${type} id ${id} src ${src} dst ${dst} ${hops} ${ttl}`;
}

export const route: Kind<Route> = {
  volatile: true,
  key,
  lines: (value) => [`ip route add ${full(value)}`],
  read: (snapshot, wanted) => byKey(snapshot).get(wanted),
  on(snapshot, device) {
    const chosen = chosenOn(snapshot);
    return ownRoutes(snapshot).filter((live) => live.device === device && !chosen(live));
  },
  set(live, wanted) {
    if (!wanted) return live ? [`ip route del ${words(live)}`] : [];
    if (!live) return route.lines(wanted);
    // The metric belongs to a route's identity in the kernel, source address and MTU do not.
    if (live.metric !== wanted.metric) return "again";
    return full(live) === full(wanted) ? [] : [`ip route replace ${full(wanted)}`];
  },
};
