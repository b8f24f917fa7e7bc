/** What of a stack's hosts a question is about. */
import { ToolError } from "../error";
import type { StackNetwork } from "../stack";
import type { Declared, Wanted } from "../status/look";

export const INTERFACE = "overlay:wireguard:Interface";
export const MEMBER = "overlay:vxlan:Member";
export const BRIDGE = "overlay:vxlan:Bridge";

/** What of a host a question is about. */
export interface Concern {
  wanted: Wanted;
  concerned: Declared[];
  /** Whether the way to that node by that link, mesh or segment is. */
  asks(link: string, to: string): boolean;
}

const isDevice = ({ token }: Declared): boolean => token === INTERFACE || token === MEMBER;

/** Of the link, the mesh or the segment that a device is of. */
export const nameOf = ({ spec }: Declared): string => spec.segment ?? spec.link;

export interface Peer {
  name: string;
  publicKey: string;
  foreign?: true;
  endpoint?: string;
  /** A text where they are not known. */
  addresses: string | string[];
}

/** The other end of a link, or the other nodes of a mesh. */
export const peersOf = ({ spec }: Declared): Peer[] => [...(spec.peer ? [spec.peer] : []), ...(spec.peers ?? [])];

/** By which links and meshes members of segments reach each other, and which nodes' ends of these have to do with it. */
function beneath(all: readonly Wanted[], isAsked: (segment: string, a: string, b: string) => boolean) {
  const found = new Map<string, Set<string>>();
  for (const { node, declared } of all) {
    const vteps = declared
      .filter(({ token, spec }) => token === MEMBER && spec.encrypted)
      .flatMap(({ spec }) => spec.peers.filter((it: Peer) => isAsked(spec.segment, node.name, it.name)))
      .map(({ vtep }): string => vtep);
    for (const it of declared.filter(({ token }) => token === INTERFACE)) {
      const has = ({ addresses }: Pick<Peer, "addresses">) => [addresses].flat().some((one) => vteps.includes(one));
      const relays: { by: string; addresses: string[] }[] = it.spec.relayed;
      const to = [
        ...peersOf(it).flatMap((one) => (has(one) ? one.name : [])),
        ...relays.filter(has).map(({ by }) => by),
      ];
      if (to.length > 0) found.set(nameOf(it), new Set([...(found.get(nameOf(it)) ?? []), node.name, ...to]));
    }
  }
  return found;
}

/**
 * The hosts that a name is about: of a host, itself and those at the other ends of its links; of a link, a mesh or a segment,
 * its ends; of a segment also what carries it. Throws an Error where the stack has nothing of that name.
 */
export function concerns(all: readonly Wanted[], { nodes }: StackNetwork, name: string): Concern[] {
  const isHost = all.some(({ node }) => node.name === name);
  const links = new Set(
    all.flatMap(({ node, declared }) =>
      declared.flatMap((it) => (isDevice(it) && (node.name === name || nameOf(it) === name) ? nameOf(it) : [])),
    ),
  );
  if (links.size === 0 && !isHost) {
    const others = [
      ...nodes.filter(({ foreign }) => !foreign).map((it) => it.name),
      ...new Set(all.flatMap(({ declared }) => declared.flatMap((it) => (isDevice(it) ? nameOf(it) : [])))),
    ];
    throw new ToolError("cli/host", `the stack has no host and no link ${name}, only ${others.join(", ")}`);
  }
  const isAsked = (link: string, ...ends: string[]): boolean =>
    links.has(link) && (link === name || ends.includes(name));
  const carriers = beneath(all, isAsked);
  return all.flatMap((wanted): Concern[] => {
    const own = wanted.node.name;
    const devices = wanted.declared.filter(
      (it) => isDevice(it) && (links.has(nameOf(it)) || carriers.get(nameOf(it))?.has(own)),
    );
    if (own !== name && devices.length === 0) return [];
    const names = new Set(
      devices.flatMap(({ spec }) => [spec.device, ...(spec.bridge === undefined ? [] : [spec.bridge])]),
    );
    const concerned =
      own === name
        ? wanted.declared
        : wanted.declared.filter(
            (it) => it.token === "overlay:node:Host" || devices.includes(it) || names.has(it.spec.device),
          );
    const asks = (link: string, to: string) =>
      isAsked(link, own, to) || [own, to].every((it) => carriers.get(link)?.has(it));
    return [{ wanted, concerned, asks }];
  });
}
