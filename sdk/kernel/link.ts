/** A network device, ip-link(8). */
import { IPV6_MIN_MTU } from "../network/mtu";
import { type Bridge, bridgeChange, bridgeWords, readBridge } from "./bridge";
import type { Kind } from "./fact";
import { isOurs } from "./marks";
import type { LinkJson, Snapshot } from "./snapshot";
import { readVxlan, type Vxlan, vxlanChange, vxlanWords } from "./vxlan";

export interface Link {
  device: string;
  /** The kind of device that `ip link add` makes. A live device may be anything. */
  type: string;
  /** Bytes. */
  mtu: number;
  group: number;
  alias?: string;
  /** How the kernel makes a link-local address of its own: `none` does not. */
  addrgenmode: string;
  up: boolean;
  /** MAC address, of a VXLAN device or a bridge. */
  mac?: string;
  vxlan?: Vxlan;
  bridge?: Bridge;
  /** Wanted: that a WireGuard device of this name is taken over. Live: that it is such a one. */
  adopt?: boolean;
}

/** The unit that runs wireguard-go for a device, where the kernel has no WireGuard. */
export const userspaceUnit = (device: string): string => `overlay-wireguard-go@${device}.service`;

/** The kind of wireguard-go's devices. */
const USERSPACE = "tun";

// wireguard-go's device is what was asked for, until the kernel can do it. One that WireGuard does not answer for,
// because wg is missing or wireguard-go hangs, stays even then: what cannot be seen must not be taken down to be made
// again.
function typeOf(live: Omit<Link, "type">, { linkinfo }: LinkJson, { host, wg }: Snapshot): string {
  const kind = linkinfo?.info_kind ?? "none";
  if (kind !== USERSPACE || foreign(live)) return kind;
  const answers = wg.some(({ device }) => device === live.device);
  return host.wireguard === "kernel" && answers ? USERSPACE : "wireguard";
}

const foreign = (live: Pick<Link, "group" | "alias" | "adopt">): boolean => !isOurs(live) && !live.adopt;

/** The changed ones of a device's settings, each in the words of `ip link set`. */
function settings(live: Partial<Link>, wanted: Link): string[] {
  const words: string[] = [];
  if (live.mac !== wanted.mac && wanted.mac !== undefined) words.push(`address ${wanted.mac}`);
  if (live.mtu !== wanted.mtu) words.push(`mtu ${wanted.mtu}`);
  if (live.group !== wanted.group) words.push(`group ${wanted.group}`);
  // Else a tun device gives itself a random fe80::/64 as soon as it is up; kernel WireGuard never does.
  // Under IPV6_MIN_MTU a device has none.
  if (wanted.mtu >= IPV6_MIN_MTU && live.addrgenmode !== wanted.addrgenmode)
    words.push(`addrgenmode ${wanted.addrgenmode}`);
  if (live.alias !== wanted.alias && wanted.alias !== undefined) words.push(`alias ${wanted.alias}`);
  return words;
}

// Under IPV6_MIN_MTU the kernel takes IPv6 off a device; above it comes back as on a new one, random address and all.
const quietIpv6 = (device: string): string[] => [
  `ip link set dev ${device} addrgenmode none`,
  `ip -6 addr flush dev ${device}`,
];

/** What a device of its type is made with, behind the type's name. */
const details = ({ vxlan, bridge }: Link): string[] => [
  ...(vxlan ? vxlanWords(vxlan) : []),
  ...(bridge ? bridgeWords(bridge) : []),
];

const typed = (value: Link): string => ["type", value.type, ...details(value)].join(" ");

/** Which of them differ; "again" where one of them cannot change. */
function changedDetails(live: Link, wanted: Link): string[] | "again" {
  if (live.vxlan && wanted.vxlan) {
    // With another MAC address the kernel forgets a device's neighbours, permanent ones too (net/ipv4/arp.c,
    // arp_netdev_event).
    return live.mac === wanted.mac ? vxlanChange(live.vxlan, wanted.vxlan) : "again";
  }
  return live.bridge && wanted.bridge ? bridgeChange(live.bridge, wanted.bridge) : [];
}

function change(live: Link, wanted: Link): string[] | "again" {
  // All of IPv6 on the device would go by itself, in the midst of what is told to go.
  const losesIpv6 = wanted.mtu < IPV6_MIN_MTU && live.mtu >= IPV6_MIN_MTU;
  const words = live.type === wanted.type && !losesIpv6 ? changedDetails(live, wanted) : "again";
  if (words === "again") return "again";
  const lines = words.length > 0 ? [`ip link set dev ${wanted.device} type ${wanted.type} ${words.join(" ")}`] : [];
  return [...lines, ...setLines(live, wanted)];
}

// `up` is a line of its own: given together with addrgenmode the kernel takes the device up first, and the random
// address is there (seen with iproute2 6.1 and kernel 6.18).
function setLines(live: Partial<Link>, wanted: Link): string[] {
  const words = settings(live, wanted);
  const lines = words.length > 0 ? [`ip link set dev ${wanted.device} ${words.join(" ")}`] : [];
  const back = wanted.mtu >= IPV6_MIN_MTU && live.mtu !== undefined && live.mtu < IPV6_MIN_MTU;
  if (back) lines.push(...quietIpv6(wanted.device));
  if ((live.up ?? false) !== wanted.up) lines.push(`ip link set dev ${wanted.device} ${wanted.up ? "up" : "down"}`);
  return lines;
}

export const link: Kind<Link> = {
  volatile: true,
  key: (value) => value.device,
  lines: (value) => [`ip link add dev ${value.device} ${typed(value)}`, ...setLines({}, value)],

  // Of a VXLAN device also what nobody declared is asked for; hosts without segments pay nothing for it.
  queries: ({ device, adopt, vxlan }) => [
    ...(adopt ? [`manager ${device}`] : []),
    ...(vxlan ? [`fdb ${device}`, `neigh ${device}`] : []),
  ],

  read(snapshot, key, wanted) {
    const json = snapshot.links.find(({ ifname }) => ifname === key);
    if (!json) return undefined;
    const live = {
      device: key,
      mtu: json.mtu,
      group: Number(json.group),
      ...(json.ifalias !== undefined && { alias: json.ifalias }),
      // Absent where the device has no IPv6.
      addrgenmode: json.inet6_addr_gen_mode ?? "none",
      up: json.flags.includes("UP"),
      ...(wanted?.adopt && snapshot.wg.some(({ device }) => device === key) && { adopt: true }),
    };
    const type = typeOf(live, json, snapshot);
    return {
      ...live,
      type,
      ...((type === "vxlan" || type === "bridge") && json.address !== undefined && { mac: json.address }),
      ...(type === "vxlan" && { vxlan: readVxlan(json, wanted?.vxlan) }),
      ...(type === "bridge" && { bridge: readBridge(json) }),
    };
  },

  foreign: (live) =>
    foreign(live)
      ? `The host has a device ${live.device} of type ${live.type} that this package did not make (group ${live.group}, ${
          live.alias === undefined ? "no alias" : `alias ${live.alias}`
        }). Rename or remove it, or give the link another device name${
          live.type === "wireguard" ? "; a link that was made by hand is taken over with `adopt`" : ""
        }.`
      : undefined,

  set(live, wanted, host) {
    const userspace = host.wireguard === "userspace";
    if (!wanted) {
      if (!live) return [];
      return live.type === USERSPACE || (userspace && live.type === "wireguard")
        ? [`systemctl stop ${userspaceUnit(live.device)}`]
        : [`ip link delete dev ${live.device}`];
    }
    if (!live) {
      // The group is given with the device: whoever is interrupted here still finds it to be ours.
      const add =
        wanted.type === USERSPACE || (userspace && wanted.type === "wireguard")
          ? `systemctl start ${userspaceUnit(wanted.device)}`
          : `ip link add dev ${wanted.device} group ${wanted.group} ${typed(wanted)}`;
      return [add, ...setLines({}, wanted)];
    }
    return change(live, wanted);
  },
};
