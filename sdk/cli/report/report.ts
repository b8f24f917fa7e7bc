/** What a preview means for the overlay: who is told what, what is as nobody declared it, who loses packets. Pure. */
import { lineDiff } from "../../lineDiff";
import { unpacked } from "../../packed";
import { ToolError } from "../error";
import type { Diagnostic, Preview, State, Step } from "./preview";
import { shownLine, shownMessage } from "./safe";

export type Change = "new" | "changed" | "replaced" | "gone";

/** A sentence; `about`: the resource or the link. */
export interface Said {
  about?: string;
  text: string;
}

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
export interface Place {
  name: string;
  /** `truth`: what the stack says in the source of truth of that name. */
  kind: "host" | "truth";
  resources: Lines[];
}

export interface Link {
  name: string;
  kind: "link" | "mesh" | "segment";
  /** Nodes. */
  ends: string[];
  change: Change | "same";
  /** Nodes that leave it, while others stay. */
  leaving: string[];
  /** Whether one of its devices is not as declared. */
  drifted: boolean;
}

/** Each list is sorted by name. */
export interface Report {
  /** `net/prod` */
  stack: string;
  outcome: "same" | "changes" | "drift" | "error";
  errors: Said[];
  warnings: Said[];
  /** What loses packets, and for how long. */
  losses: Said[];
  /** What else the preview says. */
  notes: Said[];
  /** Nodes by what becomes of them: those of which nothing is known but their name have none. */
  nodes: { name: string; change: Change | "same" }[];
  links: Link[];
  /** What `up` is to change because the program says something else. */
  changes: Place[];
  /** What is not as the last `up` made it: `-` is gone from the host, `+` is there though nobody declared it. */
  drift: Place[];
  /** Resources of other packages. */
  others: { type: string; name: string; change: Change }[];
}

/** What the command ends with; 1 is also what it ends with where there is no report. */
export const EXIT_CODES: Record<Report["outcome"], number> = { same: 0, error: 1, changes: 2, drift: 3 };

const collator = new Intl.Collator("en", { numeric: true });
/** lux-2 before lux-10. */
const byName = ({ name: a }: { name: string }, { name: b }: { name: string }): number =>
  collator.compare(a, b) || (a < b ? -1 : Number(a > b));

const STACK = "pulumi:pulumi:Stack";
const OURS = "overlay:";

/** Characters of a name that are shown. */
const NAME = 100;

/** urn:pulumi:STACK::PROJECT::TYPE$TYPE::NAME, where a name may have anything. */
function parts(urn: string): { stack: string; type: string; name: string } {
  const [start = "", project = "", types = "", ...name] = urn.split("::");
  const type = types.split("$").at(-1) ?? "";
  const stack = project === "" ? "" : shownLine(`${project}/${start.replace(/^urn:pulumi:/, "")}`).slice(0, NAME);
  return { stack, type, name: shownLine(name.join("::")).slice(0, NAME) };
}

/** Everything that the engine said of one resource. */
interface Resource {
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

const CHANGES: Record<string, Change | "same"> = {
  create: "new",
  import: "new",
  update: "changed",
  delete: "gone",
  replace: "replaced",
  "create-replacement": "replaced",
  "delete-replaced": "replaced",
  "import-replacement": "replaced",
  same: "same",
  refresh: "same",
  read: "same",
};

const changeOf = ({ op, oldState, newState }: Step): Change | "same" =>
  CHANGES[op] ?? (oldState && newState ? "changed" : newState ? "new" : "gone");

/** A known text, of which every line is whole. */
function text(state: State | null | undefined, of: "inputs" | "outputs"): string | undefined {
  const config = state?.[of].config;
  return typeof config === "string" && (config.includes("\n") || config === "") ? config : undefined;
}

const difference = (from: string, to: string): string[] => lineDiff(from, to).filter((line) => line.length > 2);

/** The last run came to no end with it. */
const halfDone = (state: State | undefined): boolean => (state?.initErrors.length ?? 0) > 0;

/** What state remembers to be on the host, and nobody declared: a half-applied change is none of others. */
const known = ({ before }: Resource): string[] => {
  const [declared, found] = [text(before, "inputs"), text(before, "outputs")];
  if (declared === undefined || found === undefined || halfDone(before)) return [];
  return difference(declared, found);
};

/** A preview of `refresh` alone: nothing is changed by it, so whatever differs is drift. */
const isLook = (steps: readonly Step[]): boolean => {
  const ops = steps.filter(({ urn }) => parts(urn).type === STACK).map(({ op }) => op);
  return ops.includes("refresh") && ops.every((op) => op === "refresh");
};

function looked({ oldState, newState, op }: Step): string[] {
  const found = op === "delete" ? "" : text(newState, "outputs");
  const declared = text(oldState, "inputs");
  return declared === undefined || found === undefined ? [] : difference(declared, found);
}

/** In the order of their first steps. */
function resources({ steps }: Preview): Resource[] {
  const look = isLook(steps);
  const all = new Map<string, Resource>();
  for (const step of steps) {
    const { urn } = step;
    const { type, name } = parts(urn);
    const before = all.get(urn);
    const [old, now] = [step.oldState ?? before?.before, step.newState ?? before?.after];
    const [change, was] = [changeOf(step), before?.change ?? "same"];
    // Gone and made again, as a refresh that is followed by an update shows it.
    const vanished = change === "new" && before?.before !== undefined && !look;
    all.set(urn, {
      urn,
      type,
      name,
      change: look ? "same" : vanished ? "changed" : change === "same" ? was : change,
      ...(old && { before: old }),
      ...(now && { after: now }),
      reasons: step.diffReasons ?? before?.reasons ?? [],
      seen: look ? looked(step) : vanished ? difference(text(before.before, "outputs") ?? "", "") : [],
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
};

const UNKNOWN = "! what it is told is known only when what it depends on is there";

function intended(resource: Resource): string[] {
  const { change, before, after, reasons } = resource;
  if (change === "same") return [];
  const was = text(before, halfDone(before) ? "outputs" : "inputs") ?? "";
  if (change === "gone") return difference(was, "");
  const wanted = text(after, "inputs");
  if (change === "new") return wanted === undefined ? [UNKNOWN] : difference("", wanted);
  const notes = reasons.filter((name) => name !== "config").map((name) => `! ${REASONS[name] ?? `${name} differs`}`);
  if (change === "replaced") notes.push("! it is removed and made anew");
  if (halfDone(before)) notes.push("! the last run came to no end with it");
  if (wanted === undefined) return [...notes, UNKNOWN];
  return [...notes, ...difference(was, wanted)];
}

const drifted = (resource: Resource): string[] => (resource.seen.length > 0 ? resource.seen : known(resource));

type Spec = Record<string, unknown> & { peer?: { name?: unknown }; peers?: { name?: unknown }[] };

/** What was declared of it; nothing, where it is not known or not understood. */
function specOf({ after, before }: Resource): Spec {
  const spec = after?.inputs.spec ?? before?.inputs.spec;
  if (typeof spec !== "string") return Object(spec) as Spec;
  try {
    return Object(JSON.parse(unpacked(spec))) as Spec;
  } catch {
    return {};
  }
}

const nameIn = (value: unknown): string | undefined =>
  typeof value === "string" ? shownLine(value).slice(0, NAME) : undefined;

/** Resources of a node are called THING@NODE, and of those that are not its own device THING@NODE/DEVICE. */
const nodeOf = (resource: Resource, spec: Spec): string =>
  nameIn(spec.node) ?? /@([^/]+)/.exec(resource.name)?.[1] ?? resource.name;

const PART = "overlay:truth:Part";

/** Resources of this package that are told something; components are told nothing by themselves. */
const isOurs = ({ type }: { type: string }): boolean => type.startsWith(OURS) && !type.startsWith("overlay:index:");

/** The machine, then its devices, then all else. */
const ORDER = ["node:Host", "node:Key", "wireguard:Key", "wireguard:Interface", "vxlan:Bridge", "vxlan:Member"];
const rank = (type: string): number => (ORDER.includes(type) ? ORDER.indexOf(type) : ORDER.length);

function places(all: [Resource, Spec][], linesOf: (resource: Resource) => string[], as?: Change): Place[] {
  const found = new Map<string, Place>();
  for (const [resource, spec] of all) {
    const lines = linesOf(resource).map(shownLine);
    if (lines.length === 0) continue;
    const kind = resource.type === PART ? "truth" : "host";
    const network = nameIn((resource.after ?? resource.before)?.inputs.network);
    const name = kind === "truth" ? (network ?? resource.name) : nodeOf(resource, spec);
    const place = found.get(`${kind} ${name}`) ?? { name, kind, resources: [] };
    const change = as ?? (resource.change === "same" ? "changed" : resource.change);
    place.resources.push({ type: resource.type.slice(OURS.length), name: resource.name, change, lines });
    found.set(`${kind} ${name}`, place);
  }
  for (const { resources } of found.values()) resources.sort((a, b) => rank(a.type) - rank(b.type) || byName(a, b));
  return [...found.values()].sort((a, b) => Number(a.kind === "truth") - Number(b.kind === "truth") || byName(a, b));
}

interface Side {
  kind: Link["kind"];
  name: string;
  node: string;
  /** It, and whom it names. */
  ends: string[];
  resource: Resource;
}

function side(resource: Resource, spec: Spec): Side | undefined {
  const [node, link, segment] = [spec.node, spec.link, spec.segment].map(nameIn);
  if (node === undefined) return undefined;
  if (resource.type === "overlay:vxlan:Member" && segment !== undefined) {
    return { kind: "segment", name: segment, node, ends: [node], resource };
  }
  if (resource.type !== "overlay:wireguard:Interface" || link === undefined) return undefined;
  const peers = (spec.peer ? [spec.peer] : (spec.peers ?? [])).flatMap(({ name }) => nameIn(name) ?? []);
  return { kind: spec.peer ? "link" : "mesh", name: link, node, ends: [node, ...peers], resource };
}

function links(all: [Resource, Spec][]): Link[] {
  const groups = new Map<string, Side[]>();
  for (const one of all.flatMap((it) => side(...it) ?? [])) {
    const key = `${one.kind} ${one.name}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()]
    .map((sides): Link => {
      const { kind, name } = sides[0] as Side;
      const changes = new Set(sides.map(({ resource }) => resource.change));
      const [only = "same"] = changes;
      // Of a mesh or a segment others are told, too, when a member comes.
      const change = changes.size === 1 ? only : changes.has("replaced") ? "replaced" : "changed";
      const driftOnly = sides.every(({ resource }) => intended(resource).length === 0);
      const ends = [...new Set(sides.flatMap((it) => it.ends))].map((name) => ({ name })).sort(byName);
      return {
        name,
        kind,
        ends: ends.map(({ name }) => name),
        change: driftOnly ? "same" : change,
        leaving: changes.size === 1 ? [] : sides.flatMap((it) => (it.resource.change === "gone" ? it.node : [])).sort(),
        drifted: sides.some(({ resource }) => drifted(resource).length > 0),
      };
    })
    .sort((a, b) => byName(a, b) || (a.kind < b.kind ? -1 : 1));
}

function nodes(all: [Resource, Spec][]): Report["nodes"] {
  const hosts = all.filter(([{ type }]) => type === "overlay:node:Host");
  return hosts.map(([resource, spec]) => ({ name: nodeOf(resource, spec), change: resource.change })).sort(byName);
}

/** What of the provider's sentences is about packets that are lost: sdk/provider/impact.ts, sdk/rosenpass/faults.ts. */
const isLoss = (text: string): boolean => /\bnothing passes\b|\bno packets?\b|\bare lost\b/i.test(text);

const isDrift = (message: string): boolean => message.split("\n").every((line) => /^[-+] /.test(line));

/** A sentence a line, unless they belong together, as commands that follow one do. */
const sentences = (message: string): string[] => {
  const lines = message.split("\n");
  return lines.every((line) => line.endsWith(".")) ? lines : [message];
};

const isSame = (a: Said, b: Said): boolean => a.about === b.about && a.text === b.text;
const distinct = (all: Said[]): Said[] =>
  all
    .filter((one, index) => all.findIndex((other) => isSame(one, other)) === index)
    .sort(
      (a, b) => byName({ name: a.about ?? "" }, { name: b.about ?? "" }) || byName({ name: a.text }, { name: b.text }),
    );

interface Told {
  errors: Said[];
  warnings: Said[];
  losses: Said[];
  notes: Said[];
}

/** Sorts what was said; what a live preview says of drift goes to its resource. */
function told(
  diagnostics: readonly Diagnostic[],
  all: ReadonlyMap<string, Resource>,
  secrets: readonly string[],
): Told {
  const found: Told = { errors: [], warnings: [], losses: [], notes: [] };
  for (const { urn, message, severity } of diagnostics) {
    const { type, name } = parts(urn);
    // What the provider itself tells is made of what was declared, public keys among it.
    const own = severity === "info" && isOurs({ type });
    const said = own ? shownLine(message) : shownMessage(message, secrets);
    const body = said.trim().replace(/^(error|warning): /, "");
    if (body === "") continue;
    const about = name === "" || type === STACK ? {} : { about: name };
    if (severity === "error") found.errors.push({ ...about, text: body });
    else if (severity === "warning") found.warnings.push({ ...about, text: body });
    const resource = all.get(urn);
    if (!own) continue;
    // Of what is new the provider says all lines.
    if (resource && message.trim() === text(resource.after, "inputs")?.trim()) continue;
    if (resource && (isDrift(message.trim()) || body === "It is gone from the host.")) {
      resource.seen = isDrift(message.trim())
        ? message.trim().split("\n")
        : difference(text(resource.before, "outputs") ?? "", "");
      continue;
    }
    for (const sentence of sentences(body))
      (isLoss(sentence) ? found.losses : found.notes).push({ ...about, text: sentence });
  }
  return {
    errors: distinct(found.errors),
    warnings: distinct(found.warnings),
    losses: distinct(found.losses),
    notes: distinct(found.notes),
  };
}

const ENDS: Partial<Record<Link["change"], string>> = {
  gone: "goes, and no packet passes by it any more",
  replaced: "is removed and made anew, and no packet passes by it in between",
};
const ended = ({ name, kind, change, leaving }: Link): Said[] => {
  const left = leaving.map((node) => `${node} leaves the ${kind}, and no packet passes to it by that any more.`);
  const whole = ENDS[change];
  return [...(whole === undefined ? [] : [`The ${kind} ${whole}.`]), ...left].map((text) => ({ about: name, text }));
};

/** Of other packages; a component or a provider does nothing by itself. */
const others = (all: readonly Resource[]): Report["others"] =>
  all
    .flatMap(({ type, name, change, before, after }) => {
      const counts = (after ?? before)?.custom && !type.startsWith(OURS) && !type.startsWith("pulumi:");
      return counts && change !== "same" ? [{ type, name, change }] : [];
    })
    .sort((a, b) => byName(a, b) || (a.type < b.type ? -1 : 1));

/** Where all of the stack is in view and nothing of it is ours. Throws an Error. */
function mustBeOurs(stack: string, { changeSummary, steps }: Preview, all: readonly Resource[]): void {
  const hidden = (changeSummary.same ?? 0) - steps.filter(({ op }) => op === "same").length;
  if (hidden > 0 || all.some(({ type }) => type.startsWith(OURS))) return;
  const count = all.filter(({ type }) => type !== STACK).length;
  throw new ToolError(
    "cli/preview",
    `the stack ${stack || "of this preview"} has ${count === 0 ? "no resource" : `${count} resource${count === 1 ? "" : "s"}, and none`} of pulumi-overlay: name another with --stack, or preview its own program`,
  );
}

/** Of a preview of which there is nothing to read. */
export const failed = (stack: string, message: string): Report => ({
  stack,
  outcome: "error",
  errors: [{ text: message }],
  ...{ warnings: [], losses: [], notes: [], nodes: [], links: [], changes: [], drift: [], others: [] },
});

/** `secrets`: what must not be in any message. Throws an Error where the stack has nothing of this package. */
export function report(preview: Preview, secrets: readonly string[] = []): Report {
  const found = resources(preview);
  const { stack } = parts([...preview.steps, ...preview.diagnostics].find(({ urn }) => urn !== "")?.urn ?? "");
  const { errors, warnings, losses, notes } = told(
    preview.diagnostics,
    new Map(found.map((it) => [it.urn, it])),
    secrets,
  );
  if (errors.length === 0) mustBeOurs(stack, preview, found);
  const ours = found.filter(isOurs).map((resource): [Resource, Spec] => [resource, specOf(resource)]);
  const [changes, drift, elsewhere] = [places(ours, intended), places(ours, drifted, "changed"), others(found)];
  const all = links(ours);
  const outcome =
    errors.length > 0
      ? "error"
      : drift.length > 0
        ? "drift"
        : changes.length + elsewhere.length > 0
          ? "changes"
          : "same";
  return {
    stack,
    outcome,
    errors,
    warnings,
    losses: distinct([...losses, ...all.flatMap(ended)]),
    notes,
    nodes: nodes(ours),
    links: all,
    changes,
    drift,
    others: elsewhere,
  };
}
