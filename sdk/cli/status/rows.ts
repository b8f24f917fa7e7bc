/** What looks at all hosts of a stack come to: a row for each side of each link and each member of a segment. Pure. */
import type { Exchange, Snapshot } from "../../kernel";
import { SESSION_SECONDS } from "../../kernel";
import { HEALTHY, health } from "../../rosenpass";
import { byName } from "../stack";
import type { Declared, Look, Wanted } from "./look";

export interface Row {
  kind: "link" | "mesh" | "segment";
  /** Name of the link, the mesh or the segment. */
  link: string;
  device: string;
  /** Node at the other end; of a segment nobody. */
  peer?: string;
  /** `idle`: there is no session, because none is needed or none comes about. `down`: the device or the peer is not there. */
  state: "up" | "idle" | "down";
  /** Where packets to it go. */
  endpoint?: string;
  /** Why there. */
  why?: string;
  /** Seconds since the last handshake; absent: there was none. */
  handshake?: number;
  /** The same as Unix time in seconds. */
  handshakeAt?: number;
  /** Bytes. */
  rx?: number;
  tx?: number;
  /** Bytes: as declared, as the device has it, and as packets have proven at the last run of Pulumi that looked. */
  mtu: { declared: number; device?: number; path?: number };
  /** `healthy`, or what is wrong; absent: no keys are exchanged. */
  postQuantum?: string;
  /** What the agent that chooses has last done about it. */
  decision?: { ago: number; text: string };
  /** Encrypted packets that were about to leave by a tunnel, and were dropped. */
  guard?: number;
}

export interface HostStatus {
  name: string;
  reachable: boolean;
  /** Why not. */
  fault?: string;
  /** Lines that differ, `- ` as declared and `+ ` as there. */
  drift: string[];
  rows: Row[];
}

export interface Status {
  stack: string;
  hosts: HostStatus[];
}

/** By name. */
type Looks = ReadonlyMap<string, Look>;

export const statusOf = (stack: string, all: readonly Wanted[], looks: Looks): Status => ({
  stack,
  hosts: all.map((wanted) => {
    const { name } = wanted.node;
    const { seen, fault, drift } = looks.get(name) ?? { drift: [] };
    return {
      name,
      reachable: seen !== undefined,
      ...(fault !== undefined && { fault }),
      drift,
      rows: seen ? wanted.declared.flatMap((declared) => rowsOf(declared, wanted, seen, looks)).sort(byLink) : [],
    };
  }),
});

const byLink = (a: Row, b: Row): number => byName(a.link, b.link) || byName(a.peer ?? "", b.peer ?? "");

function rowsOf(declared: Declared, wanted: Wanted, seen: Snapshot, looks: Looks): Row[] {
  const { token, spec } = declared;
  if (token === "overlay:vxlan:Member") return [memberRow(declared, seen)];
  if (token !== "overlay:wireguard:Interface") return [];
  const peers = spec.peer ? [spec.peer] : (spec.peers ?? []);
  return peers.map((peer: Peer) => peerRow(declared, peer, wanted, seen, looks));
}

const deviceMtu = (seen: Snapshot, device: string): number | undefined =>
  seen.links.find(({ ifname }) => ifname === device)?.mtu;

/** `outputs.pathMtu` has those ways that carry less than is declared. */
function mtuOf({ spec, outputs }: Declared, seen: Snapshot, peer: string): Row["mtu"] {
  const device = deviceMtu(seen, spec.device);
  const proven = outputs.pathMtu as Record<string, number> | undefined;
  const path = proven && (proven[peer] ?? spec.mtu);
  return { declared: spec.mtu, ...(device !== undefined && { device }), ...(path !== undefined && { path }) };
}

function memberRow({ spec, outputs }: Declared, seen: Snapshot): Row {
  const link = seen.links.find(({ ifname }) => ifname === spec.device);
  const proven = Object.values((outputs.pathMtu as Record<string, number> | undefined) ?? {});
  return {
    kind: "segment",
    link: spec.segment,
    device: spec.device,
    state: link?.flags.includes("UP") ? "up" : "down",
    mtu: {
      declared: spec.mtu,
      ...(link && { device: link.mtu }),
      ...(outputs.pathMtu !== undefined && { path: Math.min(spec.mtu, ...proven) }),
    },
  };
}

interface Peer {
  name: string;
  publicKey: string;
  endpoint?: string;
}

function peerRow(declared: Declared, peer: Peer, wanted: Wanted, seen: Snapshot, looks: Looks): Row {
  const { spec } = declared;
  const live = seen.wg
    .find(({ device }) => device === spec.device)
    ?.peers.find(({ publicKey }) => publicKey === peer.publicKey);
  const postQuantum = keysOf(wanted, spec.device, peer.name, looks);
  const decision = seen.decisions?.[`${peer.name} (${spec.device})`];
  const guard = guardOf(seen, spec.device);
  const ago = live && live.latestHandshake > 0 ? Math.max(0, seen.now - live.latestHandshake) : undefined;
  return {
    kind: spec.peer ? "link" : "mesh",
    link: spec.link,
    device: spec.device,
    peer: peer.name,
    state: !live ? "down" : ago !== undefined && ago < SESSION_SECONDS ? "up" : "idle",
    ...(live?.endpoint !== undefined && {
      endpoint: live.endpoint,
      why: why(live.endpoint, peer.endpoint, live.chosen),
    }),
    ...(ago !== undefined && live && { handshake: ago, handshakeAt: live.latestHandshake }),
    ...(live && { rx: live.rxBytes, tx: live.txBytes }),
    mtu: mtuOf(declared, seen, peer.name),
    ...(postQuantum !== undefined && { postQuantum }),
    ...(decision && { decision: { ago: Math.max(0, seen.now - decision.at), text: decision.text } }),
    ...(guard !== undefined && { guard }),
  };
}

function why(endpoint: string, declared: string | undefined, chosen: string[] | undefined): string {
  if (chosen?.includes(endpoint)) return endpoint === declared ? "chosen, as declared" : "chosen by the host";
  if (endpoint === declared) return "declared";
  if (chosen) return "the other end chooses";
  return declared === undefined ? "it called" : "it called from there";
}

/** As both ends see it, where both can be seen. */
function keysOf({ node, declared }: Wanted, device: string, peer: string, looks: Looks): string | undefined {
  const psk = declared.find(
    ({ token, spec }) => token === "overlay:rosenpass:Psk" && spec.device === device && spec.peer.name === peer,
  );
  if (!psk) return undefined;
  const exchange = (name: string): Exchange | undefined => looks.get(name)?.seen?.exchanges[psk.spec.name];
  const other = looks.get(peer);
  return health({ [node.name]: exchange(node.name), ...(other && { [peer]: exchange(peer) }) });
}

/** Packets that the loop guard has dropped, sdk/node/guard.ts. */
function guardOf({ nft }: Snapshot, device: string): number | undefined {
  for (const it of (nft["inet overlay"] ?? []) as { counter?: { name?: string; packets?: number } }[]) {
    if (it.counter?.name === `link-${device}`) return it.counter.packets;
  }
  return undefined;
}

/** Lines of drift of a host that are told: of one without its devices there are hundreds. */
const LINES = 20;

/** What is not as it should be, of a host and of its rows, in a sentence each. */
export function troubles({ name, fault, drift, rows }: HostStatus): string[] {
  const of = ({ link, peer }: Row): string => `${name}, ${link}${peer === undefined ? "" : ` to ${peer}`}`;
  return [
    ...(fault === undefined ? [] : [fault.includes(name) ? fault : `${name}: ${fault}`]),
    ...rows.flatMap((row) => [
      ...(row.state === "down" ? [`${of(row)}: ${row.device} or its peer is not there`] : []),
      ...((row.guard ?? 0) > 0
        ? [`${of(row)}: ${row.guard} packets were about to leave by a tunnel, and were dropped`]
        : []),
      ...(row.postQuantum === undefined || row.postQuantum === HEALTHY ? [] : [`${of(row)}: ${row.postQuantum}`]),
      ...(row.mtu.path !== undefined && row.mtu.path < row.mtu.declared
        ? [`${of(row)}: carries ${row.mtu.path} bytes in one piece, and its MTU is ${row.mtu.declared}`]
        : []),
    ]),
    ...(drift.length === 0 ? [] : [`${name} is not as declared:`, ...drift.slice(0, LINES).map((line) => `  ${line}`)]),
    ...(drift.length > LINES ? [`  and ${drift.length - LINES} more lines: pulumi refresh --diff`] : []),
  ];
}
