/** What only the live host can tell to be wrong with a node. */
import { type Fault, fault } from "../faults";
import { connected } from "../kernel/connected";
import { foreignOwner } from "../kernel/owner";
import type { Snapshot } from "../kernel/snapshot";
import { settings } from "./plan";
import type { Spec } from "./spec";

const COMMANDS = { ip: "iproute2", nft: "nftables", wg: "wireguard-tools" };

/** `commands`: with the packages that they are in. */
export function missingCommands(
  { packages }: Pick<Spec, "packages">,
  snapshot: Snapshot,
  commands: Record<string, string> = COMMANDS,
): Fault[] {
  if (packages === "install") return [];
  const missing = Object.entries(commands).filter(([command]) => !snapshot.commands[command]);
  if (snapshot.host.wireguard === "none") missing.push(["wireguard-go", "wireguard-go"]);
  return missing.map(([command, name]) => ({
    code: "host/package",
    path: "packages",
    found: `a host without ${command}`,
    legal: command === "wireguard-go" ? "WireGuard in the kernel, or wireguard-go" : `a host that has ${command}`,
    cure: `\`apt-get install --no-install-recommends ${name}\` there, or say packages: "install"`,
  }));
}

/** The guard asks for the kind of a device (oifkind), which Linux and nft know from these on. */
const FLOORS = [
  { what: "linux", name: "Linux", floor: "5.6" },
  { what: "nft", name: "nft", floor: "0.9.4" },
] as const;

/** Compares what stands before the first letter, number by number. */
export function isOlder(version: string, floor: string): boolean {
  const [one = [], other = []] = [version, floor].map((it) => (/^[\d.]*/.exec(it)?.[0] ?? "").split(".").map(Number));
  const at = other.findIndex((number, index) => number !== (one[index] ?? 0));
  return at !== -1 && (one[at] ?? 0) < (other[at] ?? 0);
}

function tooOld({ versions }: Snapshot): Fault[] {
  return FLOORS.flatMap(({ what, name, floor }) => {
    const found = versions?.[what];
    if (found === undefined || !isOlder(found, floor)) return [];
    return [
      {
        code: "host/system",
        path: "connection.host",
        found: `a host with ${name} ${found}`,
        legal: `${name} ${floor} or later`,
        cure: "upgrade its system: Debian 11, Ubuntu 22.04 and all later ones have it",
      },
    ];
  });
}

function overlapping(spec: Spec, snapshot: Snapshot): Fault[] {
  return spec.prefixes.flatMap((prefix, index) => {
    const clash = connected(snapshot, prefix, spec.adopts);
    if (!clash) return [];
    const legal = `a prefix that the host is not connected to, and its device ${clash.device} is in ${clash.dst}`;
    const cure = "choose another prefix for the overlay";
    return [fault(["prefixes", index], prefix, { code: "input/overlap", legal, cure })];
  });
}

const forwardsIpv6 = (sysctls: Record<string, string>): boolean =>
  ["1", "2"].includes(sysctls["net/ipv6/conf/all/forwarding"] ?? "");

/**
 * net.ipv6.conf.all.forwarding=1 deletes a default route that came by router advertisement, unless accept_ra is 2: the
 * kernel's own. What networkd or NetworkManager made of an advertisement stays; they have switched accept_ra off.
 */
function lostDefaultRoute(spec: Spec, { advertised = {} }: Snapshot): Fault[] {
  const sysctls = settings(spec);
  if (!forwardsIpv6(sysctls)) return [];
  return Object.entries(advertised).flatMap(([dev, acceptRa]) => {
    const name = `net/ipv6/conf/${dev}/accept_ra`;
    if (acceptRa === "0" || sysctls[name] === "2") return [];
    return [
      {
        code: "input/conflict",
        path: "sysctls",
        legal: `${name} = 2 together with net/ipv6/conf/all/forwarding, because the host's default route comes by router advertisement and would be deleted`,
        cure: `add "${name}": "2"`,
      },
    ];
  });
}

/** Links, rules and the guard speak both families. The kernel shows this setting on `lo` unless it has no IPv6 at all. */
function noIpv6(snapshot: Snapshot): Fault[] {
  const loopback = snapshot.links.find(({ ifname }) => ifname === "lo");
  if (!loopback || loopback.inet6_addr_gen_mode !== undefined) return [];
  return [
    {
      code: "host/system",
      path: "connection.host",
      found: "a host whose kernel has no IPv6",
      legal: "a kernel with IPv6, on which every link stands; it needs no address of the provider",
      cure: "remove `ipv6.disable=1` from the kernel's command line (/proc/cmdline shows it) and reboot",
    },
  ];
}

/** Whose default routes came by router advertisement, where that matters. */
export const queries = (spec: Spec): string[] => (forwardsIpv6(settings(spec)) ? ["advertised"] : []);

export const faults = (spec: Spec, snapshot: Snapshot): Fault[] => [
  ...foreignOwner(snapshot, spec.owner, spec.formerly),
  ...noIpv6(snapshot),
  ...tooOld(snapshot),
  ...missingCommands(spec, snapshot),
  ...overlapping(spec, snapshot),
  ...lostDefaultRoute(spec, snapshot),
];
