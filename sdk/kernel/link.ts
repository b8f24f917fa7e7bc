/** A network device, ip-link(8). */
import { IPV6_MIN_MTU } from "../network/mtu";
import type { Kind } from "./fact";
import { isOurs } from "./marks";
import type { LinkJson, Snapshot } from "./snapshot";

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
  if (live.mtu !== wanted.mtu) words.push(`mtu ${wanted.mtu}`);
  if (live.group !== wanted.group) words.push(`group ${wanted.group}`);
  // Else a tun device gives itself a random fe80::/64 as soon as it is up; kernel WireGuard never does.
  if (live.addrgenmode !== wanted.addrgenmode) words.push(`addrgenmode ${wanted.addrgenmode}`);
  if (live.alias !== wanted.alias && wanted.alias !== undefined) words.push(`alias ${wanted.alias}`);
  return words;
}

// Under IPV6_MIN_MTU the kernel takes IPv6 off a device; above it comes back as on a new one, random address and all.
const quietIpv6 = (device: string): string[] => [
  `ip link set dev ${device} addrgenmode none`,
  `ip -6 addr flush dev ${device}`,
];

// `up` is a line of its own: given together with addrgenmode the kernel takes the device up first, and the random
// address is there (seen with iproute2 6.1 and kernel 6.18).
function setLines(live: Partial<Link>, wanted: Link): string[] {
  const words = settings(live, wanted);
  const lines = words.length > 0 ? [`ip link set dev ${wanted.device} ${words.join(" ")}`] : [];
  if (live.mtu !== undefined && live.mtu < IPV6_MIN_MTU) lines.push(...quietIpv6(wanted.device));
  if ((live.up ?? false) !== wanted.up) lines.push(`ip link set dev ${wanted.device} ${wanted.up ? "up" : "down"}`);
  return lines;
}

export const link: Kind<Link> = {
  volatile: true,
  key: (value) => value.device,
  lines: (value) => [`ip link add dev ${value.device} type ${value.type}`, ...setLines({}, value)],

  queries: ({ device, adopt }) => (adopt ? [`manager ${device}`] : []),

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
    return { ...live, type: typeOf(live, json, snapshot) };
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
          : `ip link add dev ${wanted.device} group ${wanted.group} type ${wanted.type}`;
      return [add, ...setLines({}, wanted)];
    }
    return live.type === wanted.type ? setLines(live, wanted) : "again";
  },
};
