/** What packets between two nodes go by: a link or a mesh that both are in, or two of these and a relay in between. */
import type * as pulumi from "@pulumi/pulumi";
import type { Way } from "../sdk/network/mtu";

/** A link or a mesh. */
export interface Leg {
  /** `link lux-fra`, `mesh asia` */
  who: string;
  mesh?: string;
  nodes: readonly string[];
  /** Bytes. */
  mtu: pulumi.Input<number>;
  /** Where there is IPv4 inside alone. */
  family?: "v4";
  /** How they come about, where that is known. */
  way?: Way | undefined;
}

export interface Path {
  /** The relay's name. */
  by?: string;
  legs: readonly Leg[];
}

/** The leg between two nodes, of which there is one. */
export const legBetween = (legs: readonly Leg[], one: string, other: string): Leg | undefined =>
  legs.find(({ nodes }) => nodes.includes(one) && nodes.includes(other));

/** Each path between two nodes, the direct one first. `relays`: those that forward between the two. */
export function pathsBetween(legs: readonly Leg[], one: string, other: string, relays: readonly string[]): Path[] {
  const direct = legBetween(legs, one, other);
  const relayed = relays.flatMap((by): Path[] => {
    const [first, last] = [legBetween(legs, one, by), legBetween(legs, by, other)];
    return first && last ? [{ by, legs: [first, last] }] : [];
  });
  return [...(direct ? [{ legs: [direct] }] : []), ...relayed];
}
