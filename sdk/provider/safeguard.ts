/** What keeps a change from cutting off the run that makes it. */
import { describeConnection, UNDO_AFTER } from "../host";
import {
  type Changed,
  type Command,
  changes,
  exposure,
  type Fact,
  factId,
  type HostFacts,
  isOfNetwork,
  type Snapshot,
  undo,
} from "../kernel";
import { address, host } from "../network/address";
import { connectionOf, parseSpec } from "./inputs";
import type { Operation } from "./lifecycle";
import { Refused } from "./outcome";
import type { ResourceType } from "./registry";
import { hasUnknown, isUnknown, type Values } from "./wire";

export interface Safeguard {
  /** For `Change`. */
  undo?: Command[];
  /** Why it was taken back, for whoever asks in the end. */
  cutOff: string;
}

/** Nothing is taken back then that is to go. */
const forced = (): boolean => process.env.OVERLAY_FORCE === "on";

/** Whether what is to be removed carries the run's own SSH. Throws Refused then, unless it is forced. */
export function removesOwnWay({ machine }: Operation, { ssh }: Snapshot, removed: readonly Fact[]): boolean {
  const own = removed.find(({ kind, key }) => kind === "link" && key === ssh?.device);
  if (!own || forced()) return own !== undefined;
  throw new Refused(
    `${machine.name}: ${own.key} carries this run's own SSH, and without it nobody could finish or undo this. Set connection.host to an address that does not depend on it, and run \`pulumi up\` first; or, where it is to go whatever may come, OVERLAY_FORCE=on.`,
  );
}

/** Said beside the resource, too, where the change from what is `live` may cut off the run's own SSH. */
export function safeguard(
  { machine, status, canary }: Operation,
  seen: Snapshot,
  { live, changed }: { live: readonly Fact[]; changed: readonly Changed[] },
  wanted: readonly Fact[],
  facts: HostFacts,
): Safeguard {
  const by = exposure(seen, changed);
  if ((by === undefined && !canary) || (wanted.length === 0 && forced())) return { cutOff: "" };
  const why = by ? `${by} may carry this run's own SSH` : "it goes first";
  status(`${why}: the change is taken back after ${UNDO_AFTER} s unless a new login works`);
  return {
    undo: undo(live, wanted, facts),
    cutOff: `${machine.name}: the change${by ? ` to ${by}` : ""} cut off new logins, so the host took it back after ${UNDO_AFTER} s. Reach it by a way that does not depend on this (connection.host, proxyJump), or declare something else.`,
  };
}

/**
 * What of this a preview knows without asking the host: SSH goes to an address of the very device that changes, or a
 * setting of the whole network does. Sentences; the rest is said when the host has been looked at.
 */
export function foretold(type: ResourceType, oldInputs: Values, news: Values): string[] {
  if (isUnknown(news.spec) || hasUnknown(news.connection)) return [];
  const [before, after] = [oldInputs, news].map(({ spec }) => type.technology.plan(parseSpec(type, spec)));
  if (!before || !after) return [];
  const connection = connectionOf(news);
  const isOwn = ({ kind, value }: Fact) =>
    kind === "address" && (value as { address: string }).address === toPrefix(connection.host);
  const device = [...before, ...after].find(isOwn)?.after;
  const { changed } = changes(before, after, { wireguard: "kernel" });
  const by = changed
    .flatMap(({ from, to }) => [from, to])
    .find((fact) => fact && (isOfNetwork(fact) || (device !== undefined && (fact.after ?? factId(fact)) === device)));
  if (!by) return [];
  return [
    `${device ?? factId(by)} may carry this run's own SSH to ${describeConnection(connection)}: the change is taken back after ${UNDO_AFTER} s unless a new login works.`,
  ];
}

/** Of the form that addresses have on a device; of a name nothing is. */
const toPrefix = (name: string): string | undefined => {
  const it = address(name);
  return it === undefined ? undefined : host(it);
};
