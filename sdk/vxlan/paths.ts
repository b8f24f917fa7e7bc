/** Which ways from a member to the others are to be proven, and who answers at their ends. */
import { kindOf } from "../kernel/kinds";
import type { Snapshot } from "../kernel/snapshot";
import type { End, Path } from "../kernel/technology";
import { contains, family, host, inside } from "../network/address";
import { leastMtu } from "../network/mtu";
import { linkLocal, plan } from "./plan";
import type { Peer, Spec } from "./spec";

const named = (segment: string, node: string): string => `segment ${segment}@${node}`;

/** A member calls nobody: it is there as soon as its device is. */
export const end = ({ segment, node }: Spec): End => ({
  name: named(segment, node),
  from: node,
  called: false,
  calls: [],
});

/** Variants in which an address is found that nobody has declared, as a link-local one. */
const LOOKS: Spec["variant"][] = ["point-to-point", "multicast", "static-flood", "static-l2", "route-short-circuit"];

/** An address of the other member beside which this one has one of its own: nobody may be asked from anywhere else. */
function answering({ variant }: Spec, { id, addresses }: Peer, own: readonly string[]): string | undefined {
  const near = (it: string): boolean =>
    variant === "unicast-routing"
      ? own.some((mine) => family(mine) === family(it) && !mine.startsWith("fe80:"))
      : own.some((mine) => contains(inside(mine)?.prefix ?? "", it));
  const known = addresses.flatMap((it) => inside(it)?.address ?? []);
  const six = known.filter((it) => family(it) === "inet6");
  // Last, because a bridge has one for all segments that are in it, and two of them may answer.
  const local = id !== undefined && LOOKS.includes(variant) ? (inside(linkLocal(id))?.address ?? []) : [];
  return [six, known, local].flat().find(near);
}

/** What the host is told of the way to one of the others. */
function linesOf(spec: Spec, peer: Peer): string[] {
  const { router, ...pair } = { ...spec, peers: [{ ...peer, behind: [], routes: [] }] };
  return plan(pair)
    .filter(({ kind }) => ["link", "bridgePort", "fdb", "neighbour", "route"].includes(kind))
    .flatMap((fact) => kindOf(fact).lines(fact.value));
}

/** The link or mesh by which the host thinks that another member is reached. */
function within(vtep: string, { routes4, routes6, wg }: Snapshot): Path["within"] {
  const [best] = [...(family(vtep) === "inet" ? routes4 : routes6)]
    .filter(({ dst }) => dst === vtep)
    .sort((a, b) => (a.metric ?? 0) - (b.metric ?? 0));
  const found = wg.find(({ device }) => device === best?.dev);
  const [only, ...others] = found?.peers ?? [];
  const peer = others.length === 0 ? only : found?.peers.find(({ allowedIps }) => allowedIps.includes(host(vtep)));
  return found && peer && { device: found.device, port: found.listenPort, from: peer.publicKey };
}

export function paths(spec: Spec, seen: Snapshot): Path[] {
  const { segment, bridge, peers, port, encrypted } = spec;
  // A node has its addresses on the bridge, and sends what fits into each of the segments there.
  const device = bridge ?? spec.device;
  const bridged = seen.links.filter(({ ifname }) => ifname === bridge).map(({ mtu }) => mtu);
  const found = seen.addrs.find(({ ifname }) => ifname === device)?.addr_info ?? [];
  const own = found.map(({ local, prefixlen }) => `${local}/${prefixlen}`);
  return peers.flatMap((peer): Path[] => {
    const address = answering(spec, peer, own);
    if (address === undefined) return [];
    const link = encrypted ? within(peer.vtep, seen) : undefined;
    return [
      {
        ...{ device, of: segment, to: peer.name, other: named(segment, peer.name), address },
        ...{ mtu: Math.min(spec.mtu, ...bridged), least: leastMtu(spec.family) },
        ...{
          layer: "VXLAN",
          below: encrypted ? "link" : "underlay",
          port,
          from: peer.vtep,
          ...(link && { within: link }),
        },
        lines: linesOf(spec, peer),
      },
    ];
  });
}
