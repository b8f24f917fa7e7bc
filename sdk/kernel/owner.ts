/** A machine belongs to one stack: two that undo each other's work are worse than one that stops. */
import type { Fault } from "../faults";
import type { Snapshot } from "./snapshot";

/** A fault when the machine is another stack's. `formerly`: names that this stack had before. */
export function foreignOwner(snapshot: Snapshot, owner: string, formerly: readonly string[] = []): Fault[] {
  const found = snapshot.owner;
  if (found === undefined || found === owner || formerly.includes(found)) return [];
  return [
    {
      code: "host/owned",
      path: "node",
      found: `a machine that belongs to the stack ${found} (/etc/overlay/owner)`,
      legal: `a machine of nobody's or of ${owner}`,
      cure: `destroy it there first; or, if ${owner} is that stack under a new name, add "${found}" to the node's \`formerly\``,
    },
  ];
}
