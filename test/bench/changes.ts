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

/** What can happen to a link: each of its fields with another value, and a mesh where it was. */
export const linkChanges: Record<string, Change> = {
  "link removed": removal,
  "link's mtu": field({ mtu: 1400 }),
  "link's keepalive": field({ keepalive: 15 }),
  "link's family (the endpoints)": field({ family: "inet6" }),
  "link's ports (the listen ports)": field({ ports: { a: 12001, b: 12002 } }),
  "link's alsoPorts": field({ alsoPorts: { a: [443] } }),
  "link's devices (it is made again)": field({ devices: { a: "to-hkg", b: "to-lux" } }),
  "link's rotate (keys of its own)": field({ rotate: "bench" }),
  "a mesh in the link's place": (network) => ({ ...removal(network), mesh: { nodes: CHANGED.split("-") } }),
};

/** What stands beside the links on a node that two of them share. */
export const nodeChanges: Record<string, Change> = {
  "node's addresses": (network) => withNode(network, "lux", { addresses: [...overlayAddresses(1), "10.255.0.11"] }),
  "node's prefixes": (network) =>
    withNode(network, "lux", { prefixes: ["10.255.0.0/24", "fd00:6f::/48", "10.254.0.0/24"] }),
  "node's underlay.devices (the guard)": (network) => withNode(network, "lux", { underlay: { devices: ["tun9"] } }),
  "node's sysctls": (network) => withNode(network, "lux", { sysctls: { "net/ipv4/ip_forward": "1" } }),
  "node's relay": (network) => withNode(network, "lux", { relay: [{ a: "fra", b: "hkg" }] }),
};
