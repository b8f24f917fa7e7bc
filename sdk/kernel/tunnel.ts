/** Tunnels of others, which encrypted packets do not leave by unless somebody says so. */
import { link } from "./link";
import { isOurs } from "./marks";
import type { Snapshot } from "./snapshot";

/** IFLA_INFO_KIND of every device that puts packets into packets, ip-link(8). */
export const TUNNEL_KINDS = [
  "amt",
  "bareudp",
  "erspan",
  "geneve",
  "gre",
  "gretap",
  "gtp",
  "ip6erspan",
  "ip6gre",
  "ip6gretap",
  "ip6tnl",
  "ipip",
  "ovpn",
  "sit",
  "tun",
  "vti",
  "vti6",
  "vxlan",
  "wireguard",
  "xfrm",
];

/** The tunnel of somebody else's by which our encrypted packets to an address would leave; undefined where none is. */
export function tunnelTo(snapshot: Snapshot, address: string): { device: string; kind: string } | undefined {
  const device = snapshot.ways[address];
  const live = device === undefined ? undefined : link.read(snapshot, device);
  if (device === undefined || !live || isOurs(live) || !TUNNEL_KINDS.includes(live.type)) return undefined;
  return { device, kind: live.type };
}
