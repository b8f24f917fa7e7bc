/** Create and update: from whatever is there to what is wanted, by the fewest commands. */
import { type Failure, HostError } from "../host";
import { bootText, type Changes, changes, type Fact, factId, live, queries, type Snapshot, text } from "../kernel";
import { type BootFile, bootDrift, bootPath, bootQuery, isOwn } from "./boot";
import { config } from "./config";
import { specOf } from "./inputs";
import { hostFacts, type Operation, type State, state } from "./lifecycle";
import { HalfApplied, Refused } from "./outcome";
import type { Values } from "./wire";

/** A resource as it was before an update. */
export interface Before {
  id: string;
  outputs: Values;
  inputs: Values;
}

/** One change, one more where another run was at work at the same time, and one for what that one left. */
const ATTEMPTS = 3;

interface Goal {
  wanted: Fact[];
  boot: BootFile;
  /** What it was and is no longer to be: read as well, so that it goes. */
  former: Fact[];
  formerBoot?: string;
  asked: string[];
}

function goal({ type, resource }: Operation, spec: unknown, before: Before | undefined): Goal {
  const wanted = type.technology.plan(spec);
  const boot = { file: type.bootFile(spec), content: bootText(resource, wanted) };
  const formerSpec = before && specOf(type, before.inputs);
  const ids = new Set(wanted.map(factId));
  const former = formerSpec === undefined ? [] : type.technology.plan(formerSpec).filter((it) => !ids.has(factId(it)));
  const formerBoot = formerSpec === undefined ? boot.file : type.bootFile(formerSpec);
  return {
    wanted,
    boot,
    former,
    ...(formerBoot !== boot.file && { formerBoot }),
    asked: [...new Set([...queries([...wanted, ...former]), bootQuery(boot.file), bootQuery(formerBoot)])],
  };
}

/** What there is and what is to be done about it. */
interface Gap extends Changes {
  /** The text as it is. */
  is: string;
  closed: boolean;
}

function gap({ wanted, boot, former, formerBoot }: Goal, seen: Snapshot, resource: string): Gap {
  // Where another resource has taken over the old device, it is not ours to remove.
  const own = isOwn(seen, formerBoot ?? boot.file, resource);
  const is = live(seen, own ? [...wanted, ...former] : wanted);
  const change = changes(is, wanted, hostFacts(seen));
  const drift = bootDrift(seen, boot);
  const oldBoot = formerBoot !== undefined && own && formerBoot in seen.boot ? [`remove ${bootPath(formerBoot)}`] : [];
  return {
    ...change,
    commands: [...change.commands, ...oldBoot],
    is: config(is, drift),
    closed: change.commands.length + drift.length + oldBoot.length === 0 && text(is) === text(wanted),
  };
}

/** Throws Refused before anything is touched. */
function refuse({ type, machine }: Operation, spec: unknown, seen: Snapshot, { foreign }: Gap): void {
  const faults = type.technology.faults?.(spec, seen) ?? [];
  if (faults.length > 0) throw Refused.because(machine.name, faults);
  if (foreign.length > 0) throw new Refused(`${machine.name}: ${foreign.join(" ")}`);
}

/** A failed command counts only while it is still needed: another run may have done it in the same moment. */
const isStuck = (failed: Failure | undefined, { commands }: Gap, seen: Snapshot, boot: BootFile): boolean =>
  failed !== undefined &&
  (commands.some((command) => command.startsWith(failed.command)) ||
    (failed.command.includes(bootPath(boot.file)) && bootDrift(seen, boot).length > 0));

/** Kinds of HostError after which a change may have been made, in part or in full. */
const UNCERTAIN = ["lost", "timeout", "cancelled", "agent"];

export async function converge(
  operation: Operation,
  news: Values,
  before?: Before,
): Promise<{ id: string; outputs: State }> {
  const { type, machine, resource, status } = operation;
  const spec = specOf(type, news);
  const target = goal(operation, spec, before);
  const formerName = String(before?.outputs.resource ?? resource);
  let seen = await machine.look(target.asked, operation);
  let todo = gap(target, seen, formerName);
  refuse(operation, spec, seen, todo);

  const id = before?.id ?? type.id(spec);
  const half = (config: string, reasons: string[]) =>
    new HalfApplied(id, state(type, resource, config, seen), news, reasons);

  let failed: Failure | undefined;
  for (let attempt = 1; !todo.closed; attempt++) {
    if (attempt > ATTEMPTS || isStuck(failed, todo, seen, target.boot)) {
      throw half(todo.is, reasons(machine.name, failed, todo.is, text(target.wanted)));
    }
    status(todo.commands.length === 1 ? "1 command" : `${todo.commands.length} commands`);
    const change = { commands: todo.commands, queries: target.asked, owners: type.owners(spec), boot: target.boot };
    try {
      ({ failed, snapshot: seen } = await machine.change(change, operation));
    } catch (error) {
      if (error instanceof HostError && !UNCERTAIN.includes(error.kind)) throw error;
      const known = String(before?.outputs.config ?? "");
      throw half(known, [`${error instanceof Error ? error.message : error} How much of it was done is not known.`]);
    }
    todo = gap(target, seen, formerName);
  }
  return { id, outputs: state(type, resource, String(news.config), seen) };
}

function reasons(machine: string, failed: Failure | undefined, is: string, should: string): string[] {
  const [there, wanted] = [is.split("\n"), should.split("\n")];
  const lines = [
    ...there.filter((line) => line !== "" && !wanted.includes(line)).map((line) => `- ${line}`),
    ...wanted.filter((line) => !there.includes(line)).map((line) => `+ ${line}`),
  ];
  return [
    `${machine}: ${failed ? failed.message : "the host took every command, and yet it is not as it should be."}`,
    `What was done stays; the next run goes on with the rest:\n${lines.join("\n")}`,
  ];
}
