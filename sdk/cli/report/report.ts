/** What a preview means for the overlay: who is told what, what is as nobody declared it, who loses packets. Pure. */

import { NOT_KNOWN } from "../../losses";
import { ToolError } from "../error";
import { shownLine } from "../safe";
import { byName, type Link, links, nodeOf, type Spec, sidesOf, specOf } from "./links";
import { distinct, type Loss, type Message, type Messages, messages } from "./messages";
import type { Preview } from "./preview";
import { refusal } from "./refusal";
import {
  type Change,
  drifted,
  intended,
  isOurs,
  OURS,
  parts,
  type Resource,
  resources,
  STACK,
  shownName,
} from "./resources";

export type { Link } from "./links";
export type { Loss, Message } from "./messages";
export type { Change } from "./resources";

/** A resource of which lines come or go. */
export interface Lines {
  /** Without the package: `wireguard:Interface`. */
  type: string;
  name: string;
  change: Change;
  /** `+ LINE`, `- LINE`, and `! NOTE` for what differs beside the text. */
  lines: string[];
}

/** What differs on a host, or in a document. */
export interface Target {
  name: string;
  /** `truth`: what the stack says in the source of truth of that name. */
  kind: "host" | "truth";
  resources: Lines[];
}

export interface Node {
  name: string;
  change: Change | "same";
  /** Whether the machine itself, apart from its links, is not as declared. */
  drifted: boolean;
}

/** Each list is sorted by name. */
export interface Report {
  /** `net/prod` */
  stack: string;
  /** `none`: there is no preview to read. */
  outcome: "same" | "changes" | "drift" | "error" | "none";
  errors: Message[];
  /** Where there are errors: the last lines that programs wrote on standard error. */
  stderr: string[];
  warnings: Message[];
  /** What loses packets, and for how long. */
  losses: Loss[];
  /** Whether nothing else loses packets; not so where only the host tells, or where it depends on what is not there yet. */
  lossesKnown: boolean;
  /** What else the preview says. */
  notes: Message[];
  /** Nodes by what becomes of them: those of which nothing is known but their name have none. */
  nodes: Node[];
  links: Link[];
  /** What `up` is to change because the program says something else. */
  changes: Target[];
  /** What is not as the last `up` made it: `-` is gone from the host, `+` is there though nobody declared it. */
  drift: Target[];
  /** Resources of other packages. */
  otherPackages: { type: string; name: string; change: Change }[];
}

/** What the command ends with; 1 is also what it ends with where there is no report. */
export const EXIT_CODES: Record<Report["outcome"], number> = { same: 0, error: 1, none: 1, changes: 2, drift: 3 };

const PART = "overlay:truth:Part";

/** The machine, then its devices, then all else. */
const ORDER = ["node:Host", "node:Key", "wireguard:Key", "wireguard:Interface", "vxlan:Bridge", "vxlan:Member"];
const rank = (type: string): number => (ORDER.includes(type) ? ORDER.indexOf(type) : ORDER.length);

type Ours = readonly [Resource, Spec];

function targets(all: readonly Ours[], linesOf: (resource: Resource) => string[], as?: Change): Target[] {
  const found = new Map<string, Target>();
  for (const [resource, spec] of all) {
    const lines = linesOf(resource).map(shownLine);
    if (lines.length === 0) continue;
    const kind = resource.type === PART ? "truth" : "host";
    const network = (resource.after ?? resource.before)?.inputs.network;
    const document = typeof network === "string" ? shownName(network) : resource.name;
    const name = kind === "truth" ? document : nodeOf(resource, spec);
    const target = found.get(`${kind} ${name}`) ?? { name, kind, resources: [] };
    const change = as ?? (resource.change === "same" ? "changed" : resource.change);
    target.resources.push({ type: resource.type.slice(OURS.length), name: resource.name, change, lines });
    found.set(`${kind} ${name}`, target);
  }
  for (const { resources } of found.values()) resources.sort((a, b) => rank(a.type) - rank(b.type) || byName(a, b));
  return [...found.values()].sort((a, b) => Number(a.kind === "truth") - Number(b.kind === "truth") || byName(a, b));
}

const ENDED: Partial<Record<Link["change"], { says: string; lasts: string }>> = {
  gone: { says: "goes, and no packet passes by it any more", lasts: "for good" },
  replaced: {
    says: "is removed and made anew: no packet passes by it in between, nor until its next handshake, about a second",
    lasts: "while it is made anew, and about a second",
  },
};

const ended = ({ name, kind, change, leaving }: Link): Loss[] => {
  const whole = ENDED[change];
  const left = leaving.map((node) => `${node} leaves the ${kind}, and no packet passes to it by that any more.`);
  return [
    ...(whole ? [{ about: name, text: `The ${kind} ${whole.says}.`, lasts: whole.lasts }] : []),
    ...left.map((text) => ({ about: name, text, lasts: "for good" })),
  ];
};

/** A component or a provider does nothing by itself. */
const otherPackages = (all: readonly Resource[]): Report["otherPackages"] =>
  all
    .flatMap(({ type, name, change, before, after }) => {
      const counts = (after ?? before)?.custom && !type.startsWith(OURS) && !type.startsWith("pulumi:");
      return counts && change !== "same" ? [{ type, name, change }] : [];
    })
    .sort((a, b) => byName(a, b) || (a.type < b.type ? -1 : 1));

/** The provider says what a change of a known spec costs. What is new, or concerns state alone, costs nothing. */
const isTold = ({ change }: Resource, spec: Spec, lines: readonly string[]): boolean =>
  ["same", "imported", "forgotten"].includes(change) ||
  (["new", "changed"].includes(change) &&
    Object.values(spec).some((it) => it !== undefined) &&
    !lines.some((line) => line.startsWith("! ")));

/** Resources that stay as they are and are not among the steps, as without --show-sames. */
const hiddenOf = ({ changeSummary, steps }: Preview): number =>
  (changeSummary.same ?? 0) - steps.filter(({ op }) => op === "same").length;

/** Where all of the stack is in view and nothing of it is ours. Throws an Error. */
function mustBeOurs(stack: string, preview: Preview, all: readonly Resource[]): void {
  if (hiddenOf(preview) > 0 || all.some(({ type }) => type.startsWith(OURS))) return;
  const count = all.filter(({ type }) => type !== STACK).length;
  throw new ToolError(
    "cli/preview",
    `the stack ${stack || "of this preview"} has ${count === 0 ? "no resource" : `${count} resource${count === 1 ? "" : "s"}, and none`} of pulumi-overlay: name another with --stack, or preview its own program`,
  );
}

/** Where there is no preview to read. */
export const none = (stack: string, message: string): Report => ({
  stack,
  outcome: "none",
  errors: [{ text: message }],
  ...{ stderr: [], warnings: [], losses: [], lossesKnown: false, notes: [] },
  ...{ nodes: [], links: [], changes: [], drift: [], otherPackages: [] },
});

export const stackOf = ({ steps, diagnostics }: Preview): string =>
  parts([...steps, ...diagnostics].find(({ urn }) => urn !== "")?.urn ?? "").stack;

function outcome({ errors }: Messages, drift: readonly Target[], changes: readonly unknown[]): Report["outcome"] {
  if (errors.length > 0) return "error";
  if (drift.length > 0) return "drift";
  return changes.length > 0 ? "changes" : "same";
}

/** `secrets`: what must not be in any message. Throws an Error where the stack has nothing of this package. */
export function report(preview: Preview, secrets: readonly string[] = []): Report {
  const all = resources(preview);
  const stack = stackOf(preview);
  const said = messages(preview.diagnostics, new Map(all.map((it) => [it.urn, it])), secrets);
  if (said.errors.length === 0) mustBeOurs(stack, preview, all);
  const ours = all.filter(isOurs).map((resource): Ours => [resource, specOf(resource)]);
  const driftOf = (resource: Resource) => said.drift.get(resource.urn) ?? drifted(resource);
  const changeOf = (resource: Resource) => intended(resource, driftOf(resource));
  const [changes, drift] = [targets(ours, changeOf), targets(ours, driftOf, "changed")];
  const [found, others] = [links(ours, driftOf), otherPackages(all)];
  const refused = refusal(preview, all, sidesOf(ours), hiddenOf(preview));
  const hosts = ours.filter(([{ type }]) => type === "overlay:node:Host");
  return {
    stack,
    outcome: outcome(said, drift, [...changes, ...others]),
    errors: said.errors,
    stderr: said.stderr,
    warnings: refused ? [refused, ...said.warnings] : said.warnings,
    losses: distinct([...said.losses, ...found.flatMap(ended)]),
    lossesKnown:
      said.errors.length + said.warnings.length + drift.length === 0 &&
      others.every(({ change }) => change === "new") &&
      !said.notes.some(({ text }) => text.includes(NOT_KNOWN)) &&
      ours.every(([resource, spec]) => isTold(resource, spec, changeOf(resource))),
    notes: said.notes,
    nodes: hosts
      .map(([resource, spec]) => ({
        name: nodeOf(resource, spec),
        change: changeOf(resource).length > 0 ? resource.change : ("same" as const),
        drifted: driftOf(resource).length > 0,
      }))
      .sort(byName),
    links: found,
    changes,
    drift,
    otherPackages: others,
  };
}
