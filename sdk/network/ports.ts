/** Listen ports: one a link, from the peer's id, so that nothing moves when something is added. */

/** Towards a peer a node listens on PORT_BASE + the peer's id. */
export const PORT_BASE = 11000;

/** Ids are 1 to MAX_ID, so that every port is one. */
export const MAX_ID = 65535 - PORT_BASE;

/** Rosenpass listens beyond the ports of links; for a mesh on others than for links, so that two nodes may go from the one to the other. */
const ROSENPASS = { link: 10000, mesh: 20000 };

/** The port of what keys the packets to and from a peer. */
export const rosenpassPort = (peerId: number, base: number, of: keyof typeof ROSENPASS): number =>
  base + ROSENPASS[of] + peerId;

/** The port that a node listens on towards a peer. `pool`: the ports of a node that has only a few. */
export function listenPort(
  peerId: number,
  { base = PORT_BASE, pool }: { base?: number; pool?: readonly number[] } = {},
): number {
  return pool?.[peerId % pool.length] ?? base + peerId;
}
