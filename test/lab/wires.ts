/**
 * The lab's cables and routers, as commands of ip(8), sysctl(8) and nft(8). Pure.
 *
 * The network namespace `net` holds a bridge a segment, br-SEGMENT, and nothing else: no addresses, no routes. A plug
 * in a bridge is one end of a veth pair: HOST-eth0, ROUTER-eth0 (its outside), r-SEGMENT (the segment's router).
 */
import { createHash } from "node:crypto";
import * as ip from "../../sdk/network/address";
import { DEAD, gateway, OPERATOR_ADDRESSES, prefixOf, type Router, type Topology } from "./topology";

/** What is told to one network namespace of the lab, in this order. */
export interface Namespace {
  name: string;
  sysctls: string[];
  /** Lines of `ip -batch`. */
  ip: string[];
  /** A whole ruleset, or nothing. */
  nft: string;
}

export const namespace = (lab: string, name: string): string => `ol-${lab}-${name}`;
export const hostPort = (host: string, index: number): string => `${host}-eth${index}`;
const routerPort = (segment: string): string => `r-${segment}`;

/** The same at every boot: neighbours remember it. Locally administered (IEEE 802, bit 0x02). */
export const mac = (port: string): string =>
  `02:${createHash("sha256")
    .update(port)
    .digest("hex")
    .slice(0, 10)
    .replace(/(..)(?!$)/g, "$1:")}`;

/** A cable from a bridge to an interface in another namespace. Typed into the namespace `net`. */
function cable(
  lab: string,
  topology: Topology,
  segment: string,
  port: string,
  to: { name: string; device: string },
): string[] {
  const mtu = topology.segments[segment]?.mtu ?? 1500;
  return [
    `link add ${port} mtu ${mtu} type veth peer name ${to.device} netns ${namespace(lab, to.name)} address ${mac(port)} mtu ${mtu}`,
    `link set ${port} master br-${segment} up`,
  ];
}

/** What plugs a host in at each boot. */
export const hostCables = (lab: string, topology: Topology, host: string): string[] =>
  (topology.hosts[host]?.segment ?? []).flatMap((segment, index) =>
    cable(lab, topology, segment, hostPort(host, index), { name: host, device: `eth${index}` }),
  );

const addressLines = (device: string, addresses: readonly string[], length: (address: string) => string): string[] => [
  ...addresses.map(
    (one) => `addr add ${one}/${length(one)} dev ${device}${ip.family(one) === "inet6" ? " nodad" : ""}`,
  ),
  `link set ${device} up`,
];

/** The length of the prefix that an address has in a segment. */
export const lengthIn =
  (topology: Topology, segment: string) =>
  (address: string): string =>
    prefixOf(topology.segments[segment], address)?.split("/")[1] ?? "";

const segmentRouter = (topology: Topology, segment: string, device: string): string[] =>
  addressLines(device, (topology.segments[segment]?.prefixes ?? []).map(gateway), lengthIn(topology, segment));

export const internetSegments = (topology: Topology): string[] =>
  Object.keys(topology.segments).filter((name) => topology.segments[name]?.kind === "internet");

/** The router of a segment, if it has one. */
export function routerOf(topology: Topology, segment: string): string | undefined {
  if (internetSegments(topology).includes(segment)) return "internet";
  return Object.keys(topology.routers).find((name) => topology.routers[name]?.inside === segment);
}

/** Where the operator reaches a host's SSH, if anywhere: at its own address, or at its router's for it. */
export function dial(topology: Topology, host: string): { host: string; port: number } | undefined {
  const { segment = [], addresses = [] } = topology.hosts[host] ?? {};
  const reachable = (name: string): boolean => {
    const router = routerOf(topology, name);
    if (router === undefined || router === "internet") return router !== undefined;
    const { masquerade, outside } = topology.routers[router] as Router;
    return !masquerade && reachable(outside);
  };
  const own = addresses.find((one) =>
    segment.some((name) => prefixOf(topology.segments[name], one) !== undefined && reachable(name)),
  );
  if (own !== undefined) return { host: own, port: 22 };
  for (const router of Object.values(topology.routers)) {
    const forward = router.forwards.find((one) => one.host === host && one.to === 22 && one.protocol === "tcp");
    const [address] = router.addresses;
    if (forward && address && reachable(router.outside)) return { host: address, port: forward.port };
  }
  return undefined;
}

/** The default gateways of whoever has these addresses in a segment. */
export const defaultGateways = (topology: Topology, segment: string, addresses: readonly string[]): string[] =>
  addresses.flatMap((one) => prefixOf(topology.segments[segment], one) ?? []).map(gateway);

/** A host's own default gateways. */
export const hostGateways = (topology: Topology, host: string): string[] => {
  const { segment: [first = ""] = [], addresses = [] } = topology.hosts[host] ?? {};
  return routerOf(topology, first) ? [...new Set(defaultGateways(topology, first, addresses))] : [];
};

/** `default via 198.51.100.1` for each family that somebody has an address of, in a segment. */
export const outsideRoutes = (topology: Topology, segment: string, addresses: readonly string[]): string[] =>
  [...new Set(defaultGateways(topology, segment, addresses))].map((one) => `default via ${one}`);

/** What routers without NAT have behind them: `10.1.0.0/24 via 198.51.100.20`. */
export const routedBehind = (topology: Topology, segment: string): string[] =>
  Object.values(topology.routers)
    .filter(({ masquerade, outside }) => !masquerade && outside === segment)
    .flatMap(({ inside, addresses }) =>
      (topology.segments[inside]?.prefixes ?? []).flatMap((prefix) => {
        const via = addresses.find((one) => ip.family(one) === ip.family(prefix));
        return via === undefined ? [] : [`${prefix} via ${via}`];
      }),
    );

const adding = (routes: readonly string[]): string[] => routes.map((route) => `route add ${route}`);

// Without duplicate address detection: it holds link-local addresses back for a second or two, and until then nobody is
// asked for a neighbour.
const NO_DAD = ["net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0"];

// The machine's own settings are copied into new namespaces (devconf_inherit_init_net), hence rp_filter. Errors are
// not held back: a test sends many packets that are too big.
const ROUTING = [
  ...NO_DAD,
  "net.ipv4.ip_forward=1",
  "net.ipv6.conf.all.forwarding=1",
  "net.ipv4.conf.all.rp_filter=0",
  "net.ipv4.conf.default.rp_filter=0",
  "net.ipv4.icmp_ratelimit=0",
  "net.ipv6.icmp.ratelimit=0",
];

function internet(topology: Topology): Namespace {
  return {
    name: "internet",
    sysctls: ROUTING,
    ip: [
      ...internetSegments(topology).flatMap((segment) => segmentRouter(topology, segment, segment)),
      `addr add ${DEAD.drops}/32 dev operator`,
      `addr add ${DEAD.refuses}/32 dev operator`,
      ...internetSegments(topology).flatMap((segment) => adding(routedBehind(topology, segment))),
    ],
    nft: `table ip dead {
  chain input {
    type filter hook input priority 0
    ip daddr ${DEAD.drops} drop
  }
}
`,
  };
}

const FAMILIES: readonly ip.Family[] = ["inet", "inet6"];
const NFT_WORDS = { inet: { nfproto: "ipv4", ip: "ip" }, inet6: { nfproto: "ipv6", ip: "ip6" } };

function nat(topology: Topology, { masquerade, dropFragments, forwards }: Router): string {
  const redirects = forwards.flatMap(({ protocol, port, host, to }) =>
    FAMILIES.flatMap((family) => {
      const address = topology.hosts[host]?.addresses.find((one) => ip.family(one) === family);
      const words = NFT_WORDS[family];
      return address === undefined
        ? []
        : `    meta nfproto ${words.nfproto} iifname "outside" ${protocol} dport ${port} dnat ${words.ip} to ${ip.endpoint(address, to)}`;
    }),
  );
  // Before connection tracking puts fragments together (priority -400).
  const fragments = `  chain fragments {
    type filter hook prerouting priority -450
    ip frag-off & 0x3fff != 0 counter drop
    exthdr frag exists counter drop
  }
`;
  const hide = `  chain forwards {
    type nat hook prerouting priority -100
${redirects.join("\n")}
  }
  chain hide {
    type nat hook postrouting priority 100
    oifname "outside" masquerade
  }
  chain answers {
    type filter hook forward priority 0
    iifname "outside" ct state established,related accept
    iifname "outside" ct status dnat accept
    iifname "outside" drop
  }
`;
  return `table inet router {\n${dropFragments ? fragments : ""}${masquerade ? hide : ""}}\n`;
}

function router(topology: Topology, name: string, router: Router): Namespace {
  const { inside, outside, addresses } = router;
  return {
    name,
    sysctls: ROUTING,
    ip: [
      ...segmentRouter(topology, inside, "inside"),
      ...addressLines("outside", addresses, lengthIn(topology, outside)),
      ...adding([...outsideRoutes(topology, outside, addresses), ...routedBehind(topology, inside)]),
    ],
    nft: nat(topology, router),
  };
}

/** All of the lab's namespaces but its hosts' own, in the order in which they can be told. */
export function namespaces(lab: string, topology: Topology): Namespace[] {
  const plug = (segment: string, port: string, name: string, device: string) =>
    cable(lab, topology, segment, port, { name, device });
  const net: Namespace = {
    name: "net",
    sysctls: ["net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1"],
    ip: [
      ...Object.entries(topology.segments).flatMap(([name, { mtu }]) => [
        `link add br-${name} type bridge mcast_snooping 0`,
        `link set br-${name} mtu ${mtu} up`,
      ]),
      ...internetSegments(topology).flatMap((segment) => plug(segment, routerPort(segment), "internet", segment)),
      ...plug("operator", "operator-eth0", "operator", "eth0"),
      ...Object.entries(topology.routers).flatMap(([name, { inside, outside }]) => [
        ...plug(inside, routerPort(inside), name, "inside"),
        ...plug(outside, `${name}-eth0`, name, "outside"),
      ]),
    ],
    nft: "",
  };
  const operator: Namespace = {
    name: "operator",
    sysctls: NO_DAD,
    ip: [
      "link set lo up",
      ...addressLines("eth0", OPERATOR_ADDRESSES, lengthIn(topology, "operator")),
      ...adding(outsideRoutes(topology, "operator", OPERATOR_ADDRESSES)),
    ],
    nft: "",
  };
  return [
    net,
    internet(topology),
    operator,
    ...Object.entries(topology.routers).map(([name, one]) => router(topology, name, one)),
  ];
}
