/**
 * What becomes of a resource, written once for all technologies: what it should be as facts, what it is as facts, and
 * the fewest commands in between. Nothing here knows gRPC, and nothing but a Machine touches a host.
 */
import type { Code } from "../codes";
import { HostError, type RunOptions } from "../host";
import {
  bootText,
  type Command,
  changes,
  type Fact,
  type HostFacts,
  isPlaceholder,
  live,
  queries,
  type Snapshot,
  silence,
  silent,
  wrongClock,
} from "../kernel";
import { bootDrift, bootPath, bootQuery, isOwn } from "./boot";
import { config } from "./config";
import type { FarHosts } from "./far";
import { once, shapes, specsOf } from "./former";
import { parseSpec, same } from "./inputs";
import { healthOf } from "./keying";
import type { Machine } from "./machine";
import { Refused } from "./outcome";
import { readPaths, unproven } from "./paths";
import type { ResourceType } from "./registry";
import { removesOwnWay, safeguard } from "./safeguard";
import type { Turns } from "./turns";
import { isUnknown, UNKNOWN, type Values } from "./wire";

/** Outputs of every resource, besides the results of its type. */
export interface State extends Values {
  /** The last known text of the kernel. */
  config: string;
  /** /etc/machine-id of the machine that it is about. */
  machine: string;
  /** The name by which the host knows whose a boot file is: TYPE::NAME of the URN, so that a renamed stack keeps it. */
  resource: string;
}

/** What every operation on a host is given. */
export interface Operation extends RunOptions {
  type: ResourceType;
  /** `project/stack` of the URN: its name now, where what is in state may be from before a `pulumi stack rename`. */
  stack: string;
  /** TYPE::NAME of the URN. */
  resource: string;
  machine: Machine;
  /** The machine at the other end, of a resource that has to ask it. */
  other?: Machine;
  /** Commands with the bytes that they are about, which no fact has. Throws Refused. Default: as they are. */
  filled?(commands: readonly Command[]): Promise<Command[]>;
  /** Other hosts of the run, which may be reached by way of this one. Default: none. */
  far?: FarHosts;
  /** Where those are who must not all be away at once. Default: nobody else is there. */
  turns?: Turns;
  /** Waits for others of the run that may ask the same hosts for packets. Default: for nobody. */
  gather?(): Promise<void>;
  /** Whether a change is taken back unless a new login works, though it leaves SSH alone. */
  canary?: boolean;
  /** Shown beside the resource while it is worked on. */
  status(message: string): void;
  /** Shown for good. `about`: what one such message of a run is enough for, as a host. Default: this resource. */
  warn(code: Code, message: string, about?: string): void;
}

export const hostFacts = ({ host }: Snapshot): HostFacts => ({
  wireguard: host.wireguard === "kernel" ? "kernel" : "userspace",
});

type Read = ResourceType["results"][string];

export const results = (type: ResourceType, of: (name: string, read: Read) => unknown): Values =>
  Object.fromEntries(Object.entries(type.results).map(([name, read]) => [name, of(name, read)]));

export const state = (type: ResourceType, resource: string, spec: unknown, known: string, seen: Snapshot): State => ({
  ...results(type, (_, read) => read(seen, spec)),
  config: known,
  machine: seen.machine,
  resource,
});

/** The properties that make an update worth while. Contacts nobody. */
export function diff(type: ResourceType, olds: Values, oldInputs: Values, news: Values): string[] {
  const differs = {
    config: isUnknown(news.config) || news.config !== olds.config,
    // Another address is for the machine's own resource to try; while it is the same machine nobody else calls there.
    connection: type.machine !== undefined && !same(oldInputs.connection, news.connection),
    machine:
      type.machine === undefined &&
      news.machine !== undefined &&
      !isUnknown(news.machine) &&
      news.machine !== olds.machine,
  };
  return Object.entries(differs).flatMap(([name, different]) => (different ? [name] : []));
}

/** Outputs that a create or an update will most likely have. Only another machine at a new address has others. */
export function preview(type: ResourceType, resource: string, olds: Values, news: Values): Values {
  const wanted = news.config as string;
  return {
    ...results(type, (name) => olds[name] ?? UNKNOWN),
    config: isPlaceholder(wanted) ? UNKNOWN : wanted,
    machine: news.machine ?? olds.machine ?? UNKNOWN,
    resource,
    ...(type.technology.paths && { pathMtu: UNKNOWN }),
    ...(type.technology.keying && { health: UNKNOWN }),
  };
}

/** Not so what is there, too, when nothing of the resource is: settings, and what others have no longer. */
const isLeft = ({ kind, value }: Fact): boolean =>
  !["package", "sysctl", "backup"].includes(kind) && (value as { enabled?: boolean }).enabled !== false;

/** The resource as it is on the host, or undefined when nothing of it is left. */
export async function read(operation: Operation, inputs: Values, olds: Values): Promise<State | undefined> {
  const { type, machine } = operation;
  const spec = parseSpec(type, inputs.spec);
  const wanted = type.technology.plan(spec);
  // The name that it had when it last wrote the file: an alias changes the URN and leaves the host alone.
  const resource = typeof olds.resource === "string" ? olds.resource : operation.resource;
  const boot = { file: type.bootFile(spec), content: bootText(resource, wanted) };
  const all = shapes(type, specsOf(inputs, olds));
  const observed = type.technology.observes?.(spec) ?? [];
  const files = all.map(({ bootFile }) => bootQuery(bootFile));
  const asked = [...queries(all.flatMap(({ facts }) => facts)), ...files, ...observed];
  const seen = await machine.look([...new Set(asked)], { ...operation, recent: true });

  // What a half-applied update left of another spec is there, too; a setting's value does not tell whose it is.
  const own = all.filter(({ bootFile }) => isOwn(seen, bootFile, resource)).flatMap(({ facts }) => facts);
  const is = live(seen, once([...wanted, ...own.filter(({ kind }) => kind !== "sysctl")]));
  const left = is.some(isLeft) || boot.file in seen.boot;
  if (!type.machine && !left) return undefined;
  // What others did since the last change, such as a firewall that was enabled, shows in none of our lines.
  for (const { code, text } of type.technology.warnings?.(spec, seen) ?? []) operation.warn(code, text);
  const whole = type.machine?.named?.(spec);
  const end = type.technology.end?.(spec);
  const lost = end ? silent(end, seen) : [];
  const clockOf = whole ?? (lost.length > 0 ? end?.from : undefined);
  for (const sentence of clockOf === undefined ? [] : wrongClock(clockOf, seen))
    operation.warn("warning/clock", sentence, clockOf);
  if (end && lost.length > 0) operation.warn("warning/silent", silence(end, lost, seen));
  const paths = type.technology.paths?.(spec, seen);
  const ways =
    paths &&
    (await readPaths(paths, olds, config(is), seen, machine, operation).catch(
      unproven(operation, { pathMtu: olds.pathMtu ?? {}, notes: [] }),
    ));
  const keying = type.technology.keying?.(spec);
  const ends = { own: machine, node: end?.from ?? "", ...(operation.other && { other: operation.other }) };
  const health = keying && (await healthOf(keying, ends, operation));
  const known = config(is, [...bootDrift(seen, boot), ...(ways?.notes ?? [])]);
  const now = {
    ...state(type, resource, spec, known, seen),
    ...(ways && { pathMtu: ways.pathMtu }),
    ...(keying && { health }),
  };
  // Only an update that comes to its end knows that nothing is left: the settings of another spec are not among these.
  return olds.former === undefined ? now : { ...now, former: olds.former };
}

/**
 * Removes what is the resource's own and of this stack; what is another's by now, or gone, is left alone. `allowed`
 * throws where what is there may not go.
 */
export async function remove(
  operation: Operation,
  inputs: Values,
  olds: Values,
  allowed: (removed: readonly Fact[]) => Promise<void> = async () => undefined,
): Promise<void> {
  const { type, machine, stack, status } = operation;
  const owners = [...type.owners(parseSpec(type, inputs.spec)), stack];
  const former = shapes(type, specsOf(inputs, olds));
  const belonging = type.machine?.queries(parseSpec(type, inputs.spec)) ?? [];
  const certain = [...queries(former.flatMap(({ facts }) => facts)), ...belonging];
  const recently = { ...operation, recent: true };
  const first = await machine.look([...new Set(certain)], recently);
  // Of some only a look tells that they are there, and only another in which state.
  const more = queries(type.machine?.belongings(first) ?? []).filter((query) => !certain.includes(query));
  const asked = [...new Set([...certain, ...more])];
  const seen = more.length === 0 ? first : await machine.look(asked, recently);
  if (seen.owner !== undefined && !owners.includes(seen.owner)) {
    const where = `${machine.name}, which belongs to the stack ${seen.owner}`;
    return operation.warn("warning/left", `It was left on ${where}.`);
  }

  const name = String(olds.resource ?? operation.resource);
  const own = former.filter(({ bootFile }) => isOwn(seen, bootFile, name));
  if (own.length === 0) return status("nothing to do: another resource has taken it over");

  const facts = once(own.flatMap((shape) => shape.facts));
  const { belongings, remains } = type.machine ?? { belongings: () => [], remains: () => [] };
  const removing = (now: Snapshot) => {
    const there = live(now, once([...facts, ...belongings(now)]));
    const { commands, changed } = changes(there, [], hostFacts(now));
    const files = own.map(({ bootFile }) => bootFile).filter((file) => file in now.boot);
    const removals = new Set([...remains(now), ...files.map(bootPath)].map((path) => `remove ${path}`));
    return { live: there, changed, commands: [...commands, ...removals] };
  };
  const removal = removing(seen);
  const { commands } = removal;
  if (commands.length === 0) return status("nothing was left");
  const blind = removesOwnWay(operation, seen, removal.live);
  await allowed(removal.live);
  const { cutOff, ...guard } = await safeguard(operation, seen, removal, [], hostFacts(seen));
  status(`removing it: ${commands.length} commands`);
  const change = { commands, queries: asked, owners, ...guard };
  const done = await machine.change(change, operation).catch((error: unknown) => {
    if (!blind || !(error instanceof HostError) || error.kind !== "lost") throw error;
    const what = "was told to remove it, and its SSH went with it: what became of it is not known.";
    operation.warn("warning/unseen", `${machine.name} ${what}`);
  });
  if (!done) return;
  const { failed, takenBack, snapshot: after } = done;
  if (takenBack) throw new Refused("provider/takenBack", cutOff);
  // A value that is restored does not show that it is; everything else that is left does.
  if (failed && removing(after).commands.some((command) => command.startsWith(failed.command))) {
    throw new Refused("provider/failed", `${machine.name}: ${failed.message} What is left is removed by the next run.`);
  }
}
