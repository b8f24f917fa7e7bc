/** What a look at the hosts adds to a picture: who was not reached, and by which lines nothing goes. Pure. */
import type { HostStatus, Row, Status } from "../status/rows";
import { age } from "../status/table";

/** `unknown`: nobody of it could be looked at. */
export type LineState = Row["state"] | "unknown";

export interface Live {
  /** Why a node is not as it should be, in a few words; nothing where it is. */
  node(name: string): string | undefined;
  /** Of a link; or of a mesh's node. */
  line(link: string, node?: string): { state: LineState; words: string[] };
}

/** Of a picture that nobody was asked for. */
export const DECLARED: Live = { node: () => undefined, line: () => ({ state: "up", words: [] }) };

export const troubleOf = (live: Live, name: string): string[] => {
  const trouble = live.node(name);
  return trouble === undefined ? [] : [trouble];
};

const words = (name: string, { peer = "", state, handshake, endpoint, why }: Row): string =>
  [
    `${name} to ${peer}: ${state}`,
    ...(handshake === undefined ? [] : [`handshake ${age(handshake)} ago`]),
    ...(endpoint === undefined ? [] : [`${endpoint}, ${why}`]),
  ].join(", ");

/** A device that is not there counts more than a session of another side that has not ended yet. */
const worst = (states: readonly Row["state"][]): LineState =>
  (["down", "up", "idle"] as const).find((it) => states.includes(it)) ?? "unknown";

export function liveOf({ hosts }: Status): Live {
  const byName = new Map(hosts.map((host) => [host.name, host]));
  return {
    node(name) {
      const host = byName.get(name);
      if (!host) return undefined;
      if (!host.reachable) return "unreachable";
      return host.drift.length > 0 ? `drift: ${host.drift.length} lines` : undefined;
    },
    line(link, node) {
      const sides = hosts
        .filter(({ name }) => node === undefined || name === node)
        .flatMap((host: HostStatus) =>
          host.rows.flatMap((row) => (row.link === link && row.kind !== "segment" ? [{ host, row }] : [])),
        );
      const states = sides.map(({ row }) => row.state);
      // In a mesh one of many may be away.
      const state = node === undefined || !states.includes("up") ? worst(states) : "up";
      return { state, words: sides.map(({ host, row }) => words(host.name, row)) };
    },
  };
}
