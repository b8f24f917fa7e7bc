/** What a look at the hosts adds to a picture: who was not reached, and by which lines nothing goes. Pure. */
import type { StackRelay } from "../stack";
import type { HostStatus, Row, State, Status } from "../status/rows";
import { age } from "../status/table";

/** `unknown`: nobody of it could be looked at. */
export type LineState = State | "unknown";

export interface Line {
  state: LineState;
  /** A sentence for each of its sides. */
  words: string[];
}

export interface Live {
  /** Why a node is not as it should be, in a few words; nothing where it is. */
  node(name: string): string | undefined;
  /** Of a link; or of a mesh's node. */
  line(link: string, node?: string): Line;
  /** Of a segment, at one of its members. */
  member(segment: string, node: string): Line;
  relay(relay: StackRelay): Line;
}

const WELL: Line = { state: "up", words: [] };

/** Of a picture that nobody was asked for. */
export const DECLARED: Live = { node: () => undefined, line: () => WELL, member: () => WELL, relay: () => WELL };

export const troubleOf = (live: Live, name: string): string[] => {
  const trouble = live.node(name);
  return trouble === undefined ? [] : [trouble];
};

/** What is said of a thing where it is not as it should be. `idle`: of one by which nothing goes. */
export const stateWords = ({ state }: Line, idle = "no session"): string[] =>
  state === "up" ? [] : [{ idle, down: "not as declared", unknown: "not known" }[state]];

/** Of a relay that is there, while another way is better. */
export const UNUSED = "not in use";

const words = (
  name: string,
  { kind, link, peer, state, missing, handshake, endpoint, why, members = [] }: Row,
): string => {
  const away = members.filter((it) => it.state === "idle").map((it) => it.name);
  return [
    `${name}${kind === "segment" ? ` in ${link}` : ` to ${peer ?? ""}`}: ${state}`,
    ...(missing === undefined ? [] : [missing]),
    ...(away.length === 0 ? [] : [`does not reach ${away.join(", ")}`]),
    ...(handshake === undefined ? [] : [`handshake ${age(handshake)} ago`]),
    ...(endpoint === undefined ? [] : [endpoint]),
    ...(why === undefined ? [] : [why]),
  ].join(", ");
};

/** A device that is not there counts more than a session of another side that has not ended yet. */
const worst = (states: readonly State[]): LineState =>
  (["down", "up", "idle"] as const).find((it) => states.includes(it)) ?? "unknown";

export function liveOf({ hosts }: Status): Live {
  const byName = new Map(hosts.map((host) => [host.name, host]));
  const sides = (is: (row: Row, host: HostStatus) => boolean): { states: State[]; words: string[] } => {
    const found = hosts.flatMap((host) => host.rows.flatMap((row) => (is(row, host) ? [{ host, row }] : [])));
    return { states: found.map(({ row }) => row.state), words: found.map(({ host, row }) => words(host.name, row)) };
  };
  return {
    node(name) {
      const host = byName.get(name);
      if (!host) return undefined;
      if (!host.reachable) return "unreachable";
      return host.drift.length > 0 ? `drift: ${host.drift.length} lines` : undefined;
    },
    line(link, node) {
      const { states, words } = sides(
        (row, { name }) =>
          row.link === link && ["link", "mesh"].includes(row.kind) && (node === undefined || name === node),
      );
      // In a mesh one of many may be away.
      return { state: node === undefined || !states.includes("up") ? worst(states) : "up", words };
    },
    member(segment, node) {
      const { states, words } = sides(
        ({ kind, link }, { name }) => kind === "segment" && link === segment && name === node,
      );
      return { state: states[0] ?? "unknown", words };
    },
    relay({ a, b, by }) {
      const { states, words } = sides((row, { name }) => {
        const to = name === a ? b : name === b ? a : undefined;
        return row.kind === "relay" && row.by === by && row.peer !== undefined && row.peer === to;
      });
      return { state: worst(states), words };
    },
  };
}
