/** What looks at all hosts of a stack come to: a row for each side of each link, each relay and each member of a segment. Pure. */
import { type Decided, destination, live, RELAY_METRIC, SESSION_SECONDS, type Snapshot, text } from "../../kernel";
import { type Nested, nested, nestedAlarm } from "../../kernel/nested";
import { contains, host as hostPrefix } from "../../network/address";
import { HEALTHY, health } from "../../rosenpass";
import { byName } from "../order";
import type { PostQuantum } from "../stack";
import type { Declared, Look, Wanted } from "./look";

/**
 * `up`: there is a session; a segment's device is up; a relay is in use. `idle`: there is no session, because none is needed
 * or none comes about; another way is better than the relay's. `down`: what was declared is not there.
 */
export type State = "up" | "idle" | "down";

export type Why =
  | "declared"
  | "chosen, as declared"
  | "chosen by the host"
  | "the other end chooses"
  | "it called"
  | "it called from there";

/** Another member of a segment, as one of them sees it. `unknown`: nothing tells, as of a segment on the plain underlay. */
export interface Member {
  name: string;
  state: State | "unknown";
}

export interface Row {
  kind: "link" | "mesh" | "segment" | "relay";
  /** Name of the link, the mesh or the segment; of a relay, of what leads to it. */
  link: string;
  device: string;
  /** Node at the other end; of a segment nobody. */
  peer?: string;
  /** Of a relay: the node that forwards to it. */
  by?: string;
  /** Of a segment, the others. */
  members?: Member[];
  state: State;
  /** What is not there, where it is down. */
  missing?: string;
  /** Where packets to it go. */
  endpoint?: string;
  /** Why there. */
  why?: Why;
  /** Seconds since the last handshake; absent: there was none. */
  handshake?: number;
  /** The same as Unix time in seconds. */
  handshakeAt?: number;
  /** Bytes. */
  rx?: number;
  tx?: number;
  mtu: Mtu;
  /** Absent: no keys are exchanged. */
  postQuantum?: { mode: PostQuantum /** `healthy`, or what is wrong. */; health: string };
}

/** Bytes. */
export interface Mtu {
  declared: number;
  /** As the device has it. */
  device?: number;
  /** What passes in one piece: as it was just measured, else where a run of Pulumi has found less than is declared. */
  path?: number;
  /** true: `path` was measured just now; false: nobody answered; absent: it was not. */
  measured?: boolean;
}

/** What the agent that chooses has last done about a peer, or about where a relay leads. */
export type Decision = Decided & {
  /** Seconds. */
  ago: number;
};

export interface HostStatus {
  name: string;
  reachable: boolean;
  /** Why not. */
  fault?: string;
  /** Seconds since it was looked at, where that goes on. */
  age?: number;
  /** Lines that differ, `- ` as declared and `+ ` as there. */
  drift: string[];
  /** Encrypted packets that were about to leave by a tunnel, and were dropped, of each device, and of ports that are no link's. */
  guards: Nested[];
  decisions: Decision[];
  rows: Row[];
}

export interface Status {
  stack: string;
  hosts: HostStatus[];
}

/** By name. */
type Looks = ReadonlyMap<string, Look>;

interface Shown {
  /** Of whom; all the others are what these are seen by, too. Default: all. */
  hosts?: readonly Wanted[];
  /** Milliseconds, where hosts are looked at again and again. */
  now?: number;
}

export function statusOf(
  stack: string,
  all: readonly Wanted[],
  looks: Looks,
  { hosts = all, now }: Shown = {},
): Status {
  const network = { all, looks };
  return { stack, hosts: hosts.map((wanted) => hostStatus(wanted, network, now)) };
}

interface Network {
  all: readonly Wanted[];
  looks: Looks;
}

/** One side that is told of. */
interface Side extends Network {
  wanted: Wanted;
  declared: Declared;
  look: Look;
  seen: Snapshot;
}

function hostStatus(wanted: Wanted, network: Network, now: number | undefined): HostStatus {
  const { name } = wanted.node;
  const look = network.looks.get(name) ?? { drift: [] };
  const { seen, fault, drift, at } = look;
  const devices = new Set(wanted.declared.map(({ spec }) => spec.device));
  return {
    name,
    reachable: seen !== undefined,
    ...(fault !== undefined && { fault }),
    ...(now !== undefined && at !== undefined && { age: Math.max(0, Math.round((now - at) / 1000)) }),
    drift,
    guards: seen ? nested(seen) : [],
    decisions: (seen?.decisions ?? [])
      .filter(({ device }) => devices.has(device))
      .map((it) => ({ ...it, ago: Math.max(0, (seen?.now ?? 0) - it.at) }))
      .sort((a, b) => byName(a.peer, b.peer) || byName(a.device, b.device) || byName(a.text, b.text)),
    rows: seen
      ? wanted.declared.flatMap((declared) => rowsOf({ ...network, wanted, declared, look, seen })).sort(byLink)
      : [],
  };
}

const byLink = (a: Row, b: Row): number =>
  byName(a.link, b.link) || byName(a.peer ?? "", b.peer ?? "") || byName(a.by ?? "", b.by ?? "");

function rowsOf(side: Side): Row[] {
  const { token, spec } = side.declared;
  if (token === "overlay:vxlan:Member") return [memberRow(side)];
  if (token !== "overlay:wireguard:Interface") return [];
  return [...peersOf(spec).map((peer) => peerRow(side, peer)), ...relayRows(side)];
}

interface Peer {
  name: string;
  publicKey: string;
  endpoint?: string;
}

const peersOf = ({ peer, peers = [] }: Declared["spec"]): Peer[] => (peer ? [peer] : peers);

/** That it is there, and not set down. */
function missing({ seen, declared: { spec } }: Side): string | undefined {
  const link = seen.links.find(({ ifname }) => ifname === spec.device);
  if (!link) return `${spec.device} is not there`;
  return link.flags.includes("UP") ? undefined : `${spec.device} is set down`;
}

/** `outputs.pathMtu` has those ways alone that carry less than is declared, each as it comes in at the end that has it. */
function narrow({ all, declared: { token, spec, outputs }, wanted }: Side, peer: string): number[] {
  const of = (all: unknown, name: string): number[] => {
    const found = (all as Record<string, number> | undefined)?.[name];
    return found === undefined ? [] : [found];
  };
  const far = all
    .find(({ node }) => node.name === peer)
    ?.declared.find((it) => it.token === token && it.spec.link === spec.link && it.spec.segment === spec.segment);
  return [...of(outputs.pathMtu, peer), ...of(far?.outputs.pathMtu, wanted.node.name)];
}

/** Of the ways to some, the least. */
function mtuOf(side: Side, peers: readonly string[]): Mtu {
  const { seen, look, looks, declared, wanted } = side;
  const { spec } = declared;
  const device = seen.links.find(({ ifname }) => ifname === spec.device)?.mtu;
  const name: string = spec.segment ?? spec.link;
  const asked = [
    ...(look.ways ?? []).filter(({ path }) => path.of === name && peers.includes(path.to)),
    ...peers.flatMap((peer) =>
      (looks.get(peer)?.ways ?? []).filter(({ path }) => path.of === name && path.to === wanted.node.name),
    ),
  ];
  const carried = asked.flatMap(({ bytes }) => bytes ?? []);
  const known = asked.length > 0 ? carried : peers.flatMap((peer) => narrow(side, peer));
  return {
    declared: spec.mtu,
    ...(device !== undefined && { device }),
    ...(known.length > 0 && { path: Math.min(spec.mtu, ...known) }),
    ...(asked.length > 0 && { measured: carried.length > 0 }),
  };
}

const inSession = (seen: Snapshot, device: string, publicKey: string): boolean => {
  const peer = seen.wg.find((it) => it.device === device)?.peers.find((it) => it.publicKey === publicKey);
  return peer !== undefined && seen.now - peer.latestHandshake < SESSION_SECONDS;
};

function memberRow(side: Side): Row {
  const { spec } = side.declared;
  const gone = missing(side);
  const members = gone === undefined ? membersOf(side) : [];
  const is = (state: Member["state"]): boolean => members.some((it) => it.state === state);
  const lost = members.filter(({ state }) => state === "down").map(({ name }) => name);
  const none = lost.length > 0 ? `entries of ${lost.join(", ")} are not there` : undefined;
  return {
    kind: "segment",
    link: spec.segment,
    device: spec.device,
    members,
    state: gone !== undefined || is("down") ? "down" : is("idle") && !is("up") ? "idle" : "up",
    ...((gone ?? none) !== undefined && { missing: gone ?? none }),
    mtu: mtuOf(
      side,
      (spec.peers as { name: string }[]).map(({ name }) => name),
    ),
  };
}

/** Who has its entries, and a link with a session that leads there; where packets were sent, who answers. */
function membersOf({ declared: { technology, spec, facts }, seen, look }: Side): Member[] {
  const lines = new Set(text(live(seen, facts)).split("\n"));
  const state = (path: Way["path"]): Member["state"] => {
    if (!path.lines.every((line) => lines.has(line))) return "down";
    const asked = look.ways?.find((it) => it.path.of === path.of && it.path.to === path.to);
    if (asked) return asked.bytes === undefined ? "idle" : "up";
    if (!spec.encrypted) return "unknown";
    return path.within && inSession(seen, path.within.device, path.within.from) ? "up" : "idle";
  };
  const paths = technology.paths?.(spec, seen) ?? [];
  return paths.map((path) => ({ name: path.to, state: state(path) })).sort((a, b) => byName(a.name, b.name));
}

type Way = NonNullable<Look["ways"]>[number];

function peerRow(side: Side, peer: Peer): Row {
  const { seen, declared } = side;
  const { spec } = declared;
  const found = seen.wg
    .find(({ device }) => device === spec.device)
    ?.peers.find(({ publicKey }) => publicKey === peer.publicKey);
  const gone = missing(side) ?? (found ? undefined : `${spec.device} has no such peer`);
  const postQuantum = keysOf(side, peer.name);
  const ago = found && found.latestHandshake > 0 ? Math.max(0, seen.now - found.latestHandshake) : undefined;
  return {
    kind: spec.peer ? "link" : "mesh",
    link: spec.link,
    device: spec.device,
    peer: peer.name,
    state: gone !== undefined ? "down" : ago !== undefined && ago < SESSION_SECONDS ? "up" : "idle",
    ...(gone !== undefined && { missing: gone }),
    ...(found?.endpoint !== undefined && {
      endpoint: found.endpoint,
      why: why(found.endpoint, peer.endpoint, found.chosen),
    }),
    ...(ago !== undefined && found && { handshake: ago, handshakeAt: found.latestHandshake }),
    ...(found && { rx: found.rxBytes, tx: found.txBytes }),
    mtu: mtuOf(side, [peer.name]),
    ...(postQuantum && { postQuantum }),
  };
}

export function why(endpoint: string, declared: string | undefined, chosen: readonly string[] | undefined): Why {
  if (chosen?.includes(endpoint)) return endpoint === declared ? "chosen, as declared" : "chosen by the host";
  if (endpoint === declared) return "declared";
  if (chosen) return "the other end chooses";
  return declared === undefined ? "it called" : "it called from there";
}

/** As both ends see it, where both were seen. */
function keysOf({ wanted: { node, declared }, declared: { spec }, looks }: Side, peer: string): Row["postQuantum"] {
  const psk = declared.find(
    (it) => it.token === "overlay:rosenpass:Psk" && it.spec.device === spec.device && it.spec.peer.name === peer,
  );
  if (!psk) return undefined;
  const { name, mode } = psk.spec;
  const seen = [node.name, peer].flatMap((it) => {
    const look = looks.get(it)?.seen;
    return look ? [[it, look.exchanges[name]] as const] : [];
  });
  return { mode, health: health(Object.fromEntries(seen)) };
}

/** A node that is reached by way of a peer of a device. */
interface Relay {
  peer: string;
  by: string;
  why: Why;
  /** With the lengths of their prefixes. */
  to: string[];
  mtu: number;
}

/** Those that are declared, and those that the host has chosen of what documents name. */
function relaysOf({ declared: { spec }, seen, all }: Side): Relay[] {
  const relays: Relay[] = (spec.relayed as { name: string; by: string; addresses: string[]; mtu?: number }[]).map(
    ({ name, by, addresses, mtu }) => ({
      peer: name,
      by,
      why: "declared",
      to: addresses.map(hostPrefix),
      mtu: mtu ?? spec.mtu,
    }),
  );
  const device = seen.wg.find((it) => it.device === spec.device);
  for (const route of device?.relayed ?? []) {
    const [to = ""] = route.split(" ");
    const said = seen.decisions?.find((it) => it.device === spec.device && it.relay?.to === to);
    const known = all.find(({ node }) => node.addresses.some((it) => hostPrefix(it) === to));
    const carrier = device?.peers.find(({ allowedIps }) =>
      allowedIps.some((it) => contains(it, to.split("/")[0] ?? "")),
    );
    const by = said?.relay?.by ?? peersOf(spec).find(({ publicKey }) => publicKey === carrier?.publicKey)?.name ?? "";
    const peer = known?.node.name ?? said?.peer ?? to;
    const mtu = Number(/ mtu (\d+)/.exec(route)?.[1] ?? spec.mtu);
    const same = relays.find((it) => it.why === "chosen by the host" && it.peer === peer && it.by === by);
    if (same) same.to.push(to);
    else relays.push({ peer, by, why: "chosen by the host", to: [to], mtu });
  }
  return relays;
}

function relayRows(side: Side): Row[] {
  const { spec } = side.declared;
  return relaysOf(side).map(({ peer, by, why, to, mtu }) => {
    const state = relayState(side, to);
    const gone =
      missing(side) ?? (state === "down" ? `a route to ${to.join(", ")} by ${spec.device} is not there` : undefined);
    return {
      ...{ kind: "relay", link: spec.link, device: spec.device, peer, by, why, mtu: { declared: mtu } },
      state: gone === undefined ? state : "down",
      ...(gone !== undefined && { missing: gone }),
    };
  });
}

/** Whether packets to all of its addresses go that way: no other route there is better. */
function relayState({ seen, declared: { spec } }: Side, to: readonly string[]): State {
  const routes = [
    ...seen.routes4.map((route) => ({ ...route, to: destination(route.dst, 4) })),
    ...seen.routes6.map((route) => ({ ...route, to: destination(route.dst, 6) })),
  ].filter(({ table = "main" }) => table === "main");
  const states = to.map((prefix): State => {
    const all = routes.filter((it) => it.to === prefix);
    const own = all.find(({ dev, metric = 0 }) => dev === spec.device && metric >= RELAY_METRIC);
    if (!own) return "down";
    return all.some(({ metric = 0 }) => metric < (own.metric ?? 0)) ? "idle" : "up";
  });
  return states.find((it) => it === "down") ?? states.find((it) => it === "idle") ?? "up";
}

/** Lines of drift of a host that are told: of one without its devices there are hundreds. */
const LINES = 20;

/** `lux, lan`, `lux, lux-fra to fra`, `lux, fra-hub to nas by hub` */
function subject(host: string, { link, peer, by }: Row): string {
  return `${host}, ${link}${peer === undefined ? "" : ` to ${peer}`}${by === undefined ? "" : ` by ${by}`}`;
}

function rowTroubles(host: string, row: Row): string[] {
  const { state, missing = "what was declared is not there", postQuantum, mtu, members = [] } = row;
  const away = members.filter((it) => it.state === "idle").map(({ name }) => name);
  const says = [
    ...(state === "down" ? [missing] : []),
    ...(away.length > 0 ? [`${away.join(", ")}: no session leads there, or nobody answers`] : []),
    ...(postQuantum && postQuantum.health !== HEALTHY ? [`${postQuantum.mode} keys: ${postQuantum.health}`] : []),
    ...(mtu.path !== undefined && mtu.path < mtu.declared
      ? [`carries ${mtu.path} bytes in one piece, and its MTU is ${mtu.declared}`]
      : []),
    ...(mtu.measured === false && state === "up" ? ["no packet inside was answered"] : []),
  ];
  return says.map((it) => `${subject(host, row)}: ${it}`);
}

/** What is not as it should be, of a host and of its rows, in a sentence each. */
export function troubles({ name, fault, drift, guards, rows }: HostStatus): string[] {
  return [
    ...(fault === undefined ? [] : [fault.includes(name) ? fault : `${name}: ${fault}`]),
    ...rows.flatMap((row) => rowTroubles(name, row)),
    ...guards.flatMap((it) => nestedAlarm(name, it)),
    ...(drift.length === 0 ? [] : [`${name} is not as declared:`, ...drift.slice(0, LINES).map((line) => `  ${line}`)]),
    ...(drift.length > LINES ? [`  and ${drift.length - LINES} more lines: pulumi refresh --diff`] : []),
  ];
}
