/** Create and update: from whatever is there to what is wanted, by the fewest commands. */
import type { Code } from "../codes";
import { type Failure, HostError } from "../host";
import { bootText, type Changes, changes, type Fact, live, queries, type Snapshot, text } from "../kernel";
import { lineDiff } from "../lineDiff";
import { type BootFile, bootDrift, bootPath, bootQuery, isOwn } from "./boot";
import { config } from "./config";
import { once, type Shape, shapes, specsOf } from "./former";
import { impact, unforeseen } from "./impact";
import { parseSpec } from "./inputs";
import { hostFacts, type Operation, type State, state } from "./lifecycle";
import { HalfApplied, Refused } from "./outcome";
import { safeguard } from "./safeguard";
import { earlier, type Part } from "./turns";
import type { Values } from "./wire";

/** A resource as it was before an update. */
export interface Before {
  id: string;
  outputs: Values;
  inputs: Values;
}

/** One change, one more where another run was at work at the same time, and one for what that one left. */
const ATTEMPTS = 3;

/** Kinds of HostError after which a change may have been made, in part or in full. */
const UNCERTAIN = ["lost", "timeout", "cancelled", "agent", "unconfirmed"];

interface Goal {
  wanted: Fact[];
  boot: BootFile;
  former: Shape[];
  /** The name that the resource had when it last wrote its boot file. */
  formerName: string;
  asked: string[];
}

/** What there is and what is to be done about it. */
interface Gap extends Changes {
  /** What there is, and its text. */
  live: Fact[];
  is: string;
  closed: boolean;
}

function goal({ type, resource }: Operation, spec: unknown, before: Before | undefined): Goal {
  const wanted = type.technology.plan(spec);
  const boot = { file: type.bootFile(spec), content: bootText(resource, wanted) };
  const former = before ? shapes(type, specsOf(before.inputs, before.outputs)) : [];
  const files = [boot.file, ...former.map(({ bootFile }) => bootFile)];
  return {
    wanted,
    boot,
    former,
    formerName: String(before?.outputs.resource ?? resource),
    asked: [...new Set([...queries([...wanted, ...former.flatMap(({ facts }) => facts)]), ...files.map(bootQuery)])],
  };
}

/** `after`: what failed of the change before, and nothing before the first one. */
function gap({ wanted, boot, former, formerName }: Goal, seen: Snapshot, after?: { failed?: Failure }): Gap {
  // Where another resource has taken over the old device, it is not ours to remove.
  const own = former.filter(({ bootFile }) => isOwn(seen, bootFile, formerName));
  const old = own.flatMap(({ facts }) => facts);
  // At first by what it was: an endpoint that the host chose in place of the old one is still to become the new one.
  // A setting always has a value, and keys that a host keeps are not looked at: when it was restored, or they were forgotten,
  // nothing tells it from one that is still to be, unless the change broke off, perhaps before it. To do it twice is nothing.
  const left = old.filter(({ kind }) => !["sysctl", "keptPsk"].includes(kind) || after?.failed);
  const facts = after ? [...wanted, ...left] : [...old, ...wanted];
  const is = live(seen, once(facts));
  const change = changes(is, wanted, hostFacts(seen));
  const files = own.filter(({ bootFile }) => bootFile !== boot.file && bootFile in seen.boot);
  const commands = [...change.commands, ...files.map(({ bootFile }) => `remove ${bootPath(bootFile)}`)];
  const drift = bootDrift(seen, boot);
  return {
    ...change,
    commands,
    live: is,
    is: config(is, drift),
    closed: commands.length + drift.length === 0 && text(live(seen, wanted)) === text(wanted),
  };
}

/** What it was a part of before. */
const formerPart = ({ type }: Operation, before: Before | undefined): Part | undefined =>
  before && type.part?.(parseSpec(type, before.inputs.spec));

/** Throws Refused before anything is touched. */
function refuse({ type, machine }: Operation, spec: unknown, seen: Snapshot, { foreign }: Gap): void {
  const faults = type.technology.faults?.(spec, seen) ?? [];
  if (faults.length > 0) throw Refused.because(machine.name, faults);
  if (foreign.length > 0) throw new Refused("provider/foreign", `${machine.name}: ${foreign.join(" ")}`);
}

/** A failed command counts only while it is still needed: another run may have done it in the same moment. */
const isStuck = (failed: Failure | undefined, { commands }: Gap, seen: Snapshot, boot: BootFile): boolean =>
  failed !== undefined &&
  (commands.some((command) => command.startsWith(failed.command)) ||
    (failed.command.includes(bootPath(boot.file)) && bootDrift(seen, boot).length > 0));

export async function converge(
  operation: Operation,
  news: Values,
  before?: Before,
): Promise<{ id: string; outputs: State; spec: unknown; seen: Snapshot }> {
  const { type, machine, resource, status } = operation;
  const spec = parseSpec(type, news.spec);
  const target = goal(operation, spec, before);
  const ahead = type.technology.queries?.(spec, String(before?.outputs.config ?? "")) ?? [];
  const observed = type.technology.observes?.(spec) ?? [];
  let seen = await machine.look([...target.asked, ...ahead, ...observed], { ...operation, recent: true });
  let todo = gap(target, seen);
  refuse(operation, spec, seen, todo);
  const told = type.technology.warnings?.(spec, seen) ?? [];
  for (const { code, text } of told) operation.warn(code, text);
  // As where a kernel has learned WireGuard since the last look: what state knows did not tell.
  const foretold = () => (before ? impact(type, before.inputs, before.outputs.config, news) : []);
  for (const sentence of unforeseen(todo.again, target.wanted, foretold)) operation.warn("warning/remade", sentence);

  const id = before?.id ?? type.id(spec);
  const half = (known: string, code: Code, why: [string, ...string[]], cancelled?: boolean): HalfApplied => {
    const former = before ? [...new Set([String(news.spec), ...specsOf(before.inputs, before.outputs)])] : [];
    const outputs = { ...state(type, resource, spec, known, seen), ...(former.length > 0 && { former }) };
    return new HalfApplied(id, outputs, code, why, cancelled);
  };

  let failed: Failure | undefined;
  for (let attempt = 1; !todo.closed; attempt++) {
    if (attempt > ATTEMPTS || isStuck(failed, todo, seen, target.boot)) {
      throw half(todo.is, "provider/failed", reasons(machine.name, failed, todo.is, config(target.wanted)));
    }
    status(todo.commands.length === 1 ? "1 command" : `${todo.commands.length} commands`);
    const { cutOff, ...guard } = await safeguard(operation, seen, todo, target.wanted, hostFacts(seen));
    const commands = (await operation.filled?.(todo.commands)) ?? todo.commands;
    const change = { commands, queries: target.asked, owners: type.owners(spec), boot: target.boot };
    let takenBack: true | undefined;
    try {
      const work = () => machine.change({ ...change, ...guard }, operation);
      const part = todo.again.some((it) => it.startsWith("link ")) ? type.part?.(spec) : undefined;
      ({
        failed,
        takenBack,
        snapshot: seen,
      } = await (part && operation.turns
        ? operation.turns.within(part, earlier(part, formerPart(operation, before)), work, operation.signal)
        : work()));
    } catch (error) {
      if (error instanceof HostError && !UNCERTAIN.includes(error.kind)) throw error;
      if (error instanceof HostError && error.kind === "unconfirmed") throw half(todo.is, error.code, [error.message]);
      const known = String(before?.outputs.config ?? "");
      const cancelled = error instanceof HostError && error.kind === "cancelled";
      const what = cancelled ? `${machine.name}: cancelled in the middle of a change.` : (error as Error).message;
      const why = `${what} How much of it was done is not known; the next run looks and goes on.`;
      throw half(known, error instanceof HostError ? error.code : "provider/bug", [why], cancelled);
    }
    todo = gap(target, seen, failed ? { failed } : {});
    // A count that rose meanwhile makes it another sentence.
    for (const { code, text } of type.technology.warnings?.(spec, seen) ?? [])
      if (!told.some((it) => it.text === text)) operation.warn(code, text);
    if (takenBack)
      throw half(todo.is, "provider/takenBack", [cutOff, lineDiff(todo.is, config(target.wanted)).join("\n")]);
  }
  return { id, outputs: state(type, resource, spec, String(news.config), seen), spec, seen };
}

const reasons = (machine: string, failed: Failure | undefined, is: string, should: string): [string, ...string[]] => [
  `${machine}: ${failed ? failed.message : "the host took every command, and yet it is not as it should be."}`,
  `What was done stays; the next run goes on with the rest:\n${lineDiff(is, should).join("\n")}`,
];
