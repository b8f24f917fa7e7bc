/** The one or the two ends of a link or of a pair in a mesh or a segment that were seen. */
import { SESSION_SECONDS } from "../../kernel";
import { byName } from "../order";
import type { Examined, Way } from "./examine";

/** A host, and the way from it to the other one. */
export type End = [Examined, Way];

export const nodeOf = ([it]: End): string => it.wanted.node.name;
/** The way of packets that an end hears. */
export const heard = (end: End): string => `${end[1].path.to} to ${nodeOf(end)}`;

export const deviceOf = ({ look }: Examined, name: string) => look.seen?.wg.find(({ device }) => device === name);
export const peerOf = ([it, { path }]: End) =>
  deviceOf(it, path.device)?.peers.find(({ publicKey }) => publicKey === path.from);

export const hasSession = (end: End): boolean => {
  const [seen, peer] = [end[0].look.seen, peerOf(end)];
  return seen !== undefined && peer !== undefined && seen.now - peer.latestHandshake < SESSION_SECONDS;
};

export const namesOf = (ends: readonly End[]): string => ends.map(nodeOf).sort(byName).join(" and ");
export const devicesOf = (ends: readonly End[]): string =>
  [...new Set(ends.map(([, { path }]) => path.device))].join(", ");
