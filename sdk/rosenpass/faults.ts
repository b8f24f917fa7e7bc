/** What only the live host can tell to be wrong, and what a change is to those who use the link. */
import { type Fault, fault } from "../faults";
import { closedFaults, missingFirewall } from "../kernel/firewall";
import { KEYING_PREF } from "../kernel/marks";
import { foreignOwner } from "../kernel/owner";
import type { Snapshot } from "../kernel/snapshot";
import { LOSSES } from "../losses";
import { type DaemonSpec, type KeySpec, type PskSpec, versionField } from "./spec";

/** Of the host's own program. */
function program({ binary }: KeySpec, { rosenpass }: Snapshot): Fault[] {
  if (binary) return [];
  const { version } = rosenpass ?? {};
  const cure = "install it there, or give it as `binary`, a path or an address with its SHA-256";
  if (version === undefined) {
    const found = "a host without rosenpass";
    return [{ code: "host/package", path: "binary", found, legal: "a host that has rosenpass 0.2", cure }];
  }
  if (versionField.safeParse(version).success) return [];
  const legal = "rosenpass 0.2, whose keys have one format";
  return [fault(["binary"], version, { code: "host/package", legal, cure })];
}

export const keyFaults = (spec: KeySpec, snapshot: Snapshot): Fault[] => [
  ...foreignOwner(snapshot, spec.owner),
  ...program(spec, snapshot),
];

/** Without its peer there is nobody to have a key, and wg(8) would make one. */
function peerless({ device, peer }: PskSpec, { wg }: Snapshot): Fault[] {
  const live = wg.find((it) => it.device === device);
  if (live?.peers.some(({ publicKey }) => publicKey === peer.publicKey)) return [];
  const legal = live ? `a device that has ${peer.name} as its peer` : "a WireGuard device that is there";
  const cure = "run `pulumi refresh`, then `pulumi up`, which bring the link back";
  return [fault(["device"], device, { code: "provider/drifted", legal, cure })];
}

export const pskFaults = (spec: PskSpec, snapshot: Snapshot): Fault[] => [
  ...foreignOwner(snapshot, spec.owner),
  ...peerless(spec, snapshot),
];

/** Whoever lets packets in may have more that keeps them out than anybody has said. */
const isUnsure = ({ firewall }: DaemonSpec): boolean => firewall === undefined || firewall === "nftables";

export const daemonQueries = (spec: DaemonSpec): string[] => [
  `udp ${spec.port}`,
  ...(spec.called && isUnsure(spec) ? ["hook input"] : []),
];

/** Our own rule for the port tells our own daemon from others. */
function portTaken({ node, port }: DaemonSpec, { udp, rules4 }: Snapshot): Fault[] {
  const own = rules4.some(({ priority, sport }) => priority === KEYING_PREF && sport === port);
  if (own || !udp.includes(port)) return [];
  const legal = `a UDP port that nobody listens on at ${node}`;
  return [fault(["port"], port, { code: "input/duplicate", legal, cure: "stop who does, or give another `port`" })];
}

export const daemonFaults = (spec: DaemonSpec, snapshot: Snapshot): Fault[] => [
  ...foreignOwner(snapshot, spec.owner),
  ...portTaken(spec, snapshot),
  ...missingFirewall(spec, snapshot),
  ...(spec.called && isUnsure(spec) ? closedFaults(spec.node, spec.port, spec, snapshot) : []),
];

/** Seconds: REKEY_AFTER_TIME of WireGuard, and what Rosenpass gives a key. */
const [HANDSHAKE, STALE] = [120, 180];

/** What of a device is told that others exchange no keys for any more. */
export const unkeyed = (device: string): string =>
  `${device} is to have no post-quantum keys any more, and loses nothing: both daemons end, then both hosts forget the key. Its packets have none from the next WireGuard handshake on, ${HANDSHAKE} s at most.`;

export function pskForetells({ device, mode }: PskSpec, before?: PskSpec): string[] {
  if (before?.mode === mode) return [];
  const fails = `From then on nothing passes by ${device} where no new key comes for ${STALE} s.`;
  if (mode === "permissive") {
    return before
      ? [`${device} loses nothing. From then on traffic goes on with the last key where Rosenpass fails.`]
      : [
          `${device} loses nothing. Its packets have post-quantum keys from the first WireGuard handshake after the first key on, ${HANDSHAKE} s at most.`,
        ];
  }
  return before
    ? [`${device} loses nothing while keys are exchanged; ${LOSSES.stricterKey.says}. ${fails}`]
    : [
        `Nothing passes by ${device} ${LOSSES.strictKey.says}; where ${device} is new, packets pass in the moment in between. To lose nothing, make it permissive now and strict in a later run. ${fails}`,
      ];
}
