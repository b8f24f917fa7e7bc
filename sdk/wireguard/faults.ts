/** What only the live host can tell to be wrong with a link. */
import { type Fault, fault } from "../faults";
import { connected } from "../kernel/connected";
import { closedFaults, closedToBehind, closedToRelays, forwardQuery, missingFirewall } from "../kernel/firewall";
import { kinds } from "../kernel/kinds";
import { isPlaceholder } from "../kernel/later";
import { isOurs } from "../kernel/marks";
import { nestedOf } from "../kernel/nested";
import { foreignOwner } from "../kernel/owner";
import type { Snapshot } from "../kernel/snapshot";
import { type Warning, warningsOf } from "../kernel/technology";
import { text } from "../kernel/text";
import { tunnelTo } from "../kernel/tunnel";
import { family, host, parseEndpoint } from "../network/address";
import { isDefault } from "../network/overlaps";
import { forwarding, rulesOfOthers } from "./plan";
import type { Spec } from "./spec";

// Our own devices are not looked at: the one that has the port may be about to go.
function portTaken(spec: Spec, snapshot: Snapshot): Fault[] {
  const other = snapshot.wg.find(({ device, listenPort }) => {
    const link = kinds.link.read(snapshot, device);
    return device !== spec.device && listenPort === spec.listenPort && link !== undefined && !isOurs(link);
  });
  if (!other) return [];
  const legal = `a port that nothing else listens on, and the host's device ${other.device} listens on this one`;
  const cure = "give the link another port in `ports`";
  return [fault(["listenPort"], spec.listenPort, { code: "input/duplicate", legal, cure })];
}

/** Each peer, and where it stands; what is reached by way of one is none that is called. */
const placed = ({ peer, peers = [], relayed }: Spec) => [
  ...(peer ? [{ at: ["peer"] as PropertyKey[], peer }] : []),
  ...peers.map((peer, index) => ({ at: ["peers", index] as PropertyKey[], peer })),
  ...relayed.map(({ addresses }, index) => ({
    at: ["relayed", index] as PropertyKey[],
    peer: { addresses, routes: [] as string[], endpoint: undefined },
  })),
];

/** What keeps a device that somebody made by hand from being taken over without a loss to anybody. */
function adoption(spec: Spec, snapshot: Snapshot): Fault[] {
  const { adopts, device } = spec;
  const link = kinds.link.read(snapshot, device);
  const live = snapshot.wg.find((it) => it.device === device);
  if (!adopts.includes(device) || !link || isOurs(link) || !live) return [];
  const no = (legal: string, cure: string): Fault =>
    fault(["adopt"], undefined, { code: "provider/adoption", legal, cure });
  const manager = snapshot.managers[device];
  const secret = live.peers.find(({ presharedKey }) => presharedKey);
  const tables = [...snapshot.routes4, ...snapshot.routes6]
    .filter(({ dev, table }) => dev === device && table !== undefined && !["main", "local"].includes(table))
    .map(({ table }) => table);
  return [
    ...(manager === undefined
      ? []
      : [
          no(
            `a device that nobody else manages, and ${manager} has ${device}`,
            `let ${manager} have it, or delete it there`,
          ),
        ]),
    ...(live.peers.length < 2 || spec.peers
      ? []
      : [
          no(
            `a device with one peer, and ${device} has ${live.peers.length}: a link has one other end, and the others would go`,
            "move them to devices of their own, or declare a WgMesh",
          ),
        ]),
    ...(secret
      ? [
          no(
            `a device whose peers have no preshared key, which is in none of our files, and ${secret.publicKey} has one`,
            `on both hosts, within two minutes: wg set ${device} peer <the other's public key> preshared-key /dev/null`,
          ),
        ]
      : []),
    ...(tables.length > 0
      ? [
          no(
            `a device that routes lead to in the table main alone, and some of ${device} are in table ${tables[0]}, as wg-quick makes them for a default route`,
            "remove them and their rules (`ip rule`), and declare them in `routes` of the link",
          ),
        ]
      : []),
  ];
}

/**
 * A route to one address is better than that of a network around it, and those in our own table come before all others:
 * each would take a neighbour of the host's away. Not so everything's, which what the host has of its own goes before.
 */
function neighbours(spec: Spec, snapshot: Snapshot): Fault[] {
  return placed(spec).flatMap(({ at, peer }) => {
    const clashes = (prefix: string, path: PropertyKey[], found: string, cure: string): Fault[] => {
      const clash = isPlaceholder(prefix) || isDefault(prefix) ? undefined : connected(snapshot, prefix, spec.adopts);
      if (!clash) return [];
      const what = found === prefix ? "a prefix" : "an address";
      const legal = `${what} that the host is not connected to, and its device ${clash.device} is in ${clash.dst}`;
      return [fault([...at, ...path], found, { code: "input/overlap", legal, cure })];
    };
    const cures = ["give the other node another address", "leave out what the host has of it by itself"] as const;
    return [
      ...[peer.addresses].flat().flatMap((it, index) => clashes(host(it), ["addresses", index], it, cures[0])),
      ...peer.routes.flatMap((it, index) => clashes(it, ["routes", index], it, cures[1])),
    ];
  });
}

/** The loop guard would drop every packet, and nobody would hear of it. */
function wayThroughTunnel(spec: Spec, snapshot: Snapshot): Fault[] {
  const { node, underlay } = spec;
  return placed(spec).flatMap(({ at, peer: { endpoint } }) => {
    const to = parseEndpoint(endpoint ?? "");
    const tunnel = to && tunnelTo(snapshot, to.address);
    if (!tunnel || underlay.includes(tunnel.device)) return [];
    const legal = `an address that is not behind a tunnel, and the way to it leaves ${node} by ${tunnel.device}, a ${tunnel.kind} tunnel, where the guard against loops drops all packets`;
    const cure = `give it a route by another device; or, if ${tunnel.device} does not itself run over this network, name it in \`underlay.devices\` of ${node}`;
    return [fault([...at, "endpoint"], endpoint, { code: "input/underlay", legal, cure })];
  });
}

/** Of the words of ufwRule, firewalldRule and nftRule. */
const RULES = /^(ufw|firewall-cmd|nft insert) /;

/** It listens where it did, and rules of ours let it in where they did: what else there is its owner knows. */
function letInAsBefore(spec: Spec, known: string): boolean {
  const before = known.split("\n").filter((line) => RULES.test(line));
  const listens = known.includes(`wg set ${spec.device} listen-port ${spec.listenPort} `);
  return listens && before.join("\n") === text(rulesOfOthers(spec));
}

/** Those who let packets in whose host may have more that keeps them out than anybody has said. */
const isUnsure = ({ firewall }: Spec): boolean => firewall === undefined || firewall === "nftables";

/** Before a port is used that others call, whether somebody keeps them out. */
export const queries = (spec: Spec, known: string): string[] =>
  spec.called && isUnsure(spec) && !letInAsBefore(spec, known) ? ["hook input"] : [];

/** What it forwards for others may be dropped; with "none" somebody sees to that. */
const mayBeDropped = ({ behind, firewall, forwards }: Spec): boolean =>
  firewall !== "none" && (forwards || behind.length > 0);

/**
 * The setting by which a host forwards what comes by a device. Of IPv4 it is the device's own, and that of a new one is
 * the host's; of IPv6 it is the host's, net/ipv6/ip6_output.c, ip6_forward.
 */
const FORWARDING = { inet: "net/ipv4/ip_forward", inet6: "net/ipv6/conf/all/forwarding" } as const;

export const observes = (spec: Spec): string[] => [
  ...(mayBeDropped(spec) ? [forwardQuery(spec.device)] : []),
  ...(spec.behind.length > 0 ? [...Object.values(FORWARDING), forwarding(spec.device)] : []).map(
    (it) => `sysctl ${it}`,
  ),
];

/** What the others have routes to by way of this node, on a host that forwards nothing. */
function notForwarded({ behind, device, node }: Spec, { sysctls }: Snapshot): string[] {
  return (["inet", "inet6"] as const).flatMap((of) => {
    const routes = behind.filter((it) => family(it) === of);
    const whole = FORWARDING[of];
    const setting = of === "inet" && sysctls[whole] === "1" ? forwarding(device) : whole;
    const value = (of === "inet" ? sysctls[forwarding(device)] : undefined) ?? sysctls[whole];
    if (routes.length === 0 || value !== "0") return [];
    const cure =
      setting === whole
        ? `say sysctls: { "${setting}": "1" } on node ${node}, which switches forwarding on for all its devices`
        : `run \`sysctl -w ${setting}=1\` there, and see that it is so after a reboot`;
    return [`${node} forwards nothing to ${routes.join(", ")} behind it: ${setting} is 0 there. If it is to, ${cure}.`];
  });
}

function dropped(spec: Spec, snapshot: Snapshot): string[] {
  const { behind, device, forwards, node } = spec;
  if (!mayBeDropped(spec)) return [];
  return forwards ? closedToRelays(node, device, spec, snapshot) : closedToBehind(node, device, behind, snapshot);
}

export const warnings = (spec: Spec, snapshot: Snapshot): Warning[] => [
  ...warningsOf("warning/forwarding", [...notForwarded(spec, snapshot), ...dropped(spec, snapshot)]),
  ...warningsOf("warning/nested", nestedOf(spec.node, spec.device, snapshot)),
];

export const faults = (spec: Spec, snapshot: Snapshot): Fault[] => [
  ...foreignOwner(snapshot, spec.owner),
  ...adoption(spec, snapshot),
  ...portTaken(spec, snapshot),
  ...neighbours(spec, snapshot),
  ...wayThroughTunnel(spec, snapshot),
  ...missingFirewall(spec, snapshot),
  ...(spec.called && isUnsure(spec) ? closedFaults(spec.node, spec.listenPort, spec, snapshot) : []),
];
