/** What can happen to one link, and to the nodes that it shares with others. */
import { publicKeys } from "../sdk/publicKeys";
import { type Link, type Mesh, type Network, overlayAddresses, withLink, withNode, withoutLink } from "./network";

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

const meshed =
  (change: Partial<Mesh>): Change =>
  (network) => ({ ...removal(network), mesh: { nodes: CHANGED.split("-"), ...change } });

/** A mesh where the link was. */
export const inMesh = meshed({});

/** The firewall of a host's owner, which lets everything in. */
export const CHAIN = {
  name: "inet owners input",
  made: "nft add table inet owners; nft 'add chain inet owners input { type filter hook input priority 0; }'",
};

const [publicKey = ""] = publicKeys(1);
const MACHINE = { name: "phone", id: 90, publicKey, addresses: ["10.254.1.1"] };

/** What can happen to a link: each of its fields with another value, and a mesh where it was. */
export const linkChanges: Record<string, Change> = {
  "link removed": removal,
  "link's mtu": field({ mtu: 1400 }),
  "link's keepalive": field({ keepalive: 15 }),
  "link's family (the endpoints)": field({ family: "inet6" }),
  "link's ports (the listen ports)": field({ ports: { a: 12001, b: 12002 } }),
  "link's alsoPorts": field({ alsoPorts: { a: [443] } }),
  "link's devices (it is made again)": field({ devices: { a: "to-hkg", b: "to-lux" } }),
  "link's routes (what lies behind a node)": field({ routes: { b: ["192.168.7.0/24"] } }),
  "link's rotate (keys of its own)": field({ rotate: "bench" }),
  "a mesh in the link's place": inMesh,
};

/** What can happen to it. */
export const meshChanges: Record<string, Change> = {
  "mesh's mtu": meshed({ mtu: 1400 }),
  "mesh's keepalive": meshed({ keepalive: 15 }),
  "mesh's routes (what lies behind a node)": meshed({ routes: { hkg: ["192.168.7.0/24"] } }),
  "mesh's peers (somebody else's machine)": meshed({ peers: [MACHINE] }),
};

/** What stands beside the links on a node that two of them share. */
export const nodeChanges: Record<string, Change> = {
  "node's addresses": (network) => withNode(network, "lux", { addresses: [...overlayAddresses(1), "10.255.0.11"] }),
  "node's prefixes": (network) =>
    withNode(network, "lux", { prefixes: ["10.255.0.0/24", "fd00:6f::/48", "10.254.0.0/24"] }),
  "node's underlay.devices (the guard)": (network) => withNode(network, "lux", { underlay: { devices: ["tun9"] } }),
  "node's sysctls": (network) => withNode(network, "lux", { sysctls: { "net/ipv4/ip_forward": "1" } }),
  "node's clampMss": (network) => withNode(network, "lux", { clampMss: false }),
  "node's relay": (network) => withNode(network, "lux", { relay: [{ a: "fra", b: "hkg" }] }),
};

/** The same where lux has CHAIN. */
export const firewallChanges: Record<string, Change> = {
  "node's firewall": (network) => withNode(network, "lux", { firewall: "nftables", firewallChain: CHAIN.name }),
};
