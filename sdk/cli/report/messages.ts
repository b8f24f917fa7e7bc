/** What was said beside the steps, sorted: what went wrong, what loses packets, what else there is to know. Pure. */
import { lossIn } from "../../losses";
import { shownLine, shownMessage } from "../safe";
import { byName } from "./links";
import type { Diagnostic } from "./preview";
import { isOurs, OURS, parts, type Resource, STACK, text, vanished } from "./resources";

/** A sentence; `about`: the resource or the link. */
export interface Message {
  about?: string;
  text: string;
}

export interface Loss extends Message {
  /** For how long: `about a second`. */
  lasts: string;
}

export interface Messages {
  errors: Message[];
  warnings: Message[];
  losses: Loss[];
  notes: Message[];
  /** Where there are errors: the last lines that programs wrote on standard error. */
  stderr: string[];
  /** Lines of what is not as declared, by URN: a live preview tells it so. */
  drift: Map<string, string[]>;
}

/** Lines of standard error that are shown: a stack trace, and what came before it. */
const LINES = 40;

const isDrift = (message: string): boolean => message.split("\n").every((line) => /^[-+] /.test(line));

const ENDS = /\.(?: \[[\w/]+\])?$/;

/** A line that ends as a sentence does is one; all others, as commands, go with the line before. */
function sentences(message: string): string[] {
  const all: string[] = [];
  for (const line of message.split("\n")) {
    const before = all.at(-1);
    if (before === undefined || ENDS.test(line)) all.push(line);
    else all[all.length - 1] = `${before}\n${line}`;
  }
  return all;
}

const isSame = (a: Message, b: Message): boolean => a.about === b.about && a.text === b.text;

export const distinct = <M extends Message>(all: readonly M[]): M[] =>
  all
    .filter((one, index) => all.findIndex((other) => isSame(one, other)) === index)
    .sort(
      (a, b) => byName({ name: a.about ?? "" }, { name: b.about ?? "" }) || byName({ name: a.text }, { name: b.text }),
    );

/** What says no more than that there are others, as Pulumi does in the end, and the plugin of all faults of a resource. */
const SUMMARY = /^(preview failed|\d+ faults; no host was touched \[input\/faults\])$/;

function withoutSummaries(errors: Message[]): Message[] {
  const others = errors.filter(({ text }) => !SUMMARY.test(text));
  return others.length > 0 ? others : errors;
}

/** `overlay:rollout: …` is what a program of ours says of the stack; all else is the user's own. */
const isOfPackage = (type: string, body: string): boolean => type.startsWith(OURS) || body.startsWith(OURS);

/** `secrets`: what must not be in any message. */
export function messages(
  diagnostics: readonly Diagnostic[],
  all: ReadonlyMap<string, Resource>,
  secrets: readonly string[],
): Messages {
  const errors: Message[] = [];
  const warnings: Message[] = [];
  const notes: Message[] = [];
  const losses: Loss[] = [];
  const drift = new Map<string, string[]>();
  let stderr = "";
  for (const { urn, message, severity } of diagnostics) {
    const { type, name } = parts(urn);
    // What the provider itself tells is made of what was declared, public keys among it.
    const own = severity === "info" && isOurs({ type });
    const shown = own ? shownLine(message) : shownMessage(message, secrets);
    if (severity === "info#err") stderr += `${message.trimEnd()}\n`;
    const body = shown.trim().replace(/^(error|warning|info): /, "");
    if (body === "") continue;
    const about = name === "" || type === STACK ? {} : { about: name };
    if (severity === "error") errors.push({ ...about, text: body });
    else if (severity === "warning") warnings.push({ ...about, text: body });
    else if (severity === "info" && !own && isOfPackage(type, body)) notes.push({ ...about, text: body });
    if (!own) continue;
    const resource = all.get(urn);
    // Of what is new the provider says all lines.
    if (resource && body === shownLine(text(resource.after, "inputs") ?? "").trim()) continue;
    if (resource && (isDrift(body) || body === "It is gone from the host.")) {
      drift.set(urn, isDrift(body) ? body.split("\n") : vanished(resource.before));
      continue;
    }
    for (const sentence of sentences(body)) {
      const loss = lossIn(sentence);
      if (loss) losses.push({ ...about, text: sentence, lasts: loss.lasts });
      else notes.push({ ...about, text: sentence });
    }
  }
  return {
    errors: withoutSummaries(distinct(errors)),
    warnings: distinct(warnings),
    losses: distinct(losses),
    notes: distinct(notes),
    // As a whole, for a key may have several lines.
    stderr: errors.length > 0 ? shownMessage(stderr, secrets).split("\n").filter(Boolean).slice(-LINES) : [],
    drift,
  };
}
