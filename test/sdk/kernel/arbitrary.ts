/** Hosts at random: what may be declared on them, and what hands may do to them. */
import fc from "fast-check";
import { type Command, type Fact, factId } from "../../../sdk/kernel";
import { VARIANTS } from "../../../sdk/vxlan";
import { knownRules } from "../../kernel-model/nft";
import { type Declared, planned } from "../planned";

/** Public keys, made for this. */
const KEYS = [
  "Z/nQ151/XO7fH+SlX5Ri5Uf10wssuR5ZNx5DfPaOJiM=",
  "Al8FNScSowRXLvqnUgci3oxTQKBOsCTHqtRJkw3P82s=",
  "uHmhAC1YycGGHZM+2jay84Rf+cUcB78Rulu/uUTpeFk=",
];
const DEVICES = ["inter-lux", "inter-hkg", "wan.100"];

const sometimes = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 });
const addresses = (from: string[]) => fc.subarray(from);

const lux = { name: "lux", addresses: ["10.255.0.1"] };
/** What a relay may forward between. */
const PAIRS = [
  {
    a: { ...lux, addresses: [...lux.addresses, "fd00:6f::1"] },
    b: { name: "hkg", addresses: ["10.255.0.3", "fd00:6f::3"] },
  },
  { a: { name: "nas", addresses: ["10.255.0.9"] }, b: lux },
];

/** The rules' words must be ones that the real nft was seen to print: test/golden/captured/nft-variants.json. */
const host = fc
  .record({
    prefixes: fc.subarray(["10.255.0.0/24", "fd00:6f::/48", "fd99::/32"]),
    underlay: fc.constantFrom([], ["wan"], ["hetzner0", "tun0"]),
    packages: fc.constantFrom("expect", "install"),
    forward: sometimes(fc.constantFrom("0", "1")),
    relay: fc.constantFrom([], [], PAIRS.slice(0, 1), PAIRS),
  })
  .map(({ forward, ...spec }) => ({
    resource: "overlay:node:Host",
    node: "fra",
    owner: "net/prod",
    id: 2,
    ...spec,
    sysctls: forward === undefined || spec.relay.length > 0 ? {} : { "net/ipv4/ip_forward": forward },
  }));

/** Those of a family that there is an address of. */
const usable = (own: string[], routes: string[]) =>
  routes.filter((route) => own.some((address) => address.includes(":") === route.includes(":")));

const link = (index: number) =>
  fc
    .record({
      resource: fc.constant("overlay:wireguard:Interface"),
      node: fc.constant("fra"),
      owner: fc.constantFrom("net/prod", "net/production"),
      link: fc.constant(`link-${index}`),
      device: fc.constant(DEVICES[index]),
      id: fc.constant(2),
      mtu: fc.constantFrom(1280, 1420, 1440, 9000),
      listenPort: fc.constantFrom(11001, 11005).map((port) => port + index * 100),
      addresses: addresses(["10.255.0.2", "fd00:6f::2", "10.255.0.22"]),
      peer: fc.record({
        name: fc.constant(`peer-${index}`),
        id: fc.constant(10 + index),
        publicKey: fc.constantFrom(...KEYS),
        endpoint: sometimes(fc.constantFrom("203.0.113.9:11002", "[2001:db8:1::9]:11002")),
        keepalive: sometimes(fc.constantFrom(7, 25)),
        addresses: addresses([`10.255.0.10${index}`, `fd00:6f::10${index}`]),
        routes: fc.subarray([`10.20.${index}.0/24`, `fd20:${index}::/64`]),
      }),
      forwards: fc.boolean(),
      relayed: fc.constantFrom(
        [],
        [],
        [{ name: "far", by: `peer-${index}`, addresses: [`10.255.3.${index}`, `fd00:6f::3${index}`], mtu: 1280 }],
      ),
    })
    .map(({ peer, ...spec }) => ({ ...spec, peer: { ...peer, routes: usable(spec.addresses, peer.routes) } }));

/** Addresses and prefixes, each at one of the peers or at none: from one declaration to the next they move. */
const mesh = (index: number) =>
  fc
    .record({
      base: link(index),
      at: fc.array(fc.nat({ max: KEYS.length }), { minLength: 5, maxLength: 5 }),
      addressed: fc.subarray([0, 1, 2], { minLength: 1 }),
    })
    .map(({ base: { peer: called, ...base }, at, addressed }) => ({
      ...base,
      peers: addressed.map((peer) => ({
        name: `node-${peer}`,
        id: 20 + peer,
        publicKey: KEYS[peer],
        ...(called.endpoint !== undefined && { endpoint: called.endpoint, keepalive: called.keepalive }),
        addresses: [`10.255.1.${peer}`, ...["10.255.2.1", "fd00:6f::21"].filter((_, n) => at[n] === peer)],
        routes: usable(
          base.addresses,
          ["192.168.7.0/24", "fd07::/64", "0.0.0.0/0"].filter((_, n) => at[n + 2] === peer),
        ),
      })),
    }));

const SEGMENTS = ["vx-lan", "vx-dmz"];
const BRIDGE = "br-lan";
const MACS = ["02:00:00:64:00:01", "02:00:00:64:00:03", "02:00:00:64:00:09"];
const four = (addresses: string[]): string[] => addresses.filter((address) => !address.includes(":"));

/** A member of one of two segments. The rules' words must be ones that the real nft was seen to print, as those above. */
const segment = (index: number) =>
  fc
    .record({
      variant: fc.constantFrom(...VARIANTS),
      outer: fc.constantFrom(4, 6),
      vni: index === 0 ? fc.constantFrom(100, 101) : fc.constant(200),
      ttl: fc.constantFrom(1, 64),
      mtu: fc.constantFrom(1000, 1280, 1350),
      mac: fc.constantFrom("02:00:00:64:00:02", "02:00:00:64:00:22"),
      known: fc.subarray([0, 1, 2], { minLength: 1 }),
      behind: fc.boolean(),
      addresses: fc.subarray([`10.10${index}.0.2/24`, `fd00:10${index}::2/64`, `10.10${index}.0.22/24`]),
      bridged: fc.boolean(),
    })
    .map(({ outer, known, behind, bridged, addresses, ...spec }) => {
      const { variant, mtu } = spec;
      const only = mtu < 1280 ? four : (all: string[]) => all;
      const vtep = (id: number) => (outer === 4 ? `10.255.0.${id}` : `fd00:6f::${id}`);
      const inside = (id: number) => only([`10.10${index}.0.${id}/24`, `fd00:10${index}::${id}/64`]);
      const bridge = bridged && variant !== "unicast-routing" ? { bridge: BRIDGE } : {};
      const host = { mac: "52:54:00:12:34:56", addresses: only([`10.10${index}.0.50`, `fd00:10${index}::50`]) };
      const group = outer === 4 ? "239.1.1.1" : "ff05::100";
      const routed = variant === "unicast-routing";
      return {
        resource: "overlay:vxlan:Member",
        node: "fra",
        owner: "net/prod",
        segment: `segment-${index}`,
        device: SEGMENTS[index],
        id: 2,
        ...spec,
        ...(mtu < 1280 && { family: "v4" }),
        port: routed ? 4790 + index : 4789,
        local: vtep(2),
        ...bridge,
        addresses: "bridge" in bridge ? [] : only(addresses),
        ...(variant === "multicast" && { encrypted: false, group, underlay: "eth0" }),
        ...(variant === "route-short-circuit" && { router: { mac: "02:00:5e:00:01:01" } }),
        peers: (variant === "point-to-point" ? known.slice(0, 1) : variant === "multicast" ? [0, 1] : known).map(
          (peer) => ({
            name: `node-${peer}`,
            vtep: vtep([1, 3, 9][peer] ?? 0),
            mac: MACS[peer],
            addresses: inside([1, 3, 9][peer] ?? 0),
            behind: behind && peer === known[0] ? [host] : [],
            routes: routed && peer === 0 ? only([`192.168.${80 + index}.0/24`, `fd0${index}::/64`]) : [],
          }),
        ),
      };
    });

/** The bridge, which is there where a segment is in it. */
const bridge = fc.record({
  resource: fc.constant("overlay:vxlan:Bridge"),
  node: fc.constant("fra"),
  owner: fc.constant("net/prod"),
  device: fc.constant(BRIDGE),
  id: fc.constant(2),
  mac: fc.constantFrom("02:00:00:64:00:02", "02:00:00:64:00:22"),
  mtu: fc.constantFrom(1280, 1350),
  addresses: fc.subarray(["10.110.0.2/24", "fd00:110::2/64"]),
  stp: fc.boolean(),
});

const segments = fc.tuple(sometimes(segment(0)), sometimes(segment(1)), bridge).map(([one, other, bridge]) => {
  const members = [one, other].flatMap((member) => member ?? []);
  return [...(members.some((member) => "bridge" in member) ? [bridge] : []), ...members];
});

/** All that a host is told: the node, any of three links, one of which may be a mesh, and of two segments. */
export const wantedFacts: fc.Arbitrary<Fact[]> = fc
  .tuple(host, sometimes(link(0)), sometimes(fc.oneof(link(1), mesh(1))), sometimes(link(2)), segments)
  .map((declared) => declared.flat().flatMap((spec) => (spec === undefined ? [] : planned(spec as Declared))));

/** One thing that hands may do. Not all is possible on every host: what is refused is left out. */
export const tinkering: fc.Arbitrary<Command> = fc.constantFrom(
  ...DEVICES.slice(0, 2).flatMap((device, index) => [
    `ip link set dev ${device} mtu 1300`,
    `ip link set dev ${device} mtu 1200`,
    `ip link set dev ${device} down`,
    `ip link set dev ${device} up`,
    `ip link delete dev ${device}`,
    `ip addr add 10.9.9.9/24 dev ${device}`,
    `ip addr del 10.255.0.2/32 dev ${device}`,
    `ip addr del fd00:6f::2/128 dev ${device}`,
    `ip addr del fe80::2/64 dev ${device}`,
    `ip route add 10.77.0.0/16 dev ${device} proto 111 metric 5`,
    `ip route add fd77::/32 dev ${device} table 111 proto 111 metric 1024`,
    `ip route del 10.255.0.100/32 dev ${device} proto 111 metric 4096`,
    `ip route replace fd00:6f::100/128 dev ${device} proto 111 metric 4096`,
    `wg set ${device} listen-port ${index + 5}`,
    `wg set ${device} fwmark 0x0`,
    ...KEYS.flatMap((key) => [
      `wg set ${device} peer ${key} remove`,
      `wg set ${device} peer ${key} allowed-ips 10.66.0.0/16,::/0 endpoint 203.0.113.77:1 persistent-keepalive 9`,
    ]),
    `sysctl -w net/ipv4/conf/${device}/rp_filter=1`,
    `sysctl -w net/ipv6/conf/${device}/accept_ra=2`,
    `sysctl -w net/ipv6/conf/${device}/disable_ipv6=1`,
  ]),
  ...SEGMENTS.flatMap((device, index) => [
    `ip link set dev ${device} mtu 1300`,
    `ip link set dev ${device} mtu 1200`,
    `ip link set dev ${device} down`,
    `ip link set dev ${device} up`,
    `ip link delete dev ${device}`,
    `ip link set dev ${device} address 02:99:00:00:00:01`,
    `ip link set dev ${device} type vxlan ttl 3`,
    `ip link set dev ${device} type vxlan nolearning`,
    `ip link set dev ${device} type vxlan local 10.255.0.77`,
    `ip link set dev ${device} type vxlan remote fd00:6f::77`,
    `ip link set dev ${device} nomaster`,
    `ip link set dev ${device} type bridge_slave isolated off`,
    ...["10.255.0.1", "10.255.0.99", "fd00:6f::1", "fd00:6f::99"].flatMap((dst) => [
      `bridge fdb append 00:00:00:00:00:00 dev ${device} dst ${dst}`,
      `bridge fdb del 00:00:00:00:00:00 dev ${device} dst ${dst}`,
      `bridge fdb append 33:33:ff:00:00:01 dev ${device} dst ${dst}`,
      `bridge fdb replace ${MACS[0]} dev ${device} dst ${dst}`,
      `bridge fdb replace 02:00:5e:00:01:01 dev ${device} dst ${dst}`,
      `bridge fdb del ${MACS[0]} dev ${device} dst ${dst}`,
    ]),
    ...[`10.10${index}.0.1`, `fd00:10${index}::1`].flatMap((address) => [
      `ip neigh replace ${address} lladdr 02:99:00:00:00:01 dev ${device} nud permanent`,
      `ip neigh del ${address} dev ${device}`,
    ]),
    `ip route replace 10.10${index}.0.1/32 dev ${device} proto 111 metric 4096`,
    `ip addr add 10.9.9.9/24 dev ${device}`,
  ]),
  `ip link set dev ${BRIDGE} type bridge stp_state 1`,
  `ip link set dev ${BRIDGE} address 02:99:00:00:00:02`,
  `ip link delete dev ${BRIDGE}`,
  // Who takes both marks off a device has made it his own.
  `ip link set dev ${DEVICES[0]} group 0`,
  `ip link set dev ${DEVICES[1]} alias mine`,
  "ip rule del pref 5111",
  "ip -6 rule del pref 5111",
  "ip rule add pref 5111 fwmark 0x6f lookup 5",
  "ip route del unreachable 10.255.0.0/24 proto 111 metric 4294967295",
  "sysctl -w net/ipv4/ip_forward=1",
  "sysctl -w net/ipv6/conf/default/disable_ipv6=1",
  "nft delete table inet overlay",
  "nft flush chain inet overlay guard",
  "nft flush chain inet overlay nested",
  "nft add chain inet overlay by-hand",
  "nft delete element inet overlay guard { 11001 }",
  "nft add map inet overlay by-hand { type inet_service : counter ; }",
  // No loops: the kernel looks for them only where a hook leads.
  ...knownRules.filter((rule) => !rule.includes("jump")).map((rule) => `nft insert rule inet overlay nested ${rule}`),
  // There it would take the host off the network.
  ...knownRules.filter((rule) => rule !== "counter drop").map((rule) => `nft add rule inet overlay guard ${rule}`),
  "remove /etc/overlay/owner",
  "put 0600 /usr/local/lib/overlay/boot.sh nothing\\n",
  "systemctl disable --now overlay-late.service",
);

/** Facts of both, those of `first` where both have them: what must be read to get from the one to the other. */
export const either = (first: readonly Fact[], second: readonly Fact[]): Fact[] => {
  const ids = new Set(first.map(factId));
  return [...first, ...second.filter((fact) => !ids.has(factId(fact)))];
};
