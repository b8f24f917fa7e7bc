/** One change of what is declared of a segment, and exactly the commands that it costs; each case has its no-op twin. */
import { commandsBetween } from "../kernel/between";
import type { Declared } from "../planned";
import * as declared from "./declared";

const member = {
  ...declared.member,
  resource: "overlay:vxlan:Member",
  variant: "static-l2",
  peers: [
    { name: "lux", vtep: "10.255.0.1", mac: "02:00:00:64:00:01", addresses: ["10.100.0.1/24"] },
    { name: "hkg", vtep: "10.255.0.3", mac: "02:00:00:64:00:03" },
  ],
};
const [lux, hkg] = member.peers;
const bridge = { ...declared.bridge, resource: "overlay:vxlan:Bridge" };
const bridged = [bridge, { ...member, addresses: [], bridge: "br-lan" }];
const ROUTER = "02:00:5e:00:01:01";
const fdb = "bridge fdb";
const dev = "dev vx-lan dst";
/** What keeps strangers out, written anew; in one transaction, so that no chain is ever seen empty or half full. */
const closedTo = (members: string, segment = "udp dport 4789 @th,96,24 100", otherFamily: string[] = []): string[] => {
  const rules = (chain: string, field: string) => [
    `${chain} ${segment} ${chain === "in" ? "iifgroup" : "oifgroup"} != 28417`,
    `${chain} ${segment} ip ${field} != { ${members} }`,
  ];
  const all = [...rules("in", "saddr"), ...otherFamily, ...rules("out", "daddr")];
  return [
    "nft flush chain inet overlay-vx-lan in",
    "nft flush chain inet overlay-vx-lan out",
    ...all.map((rule) => `nft add rule inet overlay-vx-lan ${rule} counter drop`),
  ];
};

const cases: [name: string, before: Declared[], after: Declared[], commands: string[]][] = [
  [
    "another TTL, another VTEP of its own: in place",
    [member],
    [{ ...member, ttl: 1, local: "10.255.0.22" }],
    [...closedTo("10.255.0.1, 10.255.0.22, 10.255.0.3"), "ip link set dev vx-lan type vxlan ttl 1 local 10.255.0.22"],
  ],
  ["a smaller MTU: in place", [member], [{ ...member, mtu: 1350 }], ["ip link set dev vx-lan mtu 1350"]],
  [
    "whether it learns: in place",
    [member],
    [{ ...member, variant: "static-flood" }],
    [
      `${fdb} del 02:00:00:64:00:03 ${dev} 10.255.0.3`,
      `${fdb} del 02:00:00:64:00:01 ${dev} 10.255.0.1`,
      "ip link set dev vx-lan type vxlan learning",
    ],
  ],
  [
    "the one other member's VTEP: in place",
    [{ ...member, variant: "point-to-point", peers: [lux] }],
    [{ ...member, variant: "point-to-point", peers: [{ ...lux, vtep: "10.255.0.9" }] }],
    [...closedTo("10.255.0.2, 10.255.0.9"), "ip link set dev vx-lan type vxlan remote 10.255.0.9"],
  ],
  [
    "room for IPv6 again: in place, with the addresses that there are to be",
    [{ ...member, variant: "static-arp-nd", family: "v4", mtu: 1000, peers: [lux] }],
    [{ ...member, variant: "static-arp-nd", peers: [lux] }],
    [
      "ip link set dev vx-lan mtu 1370 addrgenmode none",
      "ip link set dev vx-lan addrgenmode none",
      "ip -6 addr flush dev vx-lan",
      "sysctl -w net/ipv6/conf/vx-lan/accept_dad=0",
      "sysctl -w net/ipv6/conf/vx-lan/accept_ra=0",
      "sysctl -w net/ipv6/conf/vx-lan/disable_ipv6=0",
      "ip addr add fe80::2/64 dev vx-lan",
    ],
  ],
  [
    "an address of its own more, one less: in place",
    [member],
    [{ ...member, addresses: ["fd00:100::2/64"] }],
    ["ip addr add fd00:100::2/64 dev vx-lan", "ip addr del 10.100.0.2/24 dev vx-lan"],
  ],
  [
    "what lies behind a member: in place",
    [member],
    [
      {
        ...member,
        peers: [
          { ...lux, routes: ["192.168.7.0/24"], behind: [{ mac: "52:54:00:12:34:56", addresses: ["10.100.0.50"] }] },
          hkg,
        ],
      },
    ],
    [
      `${fdb} replace 52:54:00:12:34:56 ${dev} 10.255.0.1`,
      "ip route add 192.168.7.0/24 dev vx-lan table 111 proto 111 metric 4096 src 10.100.0.2 via 10.100.0.1 onlink",
    ],
  ],
  [
    "a way to a host that is routed to: in place",
    [{ ...member, variant: "unicast-routing", port: 4790, peers: [lux] }],
    [{ ...member, variant: "unicast-routing", port: 4790, peers: [{ ...lux, vtep: "10.255.0.9" }] }],
    [
      ...closedTo("10.255.0.2, 10.255.0.9", "udp dport 4790", ["in meta nfproto ipv6 udp dport 4790"]),
      "ip route replace 10.100.0.1/32 dev vx-lan proto 111 metric 4096 src 10.100.0.2 encap ip id 100 src 10.255.0.2 dst 10.255.0.9 ttl 64",
    ],
  ],
  [
    "how many hops packets may take that are routed to a host: in place, of the device and of its way",
    [{ ...member, variant: "unicast-routing", port: 4790, peers: [lux] }],
    [{ ...member, variant: "unicast-routing", port: 4790, peers: [lux], ttl: 1 }],
    [
      "ip link set dev vx-lan type vxlan ttl 1",
      "ip route replace 10.100.0.1/32 dev vx-lan proto 111 metric 4096 src 10.100.0.2 encap ip id 100 src 10.255.0.2 dst 10.255.0.1 ttl 1",
    ],
  ],
  [
    "whom another member's entry of the router leads to: in place",
    [{ ...member, variant: "route-short-circuit", router: { mac: ROUTER, at: "lux" } }],
    [{ ...member, variant: "route-short-circuit", router: { mac: ROUTER, at: "hkg" } }],
    [`${fdb} replace ${ROUTER} ${dev} 10.255.0.3 router`],
  ],
  [
    "a member that has moved: its MAC address in place, and nobody is without a way",
    [member],
    [{ ...member, peers: [lux, { ...hkg, vtep: "10.255.0.9" }] }],
    [
      `${fdb} del 00:00:00:00:00:00 ${dev} 10.255.0.3`,
      ...closedTo("10.255.0.1, 10.255.0.2, 10.255.0.9"),
      `${fdb} append 00:00:00:00:00:00 ${dev} 10.255.0.9`,
      `${fdb} replace 02:00:00:64:00:03 ${dev} 10.255.0.9`,
    ],
  ],
  [
    "a member more",
    [{ ...member, peers: [lux] }],
    [member],
    [
      ...closedTo("10.255.0.1, 10.255.0.2, 10.255.0.3"),
      `${fdb} append 00:00:00:00:00:00 ${dev} 10.255.0.3`,
      `${fdb} replace 02:00:00:64:00:03 ${dev} 10.255.0.3`,
    ],
  ],
  [
    "a member less",
    [member],
    [{ ...member, peers: [lux] }],
    [
      `${fdb} del 02:00:00:64:00:03 ${dev} 10.255.0.3`,
      `${fdb} del 00:00:00:00:00:00 ${dev} 10.255.0.3`,
      ...closedTo("10.255.0.1, 10.255.0.2"),
    ],
  ],
  [
    "into a bridge",
    [bridge, member],
    bridged,
    [
      "ip link set dev vx-lan master br-lan",
      "ip link set dev vx-lan type bridge_slave isolated on",
      "ip addr del fe80::2/64 dev vx-lan",
      "ip addr del 10.100.0.2/24 dev vx-lan",
    ],
  ],
  [
    "the spanning tree protocol",
    bridged,
    [{ ...bridge, stp: true }, ...bridged.slice(1)],
    ["ip link set dev br-lan type bridge stp_state 1"],
  ],
];
test.each(cases)("%s", (_, before, after, commands) => {
  expect(commandsBetween(before, after)).toEqual(commands);
});
test.each(cases)("%s: twice the same is nothing to do", (_, __, after) => {
  expect(commandsBetween(after, after)).toEqual([]);
});

test.each([
  ["answers ARP by itself", { variant: "static-arp-nd" }],
  ["goes past routers", { variant: "route-short-circuit", router: { mac: ROUTER } }],
  ["finds the others by a group", { variant: "multicast", encrypted: false, group: "239.1.1.1", underlay: "eth0" }],
  ["another port", { port: 4790 }],
  ["another VNI", { vni: 101 }],
  ["another MAC address, with which the kernel forgets the neighbours", { mac: "02:00:00:64:00:22" }],
  ["VTEPs of the other family", { local: "fd00:6f::2", peers: [] }],
])("%s: made again, entries, bridge port and all", (_, change) => {
  const after = [bridge, { ...bridged[1], ...change }] as Declared[];
  const commands = commandsBetween(bridged, after);
  const table = (command: string) => command.startsWith("nft ");
  expect(commands.find((command) => !table(command))).toBe("ip link delete dev vx-lan");
  const made = commandsBetween([bridge], after).filter((command) => !table(command));
  expect(commands.filter((command) => !table(command)).slice(1)).toEqual(made);
  expect(made.slice(-2)).toEqual([
    "ip link set dev vx-lan master br-lan",
    "ip link set dev vx-lan type bridge_slave isolated on",
  ]);
});

test.each([
  ["another group", { group: "239.1.1.2" }],
  ["another device of it", { underlay: "eth1" }],
])("%s: made again, because it is joined by `up` alone", (_, change) => {
  const group = { ...member, variant: "multicast", encrypted: false, group: "239.1.1.1", underlay: "eth0" };
  const commands = commandsBetween([group], [{ ...group, ...change }]).filter((it) => it.startsWith("ip link"));
  expect(commands[0]).toBe("ip link delete dev vx-lan");
});

test("routes that say the VNI in place of frames: made again", () => {
  const commands = commandsBetween([member], [{ ...member, variant: "unicast-routing" }]);
  expect(commands.filter((it) => it.startsWith("ip link")).slice(0, 2)).toEqual([
    "ip link delete dev vx-lan",
    "ip link add dev vx-lan group 28418 type vxlan external dstport 4789 ttl 64 nolearning",
  ]);
});

test("less than IPv6 needs: made again, because all of it would go by itself", () => {
  const [first] = commandsBetween([member], [{ ...member, family: "v4", mtu: 1000 }]).filter((it) =>
    it.startsWith("ip"),
  );
  expect(first).toBe("ip link delete dev vx-lan");
});
