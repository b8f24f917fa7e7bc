/**
 * What of an interface and of a host can change, one field a row: the change, and what then holds on the host, in the words
 * of its shell. Fields without a row are told in the end, with who sees to them.
 */
import type { Values } from "../../../sdk/provider/wire";

export type Row = [field: string, change: Values, proof: string, quiet?: "fra is not heard"];

/** Of lux's side of its link with fra. `peer.` is of its peer; what is undefined is left out. */
export const INTERFACE: Row[] = [
  ["mtu", { mtu: 1380 }, "cat /sys/class/net/inter-fra/mtu | grep -x 1380"],
  ["listenPort", { listenPort: 12345 }, "wg show inter-fra listen-port | grep -x 12345"],
  ["alsoPorts", { alsoPorts: [443] }, "nft list table inet overlay-inter-fra | grep 443"],
  ["addresses", { addresses: ["10.255.0.1"] }, "! ip -6 addr show inter-fra | grep fd00"],
  ["link", { link: "other" }, "ip link show inter-fra | grep net/test:other"],
  ["device", { device: "to-fra" }, "ip link show to-fra && ! ip link show inter-fra"],
  ["forwards", { forwards: true }, "grep -x 1 /proc/sys/net/ipv4/conf/inter-fra/forwarding"],
  ["id", { id: 17 }, "ip addr show inter-fra | grep fe80::11/64"],
  [
    "relayed",
    { relayed: [{ name: "hkg", by: "fra", addresses: ["10.255.0.3", "fd00:6f::3"] }] },
    "ip route show 10.255.0.3 | grep 'dev inter-fra .*metric 8194' && ip -6 route show fd00:6f::3 | grep inter-fra",
  ],
  ["peer.keepalive", { peer: { keepalive: 5 } }, "wg show inter-fra persistent-keepalive | grep -w 5"],
  ["peer.keepalive", { peer: { keepalive: undefined } }, "wg show inter-fra persistent-keepalive | grep off"],
  ["peer.endpoint", { peer: { endpoint: "[2001:db8:2::9]:11001" } }, "wg show inter-fra endpoints | grep 2001"],
  [
    "peer.endpoint",
    { peer: { endpoint: undefined } },
    "wg show inter-fra endpoints | grep -F '(none)'",
    "fra is not heard",
  ],
  [
    "peer.addresses",
    { peer: { addresses: ["10.255.0.2", "10.255.0.22"] } },
    "ip route show proto 111 | grep 10.255.0.22 && ! ip -6 route show proto 111 | grep fd00:6f::2",
  ],
  [
    "peer.routes",
    { peer: { routes: ["192.168.9.0/24", "fd00:9::/64"] } },
    "ip route show table 111 | grep '192.168.9.0/24 dev inter-fra' && ip -6 route show table 111 | grep 'fd00:9::/64 dev inter-fra'",
  ],
  [
    "peer.publicKey",
    { peer: { publicKey: "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=" } },
    "wg show inter-fra peers | grep -x 'hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo='",
  ],
];

/** Of lux. */
export const HOST: Row[] = [
  ["prefixes", { prefixes: ["10.255.0.0/16", "fd00:6f::/48"] }, "ip route show type unreachable | grep 10.255.0.0/16"],
  ["underlay", { underlay: ["tun9"] }, "nft list table inet overlay | grep tun9"],
  ["sysctls", { sysctls: { "net.ipv4.ip_forward": "1" } }, "cat /proc/sys/net/ipv4/ip_forward | grep -x 1"],
  ["clampMss", { clampMss: false }, "nft list table inet overlay && ! nft list table inet overlay | grep maxseg"],
  [
    "relay",
    { relay: [{ a: { name: "fra", addresses: ["fd00:6f::2"] }, b: { name: "hkg", addresses: ["fd00:6f::3"] } }] },
    "nft list chain inet overlay forward | grep fd00:6f::3 && grep -x 1 /proc/sys/net/ipv6/conf/all/forwarding",
  ],
  [
    "packages",
    { packages: "install" },
    "grep -x '# overlay:node:Host::lux' /etc/overlay/boot.d/10-node && command -v wg",
  ],
];

/** Fields that no row changes, and why; files are those of other tests. */
export const ELSEWHERE: Record<"interface" | "peer" | "host", Record<string, string>> = {
  interface: {
    node: "fixed: the machine's",
    owner: "fixed: the stack's, whose.test.ts",
    key: "keys.test.ts",
    adopts: "keys.test.ts, drift.test.ts",
    family: "narrow.test.ts",
    prefixes: "is checked and not told to the kernel: ../../sdk/wireguard",
    underlay: "is checked and not told to the kernel: ../../sdk/wireguard/faults.test.ts",
    called: "is asked of firewalls: firewalls.test.ts",
    firewall: "firewalls.test.ts",
    firewallChain: "firewalls.test.ts",
    forwardChain: "firewalls.test.ts",
    peer: "by its fields",
    peers: "peers.test.ts",
    behind: "is a warning and not told to the kernel: firewalls.test.ts",
  },
  peer: {
    name: "names it in messages",
    id: "is that of relays: relayed",
    foreign: "is asked when it is silent: ../../sdk/provider/handshakes.test.ts",
  },
  host: {
    node: "fixed: the machine's",
    owner: "fixed: the stack's, whose.test.ts",
    formerly: "whose.test.ts",
    id: "is told by the interfaces",
    addresses: "are told by the interfaces",
    adopts: "keys.test.ts",
    firewall: "firewalls.test.ts",
    firewallChain: "firewalls.test.ts",
    forwardChain: "firewalls.test.ts",
  },
};
