/** What can happen to one link, and to the nodes that it shares with others. */
import { type Link, type Network, overlayAddresses, withLink, withNode, withoutLink } from "./network";

/** The link of the lab that is changed. */
const CHANGED = "lux-hkg";

/** Where packets go by the links that are not. */
const [fra] = overlayAddresses(2);
const [, hkg] = overlayAddresses(3);
export const others = [
  { from: "lux", address: fra },
  { from: "fra", address: hkg },
];

export type Change = (network: Network) => Network;

export const removal: Change = (network) => withoutLink(network, CHANGED);

const field =
  (change: Partial<Link>): Change =>
  (network) =>
    withLink(network, CHANGED, change);

/** Each field of a link, with another value. */
export const linkChanges: Record<string, Change> = {
  mtu: field({ mtu: 1400 }),
  keepalive: field({ keepalive: 15 }),
  "family (the endpoints)": field({ family: "inet6" }),
  "ports (the listen ports)": field({ ports: { a: 12001, b: 12002 } }),
  alsoPorts: field({ alsoPorts: { a: [443] } }),
  "devices (the link is made again)": field({ devices: { a: "to-hkg", b: "to-lux" } }),
};

/** What stands beside the links on a node that two of them share. */
export const nodeChanges: Record<string, Change> = {
  addresses: (network) => withNode(network, "lux", { addresses: [...overlayAddresses(1), "10.255.0.11"] }),
  prefixes: (network) => withNode(network, "lux", { prefixes: ["10.255.0.0/24", "fd00:6f::/48", "10.254.0.0/24"] }),
  "underlay.devices (the guard)": (network) => withNode(network, "lux", { underlay: { devices: ["tun9"] } }),
  sysctls: (network) => withNode(network, "lux", { sysctls: { "net/ipv4/ip_forward": "1" } }),
};
