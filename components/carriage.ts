/** What the packets between the members of a segment go by, and what is wrong with that. */
import { type Fault, fault } from "../sdk/faults";
import type { Family } from "../sdk/network/address";
import { type Leg, pathsBetween } from "./paths";
import type { SegmentData } from "./segmentArgs";

/** What the packets between members go by. */
export interface Carriage {
  /** Members that no way leads between. */
  apart: [one: string, other: string][];
  /** One of two members that only a relay leads to, and the relay. */
  relayed: { to: string; by: string }[];
  legs: Leg[];
}

/** `relays`: the nodes that forward between two others. */
export function carriage(
  { encrypted, members }: SegmentData,
  legs: readonly Leg[],
  relays: (one: string, other: string) => string[],
): Carriage {
  const found: Carriage = { apart: [], relayed: [], legs: [] };
  if (!encrypted) return found;
  const names = members.map(({ node }) => node.nodeName);
  const used = new Set<Leg>();
  for (const [index, one] of names.entries()) {
    for (const other of names.slice(index + 1)) {
      const paths = pathsBetween(legs, one, other, relays(one, other));
      if (!paths[0]) found.apart.push([one, other]);
      else if (paths[0].by !== undefined) found.relayed.push({ to: other, by: paths[0].by });
      for (const leg of paths.flatMap((path) => path.legs)) used.add(leg);
    }
  }
  return { ...found, legs: [...used] };
}

/** `of`: the family of the VXLAN packets. */
export function pathFaults(segment: SegmentData, { apart, relayed, legs }: Carriage, of: Family): Fault[] {
  const { ttl, members, links, mesh } = segment;
  const among = links.length > 0 || mesh ? "of those that `links` and `mesh` name " : "";
  const names = members.map(({ node }) => node.nodeName);
  const faults = apart.map(([one, other]) => {
    const legal = `a node that a link or a mesh ${among}leads to from every other member, directly or by a relay, and between ${one} and ${other} there is none`;
    const cure = `link the two, have a node relay between them, or say encrypted: false where frames may be sent in clear`;
    return fault(["members", names.indexOf(other), "node"], other, { code: "input/way", legal, cure });
  });
  const alone = legs.find(({ family }) => family === "v4");
  if (alone && of === "inet6") {
    const legal = `inet, because ${alone.who} carries IPv4 alone`;
    const cure = `correct it, or leave out \`family\` of ${alone.who}`;
    faults.push(fault(["outer"], segment.outer, { code: "input/family", legal, cure }));
  }
  const [far] = relayed;
  if (ttl > 1 || !far) return faults;
  // A relay takes one from the time to live, and drops what has none left: RFC 1812, section 5.3.1.
  const legal = `at least 2, because the way to ${far.to} leads by the relay ${far.by}`;
  const cure = "leave it out, or link the two nodes directly";
  return [...faults, fault(["ttl"], ttl, { code: "input/range", legal, cure })];
}
