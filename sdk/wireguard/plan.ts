/** A WireGuard device, of a link or a mesh, as facts. */
import { type Fact, factId } from "../kernel/fact";
import { opening, passing } from "../kernel/firewall";
import { fact } from "../kernel/kinds";
import { isPlaceholder } from "../kernel/later";
import {
  alias,
  comment,
  deviceKey,
  FWMARK,
  LINK_GROUP,
  OWN_WAYS_PREF,
  RELAY_METRIC,
  ROUTE_METRIC,
  ROUTE_TABLE,
  WIREGUARD_KEY,
} from "../kernel/marks";
import type { Route } from "../kernel/route";
import type { WgPeer } from "../kernel/wgPeer";
import { type Family, family, host } from "../network/address";
import { carriesIpv6, IPV6_MIN_MTU } from "../network/mtu";
import { isDefault } from "../network/overlaps";
import { rememberedOf } from "../remembered";
import type { Peer, Spec } from "./spec";

/** One link, one peer: which packets it carries is for routes to say. */
const everything = ({ family: only }: Spec): string[] => ["0.0.0.0/0", ...(only === undefined ? ["::/0"] : [])];

function redirect(spec: Spec): Fact[] {
  if (spec.alsoPorts.length === 0) return [];
  const table = `inet overlay-${spec.device}`;
  const ports = [...new Set(spec.alsoPorts)].sort((a, b) => a - b);
  const match = ports.length === 1 ? `${ports[0]}` : `{ ${ports.join(", ")} }`;
  return [
    fact("nftTable", {
      family: "inet",
      name: `overlay-${spec.device}`,
      lines: [
        `add table ${table}`,
        `add chain ${table} also { type nat hook prerouting priority -100 ; policy accept ; }`,
        `add rule ${table} also fib daddr type local udp dport ${match} redirect to :${spec.listenPort}`,
      ],
    }),
  ];
}

/** None to an address of a family that the node has none of: it could not be answered. */
function routes({ device, addresses }: Spec, link: string, to: readonly string[], more: Partial<Route> = {}): Fact[] {
  const source = (of: Family) => addresses.find((own) => family(own) === of);
  const sources = { inet: source("inet"), inet6: source("inet6") };
  // One family after the other: a mesh's thousands are then in order but for a few.
  const made: Record<Family, Fact[]> = { inet: [], inet6: [] };
  for (const dst of to) {
    const of = family(dst);
    const [src, metric] = [sources[of], ROUTE_METRIC];
    if (isPlaceholder(dst)) made[of].push(fact("route", { dst, device, metric, ...more }, link));
    else if (src !== undefined) made[of].push(fact("route", Object.assign({ dst, device, metric, src }, more), link));
  }
  return [...made.inet, ...made.inet6];
}

/** What the firewall of the host is told. `alsoPorts` are redirected before anybody asks whether they may come in. */
export function rulesOfOthers(spec: Spec): Fact[] {
  const whose = comment(spec.owner, spec.link);
  return [...opening(spec, spec.listenPort, whose), ...(spec.forwards ? passing(spec, spec.device, whose) : [])];
}

/** Of IPv4; that of IPv6 is the whole host's. */
export const forwarding = (device: string): string => `net/ipv4/conf/${device}/forwarding`;

const prefix = (address: string): string => (isPlaceholder(address) ? address : host(address));
const own = ({ addresses }: Peer): string[] => (typeof addresses === "string" ? [addresses] : addresses.map(prefix));

function wgPeer(device: string, allowedIps: string[], peer: Peer): Fact {
  const { publicKey, endpoint, keepalive } = peer;
  const value: WgPeer = { device, publicKey, allowedIps };
  if (endpoint !== undefined) value.endpoint = endpoint;
  if (keepalive !== undefined) value.keepalive = keepalive;
  return fact("wgPeer", value, factId({ kind: "link", key: device }));
}

/** A peer of a mesh, and its addresses: the same on every node, as the device is. */
const meshPeer = rememberedOf((peer: Peer, device) => {
  const to = own(peer);
  return { peer, own: to, fact: wgPeer(device, [...to, ...peer.routes], peer) };
});

/** Nodes that a peer forwards to. */
const beyondRelay = ({ relayed }: Spec, { name }: Peer) => relayed.filter(({ by }) => by === name);

/** Worse than those of every way without a relay; of two relays both ends take the one with the smaller id. */
const relayRoutes = (spec: Spec, link: string, peer: Peer): Fact[] =>
  beyondRelay(spec, peer).flatMap(({ addresses, mtu }) =>
    routes(spec, link, addresses.map(host), {
      metric: RELAY_METRIC + peer.id,
      ...(mtu !== undefined && mtu < spec.mtu && { mtu }),
    }),
  );

/** The other side of a link, or the other nodes of a mesh. */
const all = ({ peer, peers = [] }: Spec): Peer[] => (peer ? [peer] : peers);

/** With its own addresses. */
function known(spec: Spec, peer: Peer): { peer: Peer; own: string[]; fact: Fact } {
  const { device } = spec;
  if (spec.peer) return { peer, own: own(peer), fact: wgPeer(device, everything(spec), peer) };
  const mine = meshPeer(peer, device);
  const far = beyondRelay(spec, peer).flatMap(({ addresses }) => addresses.map(host));
  if (far.length === 0) return mine;
  return { ...mine, fact: wgPeer(device, [...mine.own, ...peer.routes, ...far], peer) };
}

function peers(spec: Spec, link: string): Fact[] {
  const others = all(spec).map((peer) => known(spec, peer));
  // What lies behind a peer may hold its endpoint as well: encrypted packets never look into the table of our own.
  const beyond = others.flatMap(({ peer }) => peer.routes);
  return [
    ...others.map(({ fact }) => fact),
    ...routes(
      spec,
      link,
      others.flatMap(({ own }) => own),
    ),
    ...others.flatMap(({ peer }) => relayRoutes(spec, link, peer)),
    ...routes(spec, link, beyond, { table: String(ROUTE_TABLE) }),
  ];
}

/** A default route in our own table comes before all that the host itself is connected to, but for this. */
const ownWays = (spec: Spec): Fact[] =>
  all(spec).some(({ routes }) => routes.some(isDefault))
    ? (["inet", "inet6"] as const).map((family) =>
        fact("rule", { family, pref: OWN_WAYS_PREF, table: "main", suppressPrefixLength: 0 }),
      )
    : [];

/** Not stopped: that would take the device down. Without its file wg-quick(8) cannot do so either. */
const withoutWgQuick = (device: string, link: string): Fact[] => [
  fact("unit", { name: `wg-quick@${device}.service`, enabled: false }, link),
  fact("backup", { path: `/etc/wireguard/${device}.conf` }, link),
];

const keyOf = ({ device, key }: Spec): string => (key === undefined ? WIREGUARD_KEY : deviceKey(device, key));

export function plan(spec: Spec): Fact[] {
  const { device } = spec;
  const adopt = spec.adopts.includes(device);
  const made = fact("link", {
    device,
    type: "wireguard",
    mtu: spec.mtu,
    group: LINK_GROUP,
    alias: alias(spec.owner, spec.link),
    addrgenmode: "none",
    up: true,
    ...(adopt && { adopt }),
  });
  const link = factId(made);
  // Link-local, the same on every link of the node: RFC 4291, 2.5.6, with the node's id as interface identifier.
  const linkLocal = carriesIpv6(spec) ? [`fe80::${spec.id.toString(16)}/64`] : [];

  return [
    made,
    // Nobody on the other side may set addresses or a default route here, and packets may arrive by one link and
    // leave by another: 2 is loose mode, RFC 3704. Many images switch IPv6 off for every new device.
    ...(spec.mtu >= IPV6_MIN_MTU
      ? [
          fact("sysctl", { name: `net/ipv6/conf/${device}/accept_ra`, value: "0" }, link),
          fact("sysctl", { name: `net/ipv6/conf/${device}/disable_ipv6`, value: "0" }, link),
        ]
      : []),
    fact("sysctl", { name: `net/ipv4/conf/${device}/rp_filter`, value: "2" }, link),
    // Of IPv4 on this device alone, so that the host becomes no router between its other networks.
    ...(spec.forwards ? [fact("sysctl", { name: forwarding(device), value: "1" }, link)] : []),
    fact("wgDevice", { device, listenPort: spec.listenPort, fwmark: FWMARK, privateKeyFile: keyOf(spec) }, link),
    ...peers(spec, link),
    ...ownWays(spec),
    ...[...linkLocal, ...spec.addresses.map(host)].map((address) => fact("address", { device, address }, link)),
    fact("nftElement", {
      table: "inet overlay",
      map: "guard",
      key: String(spec.listenPort),
      counter: `link-${device}`,
    }),
    ...rulesOfOthers(spec),
    ...redirect(spec),
    ...(adopt ? withoutWgQuick(device, link) : []),
  ];
}
