/** A member of a segment as facts: the device, what it knows of the others, and what closes it. */
import { type Fact, factId } from "../kernel/fact";
import { EVERYBODY } from "../kernel/fdb";
import { fact } from "../kernel/kinds";
import { alias, ROUTE_METRIC, ROUTE_TABLE, SEGMENT_GROUP } from "../kernel/marks";
import type { Route } from "../kernel/route";
import type { Vxlan } from "../kernel/vxlan";
import { type Family, family, host } from "../network/address";
import { carriesIpv6, IPV6_MIN_MTU } from "../network/mtu";
import { closed } from "./closed";
import type { Peer, Spec } from "./spec";

/** Addresses of an array of fields with the length of their prefix, without it. */
const plain = (addresses: readonly string[]): string[] => addresses.map((it) => it.split("/")[0] ?? "");

/**
 * Whom a VTEP may learn addresses from. Not where packets go past a router: they come from everywhere with the router's
 * MAC address, and where that has an entry for good a learning device drops them (vxlan_core.c, vxlan_snoop).
 */
const LEARNS: Spec["variant"][] = ["point-to-point", "multicast", "static-flood"];

function device({ vni, variant, port, ttl, local, peers, group, underlay }: Spec): Vxlan {
  const base = { port, ttl, learning: LEARNS.includes(variant) };
  const [first] = peers;
  switch (variant) {
    case "unicast-routing":
      // Lightweight tunnels send no checksums, which over IPv6 the other side must be told to take: RFC 6935.
      return { ...base, ...(family(local) === "inet6" && { zeroChecksum6: true }) };
    case "point-to-point":
      return { ...base, vni, local, ...(first && { remote: first.vtep }) };
    case "multicast":
      return { ...base, vni, local, group: { address: group ?? "", device: underlay ?? "" } };
    case "static-arp-nd":
      return { ...base, vni, local, proxy: true };
    case "route-short-circuit":
      return { ...base, vni, local, rsc: true };
    default:
      return { ...base, vni, local };
  }
}

/** Whoever is at a peer, itself first. */
const at = ({ mac, addresses, behind }: Peer): { mac: string; addresses: string[] }[] => [
  { mac, addresses: plain(addresses) },
  ...behind,
];

/** What is for all is sent to each. */
const flood = ({ device, peers }: Spec, link: string): Fact[] =>
  peers.map(({ vtep }) => fact("fdb", { device, mac: EVERYBODY, dst: vtep }, link));

const macs = ({ device, peers }: Spec, link: string): Fact[] =>
  peers.flatMap((peer) => at(peer).map(({ mac }) => fact("fdb", { device, mac, dst: peer.vtep }, link)));

const neighbours = ({ device, peers }: Spec, link: string): Fact[] =>
  peers
    .flatMap(at)
    .flatMap(({ mac, addresses }) => addresses.map((address) => fact("neighbour", { device, address, mac }, link)));

const source = ({ addresses }: Spec, of: Family): string | undefined =>
  plain(addresses).find((own) => family(own) === of);

/** The entry of the router, and how the member itself comes to think of going there. */
function shortCircuit(spec: Spec, link: string): Fact[] {
  const { device, router, peers } = spec;
  const behind = peers.find(({ name }) => name === router?.at) ?? peers[0];
  if (!router || !behind) return [];
  const { mac, addresses, routes } = router;
  return [
    fact("fdb", { device, mac, dst: behind.vtep, router: true }, link),
    ...addresses.map((address) => fact("neighbour", { device, address, mac }, link)),
    ...routes.flatMap((dst) => {
      const via = addresses.find((it) => family(it) === family(dst));
      const src = source(spec, family(dst));
      return via === undefined || src === undefined
        ? []
        : [fact("route", { dst, device, metric: ROUTE_METRIC, src, via }, link)];
    }),
  ];
}

/**
 * The device checks that packets are for its own MAC address, so each neighbour's must be known. None to an address of a
 * family that the node has none of: it could not be answered.
 */
function routed(spec: Spec, link: string): Fact[] {
  const { device, vni: id, local, peers, ttl } = spec;
  return peers.flatMap(({ mac, vtep, addresses, routes }) => {
    const encap = { id, src: local, dst: vtep, ttl };
    const way = (dst: string, more: Partial<Route> = {}): Fact[] => {
      const src = source(spec, family(dst));
      return src === undefined ? [] : [fact("route", { dst, device, metric: ROUTE_METRIC, src, encap, ...more }, link)];
    };
    const own = plain(addresses);
    return [
      ...own.map((address) => fact("neighbour", { device, address, mac }, link)),
      ...own.flatMap((address) => way(host(address))),
      ...routes.flatMap((dst) => {
        const via = own.find((it) => family(it) === family(dst));
        return via === undefined ? [] : way(dst, { via, table: String(ROUTE_TABLE) });
      }),
    ];
  });
}

/** What lies behind the others, in the table that encrypted packets never look into. */
const beyond = (spec: Spec, link: string): Fact[] =>
  spec.peers.flatMap(({ addresses, routes }) =>
    routes.flatMap((dst) => {
      const via = plain(addresses).find((it) => family(it) === family(dst));
      const src = source(spec, family(dst));
      if (via === undefined || src === undefined) return [];
      const value = { dst, device: spec.device, table: String(ROUTE_TABLE), metric: ROUTE_METRIC, src, via };
      return [fact("route", value, link)];
    }),
  );

function entries(spec: Spec, link: string): Fact[] {
  switch (spec.variant) {
    case "point-to-point":
    case "multicast":
      return [];
    case "static-flood":
      return flood(spec, link);
    case "static-l2":
      return [...flood(spec, link), ...macs(spec, link)];
    case "static-arp-nd":
      return [...macs(spec, link), ...neighbours(spec, link)];
    case "route-short-circuit":
      return [...flood(spec, link), ...macs(spec, link), ...neighbours(spec, link), ...shortCircuit(spec, link)];
    case "unicast-routing":
      return routed(spec, link);
  }
}

/** Nobody in the segment may set addresses or a default route here; two hosts with one address are seen to before. */
export const settings = (device: string, six: boolean, link: string): Fact[] =>
  [
    { name: `net/ipv4/conf/${device}/rp_filter`, value: "2" },
    ...(six
      ? [
          { name: `net/ipv6/conf/${device}/accept_dad`, value: "0" },
          { name: `net/ipv6/conf/${device}/accept_ra`, value: "0" },
          { name: `net/ipv6/conf/${device}/disable_ipv6`, value: "0" },
        ]
      : []),
  ].map((value) => fact("sysctl", value, link));

/** Link-local, with the node's id as interface identifier: RFC 4291, section 2.5.6. */
export const linkLocal = (id: number): string => `fe80::${id.toString(16)}/64`;

export function plan(spec: Spec): Fact[] {
  const { device: name, variant, bridge } = spec;
  const six = carriesIpv6(spec);
  const made = fact("link", {
    device: name,
    type: "vxlan",
    mtu: spec.mtu,
    group: SEGMENT_GROUP,
    alias: alias(spec.owner, spec.segment),
    addrgenmode: "none",
    up: true,
    mac: spec.mac,
    vxlan: device(spec),
  });
  const link = factId(made);
  // A prefix that is routed to each member by itself is nobody's network.
  const own = variant === "unicast-routing" ? plain(spec.addresses).map(host) : spec.addresses;
  const addresses = [...(six && bridge === undefined ? [linkLocal(spec.id)] : []), ...own];
  return [
    closed(spec),
    made,
    ...settings(name, spec.mtu >= IPV6_MIN_MTU, link),
    ...entries(spec, link),
    ...(variant === "unicast-routing" ? [] : beyond(spec, link)),
    // Isolated: two segments in one bridge reach its other ports, and not each other.
    ...(bridge === undefined ? [] : [fact("bridgePort", { device: name, bridge, isolated: true }, link)]),
    ...addresses.map((address) => fact("address", { device: name, address }, link)),
  ];
}
