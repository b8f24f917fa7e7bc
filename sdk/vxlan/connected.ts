/** A segment and the networks that its member's host is in by other devices. */
import { type Fault, fault } from "../faults";
import { connected } from "../kernel/connected";
import type { Snapshot } from "../kernel/snapshot";
import { inside } from "../network/address";

/** Such a network would lose the packets for it, or take the segment's. `ports`: devices that become the bridge's. */
export const connectedFaults = (addresses: string[], snapshot: Snapshot, ports: string[] = []): Fault[] =>
  addresses.flatMap((text, index) => {
    const clash = connected(snapshot, inside(text)?.prefix ?? text, []);
    if (!clash) return [];
    const legal = `an address in a prefix that the host is not connected to, and its device ${clash.device} is in ${clash.dst}`;
    const off = ports.includes(clash.device) ? `; or take the port's own addresses off, where the bridge has them` : "";
    const cure = `give the segment another prefix${off}`;
    return [fault(["addresses", index], text, { code: "input/overlap", legal, cure })];
  });
