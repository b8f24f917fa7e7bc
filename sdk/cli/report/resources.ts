/** What becomes of each resource of a preview, and which lines of its text come and go. Pure. */
import { lineDiff } from "../../lineDiff";
import { shownLine, start } from "../safe";
import type { Preview, State, Step } from "./preview";

/** `imported`: state takes it over as it is; `forgotten`: state loses it. Both leave the host alone. */
export type Change = "new" | "changed" | "replaced" | "gone" | "imported" | "forgotten";

export const STACK = "pulumi:pulumi:Stack";
export const OURS = "overlay:";

/** Characters of a name that are shown. */
const NAME = 100;

export const shownName = (name: string): string => start(shownLine(name), NAME);

export interface Urn {
  /** `PROJECT/STACK` */
  stack: string;
  type: string;
  name: string;
}

/** urn:pulumi:STACK::PROJECT::TYPE$TYPE::NAME, where a name may have anything. */
export function parts(urn: string): Urn {
  const [first = "", project = "", types = "", ...name] = urn.split("::");
  const type = types.split("$").at(-1) ?? "";
  const stack = project === "" ? "" : shownName(`${project}/${first.replace(/^urn:pulumi:/, "")}`);
  return { stack, type, name: shownName(name.join("::")) };
}

/** Everything that the engine said of one resource. */
export interface Resource {
  urn: string;
  type: string;
  name: string;
  change: Change | "same";
  before?: State;
  after?: State;
  /** The properties that differ. */
  reasons: string[];
  /** What is not as declared, when it was looked at only now. */
  seen: string[];
}

/** Resources of this package that are told something; components are told nothing by themselves. */
export const isOurs = ({ type }: { type: string }): boolean =>
  type.startsWith(OURS) && !type.startsWith("overlay:index:");

/** All operations of pkg/resource/deploy/step.go in pulumi/pulumi. */
const CHANGES: Record<string, Change | "same"> = {
  same: "same",
  create: "new",
  update: "changed",
  delete: "gone",
  replace: "replaced",
  "create-replacement": "replaced",
  "delete-replaced": "replaced",
  read: "same",
  // Of what is read from now on, what was made before under the same name is removed.
  "read-replacement": "replaced",
  refresh: "same",
  discard: "forgotten",
  "discard-replaced": "forgotten",
  // It was removed from its host by a run that did not come to make it anew.
  "remove-pending-replace": "forgotten",
  import: "imported",
  "import-replacement": "replaced",
  diff: "same",
  "extend-parameterize": "same",
};

function changeOf({ op, oldState, newState }: Step): Change | "same" {
  const change = CHANGES[op] ?? (oldState && newState ? "changed" : newState ? "new" : "gone");
  if (change === "gone") return oldState?.retainOnDelete || oldState?.external ? "forgotten" : change;
  // What is made anew takes over what stays.
  if (change === "replaced") return oldState?.retainOnDelete ? "changed" : change;
  // From now on the program reads what it has made.
  return op === "read" && oldState && !oldState.external ? "forgotten" : change;
}

/** A known text, of which every line is whole. */
export function text(state: State | null | undefined, of: "inputs" | "outputs"): string | undefined {
  const config = state?.[of].config;
  return typeof config === "string" && (config.includes("\n") || config === "") ? config : undefined;
}

const REORDERED = "! only the order of its lines differs";

const withoutBlanks = (lines: string): string => lines.split("\n").filter(Boolean).join("\n");

export function difference(from: string, to: string): string[] {
  const lines = lineDiff(from, to).filter((line) => line.length > 2);
  return lines.length === 0 && withoutBlanks(from) !== withoutBlanks(to) ? [REORDERED] : lines;
}

/** The last run came to no end with it. */
const halfDone = (state: State | undefined): boolean => (state?.initErrors.length ?? 0) > 0;

/** A preview of `refresh` alone: nothing is changed by it, so whatever differs is drift. */
const isRefreshOnly = (steps: readonly Step[]): boolean => {
  const ops = steps.filter(({ urn }) => parts(urn).type === STACK).map(({ op }) => op);
  return ops.includes("refresh") && ops.every((op) => op === "refresh");
};

function refreshed({ oldState, newState, op }: Step): string[] {
  const found = op === "delete" ? "" : text(newState, "outputs");
  const declared = text(oldState, "inputs");
  return declared === undefined || found === undefined ? [] : difference(declared, found);
}

/** What is more than that state loses or gains it comes first, whatever the order of the steps. */
const weightier = (before: Change | "same", now: Change | "same"): Change | "same" =>
  now === "same" || (now === "forgotten" && before !== "same") ? before : now;

/** All lines of what is not there any more. */
export const vanished = (before: State | undefined): string[] => difference(text(before, "outputs") ?? "", "");

/** In the order of their first steps. */
export function resources({ steps }: Preview): Resource[] {
  const refreshOnly = isRefreshOnly(steps);
  const all = new Map<string, Resource>();
  for (const step of steps) {
    const { urn, oldState, newState, diffReasons, replaceReasons } = step;
    const { type, name } = parts(urn);
    const known = all.get(urn);
    const [before, after] = [oldState ?? known?.before, newState ?? known?.after];
    const [change, was] = [changeOf(step), known?.change ?? "same"];
    // Gone and made again, as a refresh that is followed by an update shows it.
    const again = change === "new" && known?.before !== undefined && !refreshOnly;
    const reasons = [...new Set([...diffReasons, ...replaceReasons])];
    all.set(urn, {
      urn,
      type,
      name,
      change: refreshOnly ? "same" : again ? "changed" : weightier(was, change),
      ...(before && { before }),
      ...(after && { after }),
      reasons: reasons.length > 0 ? reasons : (known?.reasons ?? []),
      seen: refreshOnly ? refreshed(step) : again ? vanished(known.before) : (known?.seen ?? []),
    });
  }
  return [...all.values()];
}

const REASONS: Record<string, string> = {
  connection: "its machine is reached in another way",
  machine: "it is another machine, which is told everything",
  extracts: "its hosts are told what others say by now",
  network: "it goes into another network's document",
  store: "the document is in another store",
  key: "it is signed by another key",
  signers: "others may write",
  // What the engine has for a reason with --replace and --target-replace.
  id: "its replacement was asked for",
};

const UNKNOWN = "! what it is told is known only when what it depends on is there";
/** What is left to say of a change that none of its lines shows. */
const UNSEEN = "! what differs is not among its lines";

const STATE_ALONE: Partial<Record<Change, string>> = {
  imported: "! state takes it over as it is; its host is not touched",
  forgotten: "! state loses it; what is on the host stays, and nobody looks after it",
};

/** Lines that come and go because the program says something else. `drift`: what `up` takes back besides. */
export function intended(resource: Resource, drift: readonly string[] = []): string[] {
  const { change, before, after, reasons } = resource;
  if (change === "same") return [];
  const alone = STATE_ALONE[change];
  if (alone !== undefined) return [alone];
  const was = text(before, halfDone(before) ? "outputs" : "inputs") ?? "";
  if (change === "gone") return difference(was, "");
  const wanted = text(after, "inputs");
  if (change === "new") return wanted === undefined ? [UNKNOWN] : difference("", wanted);
  const notes = reasons.filter((name) => name !== "config").map((name) => `! ${REASONS[name] ?? `${name} differs`}`);
  if (change === "replaced") notes.unshift("! it is removed and made anew");
  if (halfDone(before)) notes.push("! the last run came to no end with it");
  if (wanted === undefined) return [...notes, UNKNOWN];
  const lines = [...notes, ...difference(was, wanted)];
  return lines.length > 0 || drift.length > 0 ? lines : [UNSEEN];
}

/** What is not as the last `up` made it; what state remembers of a half-applied change is none of others. */
export function drifted({ before, seen }: Resource): string[] {
  if (seen.length > 0) return seen;
  const [declared, found] = [text(before, "inputs"), text(before, "outputs")];
  return declared === undefined || found === undefined || halfDone(before) ? [] : difference(declared, found);
}
