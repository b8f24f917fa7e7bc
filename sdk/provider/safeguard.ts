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
import type { Far, FarHosts } from "./far";
import { connectionOf, parseSpec } from "./inputs";
import type { Operation } from "./lifecycle";
import { Refused } from "./outcome";
import type { ResourceType } from "./registry";
import { hasUnknown, isUnknown, type Values } from "./wire";

export interface Safeguard {
  /** For `Change`. */
  undo?: Command[];
  others?: () => Promise<unknown>;
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
    "provider/carriesSsh",
    `${machine.name}: ${own.key} carries this run's own SSH, and without it nobody could finish or undo this. Set connection.host to an address that does not depend on it, and run \`pulumi up\` first; or, where it is to go whatever may come, OVERLAY_FORCE=on.`,
  );
}

/** What a change puts at stake of the ways of this run. */
interface Stake {
  /** What is changed that this host's own SSH may depend on. */
  own?: string;
  far: Far[];
}

async function stake(
  operation: Operation,
  seen: Snapshot,
  { live, changed }: { live: readonly Fact[]; changed: readonly Changed[] },
): Promise<Stake> {
  const own = exposure(seen, changed);
  const far = forced() ? [] : ((await operation.far?.through(seen, live, changed, operation)) ?? []);
  return { ...(own !== undefined && { own }), far };
}

const unless = `the change is taken back after ${UNDO_AFTER} s unless a new login works`;

const named = (far: readonly Far[]): string => far.map(({ machine }) => machine.name).join(", ");
const by = (far: readonly Far[]): string =>
  `reached by ${[...new Set(far.map(({ device }) => device))].join(", ")} of this host`;

/** What a change puts at stake, in a sentence for preview; none where it is nothing. */
export async function warning(...[operation, seen, change]: Parameters<typeof stake>): Promise<string[]> {
  const { own, far } = await stake(operation, seen, change);
  return [
    ...(own ? [`${own} may carry this run's own SSH to ${operation.machine.name}: ${unless}.`] : []),
    ...(far.length > 0 ? [`${named(far)} is ${by(far)}: ${unless} there, too.`] : []),
  ];
}

/**
 * Said beside the resource, too, where the change from what is `live` may cut off the run's own SSH, to this host or to
 * one behind it. Throws Refused where it would take away the way to another.
 */
export async function safeguard(
  operation: Operation,
  seen: Snapshot,
  change: { live: readonly Fact[]; changed: readonly Changed[] },
  wanted: readonly Fact[],
  facts: HostFacts,
): Promise<Safeguard> {
  const { machine, status, canary } = operation;
  const removes = wanted.length === 0;
  if (removes && forced()) return { cutOff: "" };
  const { own, far } = await stake(operation, seen, change);
  if (removes && far.length > 0) {
    throw new Refused(
      "provider/carriesSsh",
      `${machine.name}: ${named(far)} is ${by(far)}, and without it nobody could reach it any more. Set its connection.host to an address that does not depend on this, and run \`pulumi up\` first; or, where this is to go whatever may come, OVERLAY_FORCE=on.`,
    );
  }
  if (own === undefined && far.length === 0 && !canary) return { cutOff: "" };
  const why = own
    ? `${own} may carry this run's own SSH`
    : far.length > 0
      ? `${named(far)} is ${by(far)}`
      : "it goes first";
  status(`${why}: ${unless}`);
  const where = far.length > 0 ? ` to ${named(far)}, ${by(far)}` : "";
  return {
    undo: undo(change.live, wanted, facts),
    ...(far.length > 0 && { others: () => Promise.all(far.map(({ machine }) => machine.login(operation))) }),
    cutOff: `${machine.name}: the change${own ? ` to ${own}` : ", or what was changed with it,"} cut off new logins${where}, so the host took it back after ${UNDO_AFTER} s. Reach ${where ? "them" : "it"} by a way that does not depend on this (connection.host, proxyJump), or declare something else${where ? "; where it is to be whatever may come, OVERLAY_FORCE=on" : ""}.`,
  };
}

/**
 * What of this a preview knows without asking the host: SSH goes to an address of the very device that changes, or a
 * setting of the whole network does. Sentences; the rest is said when the host has been looked at.
 */
export function foretold(type: ResourceType, oldInputs: Values, news: Values, hosts?: FarHosts): string[] {
  if (isUnknown(news.spec) || hasUnknown(news.connection)) return [];
  const [before, after] = [oldInputs, news].map(({ spec }) => type.technology.plan(parseSpec(type, spec)));
  if (!before || !after) return [];
  const connection = connectionOf(news);
  const isOwn = ({ kind, value }: Fact) =>
    kind === "address" && (value as { address: string }).address === toPrefix(connection.host);
  const device = [...before, ...after].find(isOwn)?.after;
  const { changed } = changes(before, after, { wireguard: "kernel" });
  const own = changed
    .flatMap(({ from, to }) => [from, to])
    .find((fact) => fact && (isOfNetwork(fact) || (device !== undefined && (fact.after ?? factId(fact)) === device)));
  const far = hosts?.led(before, changed) ?? [];
  return [
    ...(own
      ? [`${device ?? factId(own)} may carry this run's own SSH to ${describeConnection(connection)}: ${unless}.`]
      : []),
    ...(far.length > 0 ? [`${named(far)} may be ${by(far)}: ${unless} there, too.`] : []),
  ];
}

/** Of the form that addresses have on a device; of a name nothing is. */
const toPrefix = (name: string): string | undefined => {
  const it = address(name);
  return it === undefined ? undefined : host(it);
};
