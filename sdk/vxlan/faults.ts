/** What only the live host can tell to be wrong with a member of a segment. */
import { type Fault, fault } from "../faults";
import { connected } from "../kernel/connected";
import { kinds } from "../kernel/kinds";
import { isPlaceholder } from "../kernel/later";
import { isOurs } from "../kernel/marks";
import { foreignOwner } from "../kernel/owner";
import type { Snapshot } from "../kernel/snapshot";
import { NO_DEVICE, notOurBridge } from "./bridge";
import { connectedFaults } from "./connected";
import type { Spec } from "./spec";

/** VXLAN devices of others. Our own are not looked at: the one that is in the way may be about to go. */
const others = ({ device }: Spec, snapshot: Snapshot) =>
  snapshot.links.flatMap(({ ifname }) => {
    const live = kinds.link.read(snapshot, ifname);
    return ifname !== device && live?.vxlan && !isOurs(live) ? [{ device: ifname, ...live.vxlan }] : [];
  });

/**
 * The kernel has one device for a VNI, a port and a family, and one socket for a port: either all VNIs there are one device's or
 * none. (One of the other family would be let, but what closes ours would close it, too.)
 */
function taken(spec: Spec, snapshot: Snapshot): Fault[] {
  const external = spec.variant === "unicast-routing";
  return others(spec, snapshot)
    .filter(({ port }) => port === spec.port)
    .flatMap((other): Fault[] => {
      if (!external && other.vni === spec.vni) {
        const legal = `a VNI that no other device has at port ${spec.port}, and the host's device ${other.device} has this one`;
        const cure = "give the segment another `vni`, or another `port`";
        return [fault(["vni"], spec.vni, { code: "input/duplicate", legal, cure })];
      }
      if (!external && other.vni !== undefined) return [];
      const legal = `a port of its own, because a device takes all VNIs at it, and the host's device ${other.device} has this one`;
      const cure = "give the segment another `port`, on all members";
      return [fault(["port"], spec.port, { code: "input/duplicate", legal, cure })];
    });
}

/** What lies behind another member comes before all that the host reaches by itself. */
const behind = ({ peers }: Spec, snapshot: Snapshot): Fault[] =>
  peers.flatMap(({ routes }, index) =>
    routes.flatMap((prefix, n) => {
      const clash = isPlaceholder(prefix) ? undefined : connected(snapshot, prefix, []);
      if (!clash) return [];
      const legal = `a prefix that the host is not connected to, and its device ${clash.device} is in ${clash.dst}`;
      const cure = "leave out what the host has of it by itself";
      return [fault(["peers", index, "routes", n], prefix, { code: "input/overlap", legal, cure })];
    }),
  );

function vtep({ local }: Spec, { addrs }: Snapshot): Fault[] {
  const there = addrs.some(({ addr_info }) => addr_info.some((it) => it.local === local));
  if (there || isPlaceholder(local)) return [];
  const legal = "an address of the host, because packets are to come from it";
  return [fault(["local"], local, { code: "input/reference", legal, cure: "correct it; `ip addr` shows them" })];
}

function bridged({ bridge }: Spec, snapshot: Snapshot): Fault[] {
  const why = bridge === undefined ? undefined : notOurBridge(bridge, snapshot);
  if (bridge === undefined || why === undefined) return [];
  const legal = `a bridge of ours, and ${why}`;
  const cure = "give the bridge another name, which the host does not know yet";
  return [fault(["bridge"], bridge, { code: "provider/foreign", legal, cure })];
}

const devices = (spec: Spec, { links }: Snapshot): Fault[] =>
  (["underlay", "masquerade"] as const).flatMap((name) => {
    const device = spec[name];
    if (device === undefined || links.some(({ ifname }) => ifname === device)) return [];
    return [fault([name], device, NO_DEVICE)];
  });

export const faults = (spec: Spec, snapshot: Snapshot): Fault[] => [
  ...foreignOwner(snapshot, spec.owner),
  ...taken(spec, snapshot),
  ...connectedFaults(spec.addresses, snapshot),
  ...behind(spec, snapshot),
  ...vtep(spec, snapshot),
  ...bridged(spec, snapshot),
  ...devices(spec, snapshot),
];
