/** What only the live host can tell to be wrong with a link. */
import { type Fault, fault } from "../faults";
import { kinds } from "../kernel/kinds";
import { isOurs } from "../kernel/marks";
import { foreignOwner } from "../kernel/owner";
import type { Snapshot } from "../kernel/snapshot";
import type { Spec } from "./spec";

// Our own devices are not looked at: the one that has the port may be about to go.
function portTaken(spec: Spec, snapshot: Snapshot): Fault[] {
  const other = snapshot.wg.find(({ device, listenPort }) => {
    const link = kinds.link.read(snapshot, device);
    return listenPort === spec.listenPort && link !== undefined && !isOurs(link);
  });
  if (!other) return [];
  const legal = `a port that nothing else listens on, and the host's device ${other.device} listens on this one`;
  return [fault(["listenPort"], spec.listenPort, { legal, cure: "give the link another port in `ports`" })];
}

export const faults = (spec: Spec, snapshot: Snapshot): Fault[] => [
  ...foreignOwner(snapshot, spec.owner),
  ...portTaken(spec, snapshot),
];
