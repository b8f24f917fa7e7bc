/** What a VXLAN device is made with, RFC 7348, in the words of `ip link … type vxlan`, ip-link(8). */
import { family } from "../network/address";
import type { LinkJson } from "./snapshot";

export interface Vxlan {
  /** VXLAN network identifier. Absent: each route says its own (`external`). */
  vni?: number;
  /** UDP, 4789 at IANA. */
  port: number;
  /** Of the outer packets; 0: the host's own. */
  ttl: number;
  /** Address of this VTEP, where packets come from. */
  local?: string;
  /** The one other VTEP. */
  remote?: string;
  /** In place of `remote`, all other VTEPs, and the device on which they are asked for. */
  group?: { address: string; device: string };
  /** Whether the VTEP of a MAC address is taken from what comes from there. */
  learning: boolean;
  /** Whether the host answers ARP and ND inside for those that it has neighbour entries for. */
  proxy?: boolean;
  /** Whether packets to a router's MAC address go straight to the host beyond it. */
  rsc?: boolean;
  /** Whether the host says which MAC address, or IP address, it has no entry for. */
  l2miss?: boolean;
  l3miss?: boolean;
  /** Whether outer packets over IPv6 may have no checksum, RFC 6935: those of `external` have none. */
  zeroChecksum6?: boolean;
}

/** What vxlan_changelink (drivers/net/vxlan/vxlan_core.c) refuses, or does by half: a group is joined by `up` alone. */
const fixed = ({ vni, port, group, proxy, rsc, l2miss, l3miss, zeroChecksum6 }: Vxlan): string[] => [
  vni === undefined ? "external" : `id ${vni}`,
  `dstport ${port}`,
  ...(group ? [`group ${group.address} dev ${group.device}`] : []),
  ...(proxy ? ["proxy"] : []),
  ...(rsc ? ["rsc"] : []),
  ...(l2miss ? ["l2miss"] : []),
  ...(l3miss ? ["l3miss"] : []),
  ...(zeroChecksum6 ? ["udp6zerocsumtx udp6zerocsumrx"] : []),
];

const changeable = ({ ttl, local, remote, learning }: Vxlan): string[] => [
  `ttl ${ttl}`,
  ...(local === undefined ? [] : [`local ${local}`]),
  ...(remote === undefined ? [] : [`remote ${remote}`]),
  learning ? "learning" : "nolearning",
];

/** No word takes an address away, and none may be of another family. */
const families = ({ local, remote }: Vxlan): string =>
  [local, remote].map((address) => (address === undefined ? "" : family(address))).join();

export const vxlanWords = (value: Vxlan): string[] => [...fixed(value), ...changeable(value)];

/** The words that differ, or "again" where the kernel has no way from the one to the other. */
export function vxlanChange(live: Vxlan, wanted: Vxlan): string[] | "again" {
  if (fixed(live).join() !== fixed(wanted).join() || families(live) !== families(wanted)) return "again";
  const before = changeable(live);
  return changeable(wanted).filter((words) => !before.includes(words));
}

/** The data of `ip -d link`, iproute2 ip/iplink_vxlan.c. */
interface Data {
  id?: number;
  external?: boolean;
  port?: number;
  ttl?: number;
  local?: string;
  local6?: string;
  remote?: string;
  remote6?: string;
  group?: string;
  group6?: string;
  link?: string;
  learning?: boolean;
  proxy?: boolean;
  rsc?: boolean;
  l2miss?: boolean;
  l3miss?: boolean;
  udp_zero_csum6_tx?: boolean;
  udp_zero_csum6_rx?: boolean;
}

/** `wanted`: what iproute2 before 5.18 does not show of an external device is taken from there. */
export function readVxlan({ linkinfo }: LinkJson, wanted?: Vxlan): Vxlan {
  const data = (linkinfo?.info_data ?? {}) as Data;
  const [local, remote, group] = [data.local ?? data.local6, data.remote ?? data.remote6, data.group ?? data.group6];
  return {
    ...(!data.external && data.id !== undefined && { vni: data.id }),
    port: data.port ?? wanted?.port ?? 0,
    ttl: data.ttl ?? wanted?.ttl ?? 0,
    ...(local !== undefined && { local }),
    ...(remote !== undefined && { remote }),
    ...(group !== undefined && { group: { address: group, device: data.link ?? "" } }),
    learning: data.learning ?? wanted?.learning ?? false,
    ...(data.proxy && { proxy: true }),
    ...(data.rsc && { rsc: true }),
    ...(data.l2miss && { l2miss: true }),
    ...(data.l3miss && { l3miss: true }),
    ...(data.udp_zero_csum6_tx && data.udp_zero_csum6_rx && { zeroChecksum6: true }),
  };
}

/** What the device floods to by itself: the kernel shows that as an entry of its forwarding database. */
export const defaultDestination = (json: LinkJson): string | undefined => {
  const { remote, group } = readVxlan(json);
  return remote ?? group?.address;
};
