/** A peer of a WireGuard device, wg(8). */
import { parseEndpoint } from "../network/address";
import { rememberedOf } from "../remembered";
import type { Kind } from "./fact";
import type { Snapshot, WgPeerLive } from "./snapshot";
import { ANYWHERE } from "./wg";

export interface WgPeer {
  device: string;
  publicKey: string;
  allowedIps: string[];
  /** `203.0.113.5:11002` or `[2001:db8::5]:11002`; absent: the peer calls us. */
  endpoint?: string;
  /** Seconds; absent: off. */
  keepalive?: number;
}

/** Seconds after which a session is dead: REJECT_AFTER_TIME in the WireGuard paper, section 6.1. */
export const SESSION_SECONDS = 180;

const key = (value: WgPeer): string => `${value.device} ${value.publicKey}`;
const sorted = (ips: string[]): string => ips.toSorted().join();

const settings = (value: WgPeer): string[] => [
  `allowed-ips ${sorted(value.allowedIps)}`,
  ...(value.endpoint ? [`endpoint ${value.endpoint}`] : []),
  ...(value.keepalive ? [`persistent-keepalive ${value.keepalive}`] : []),
];

const set = (value: WgPeer, words: string[]): string =>
  `wg set ${value.device} peer ${value.publicKey} ${words.join(" ")}`;

/** Worked out once: a mesh's nodes have the same peers. */
const line = rememberedOf((value: WgPeer) => [set(value, settings(value))]);

/**
 * WireGuard moves a peer's endpoint to wherever its last authenticated packet came from. While a session lives, that
 * is the host's own choice and no drift; for a peer without a wanted endpoint it is so once it has ever called. What was
 * chosen among several (sdk/host/agents/choose) is so always: to write another would undo the choice.
 */
function endpoint(live: WgPeerLive, snapshot: Snapshot, wanted: WgPeer | undefined): string | undefined {
  if (!wanted || live.endpoint === undefined) return live.endpoint;
  if (live.chosen?.some((it) => it === ANYWHERE || it === live.endpoint)) return wanted.endpoint;
  // A host's clock may be set back, to 1970 at worst: then handshakes are in the future, and 0 (none) is a moment ago.
  const age = live.latestHandshake > 0 ? Math.abs(snapshot.now - live.latestHandshake) : SESSION_SECONDS;
  const roams = wanted.endpoint ? age < SESSION_SECONDS : live.latestHandshake > 0;
  return roams ? wanted.endpoint : live.endpoint;
}

function fromLive(live: WgPeerLive, snapshot: Snapshot, device: string, wanted?: WgPeer): WgPeer {
  const at = endpoint(live, snapshot, wanted);
  return {
    device,
    publicKey: live.publicKey,
    allowedIps: [...live.allowedIps].sort(),
    ...(at !== undefined && { endpoint: at }),
    ...(live.keepalive > 0 && { keepalive: live.keepalive }),
  };
}

const peers = (snapshot: Snapshot, device: string): WgPeerLive[] =>
  snapshot.wg.find((wg) => wg.device === device)?.peers ?? [];

export const wgPeer: Kind<WgPeer> = {
  volatile: true,
  // Who comes in its place takes its allowed IPs from it: at no moment is there nobody to send packets to.
  lingers: true,
  key,
  lines: line,
  queries(value) {
    const at = parseEndpoint(value.endpoint ?? "");
    return at ? [`way ${at.address}`] : [];
  },
  read(snapshot, wantedKey, wanted) {
    const [device = "", publicKey] = wantedKey.split(" ");
    const live = peers(snapshot, device).find((peer) => peer.publicKey === publicKey);
    return live && fromLive(live, snapshot, device, wanted);
  },
  on: (snapshot, device) => peers(snapshot, device).map((live) => fromLive(live, snapshot, device)),
  set(live, wanted) {
    if (!wanted) return live ? [`wg set ${live.device} peer ${live.publicKey} remove`] : [];
    if (!live) return wgPeer.lines(wanted);
    // wg(8) has no word that takes an endpoint away.
    if (live.endpoint && !wanted.endpoint) return "again";
    const before = settings(live);
    const changed = settings(wanted).filter((words) => !before.includes(words));
    if (live.keepalive && !wanted.keepalive) changed.push("persistent-keepalive off");
    return changed.length > 0 ? [set(wanted, changed)] : [];
  },
};
