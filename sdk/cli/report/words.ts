/** The report in sentences, which Markdown and the terminal show alike. */
import type { Change, Link, Message, Report, Target } from "./report";

/** How a form of output shows a name, and what stands out. */
export interface Form {
  name(text: string): string;
  /** What has names in backticks. */
  code(text: string): string;
  strong(text: string): string;
}

/** Names that a line has; of more only the number is said. */
const NAMED = 10;

export const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? "" : "s"}`;

function named(names: readonly string[], { name }: Form): string {
  const shown = names.slice(0, NAMED).map(name).join(", ");
  return names.length > NAMED ? `${shown} and ${names.length - NAMED} more` : shown;
}

/** State alone takes it over, or loses it. */
const isTouched = ({ resources }: Target): boolean =>
  resources.some(({ change }) => change !== "imported" && change !== "forgotten");

const hosts = (targets: readonly Target[]): string[] =>
  targets.flatMap((it) => (it.kind === "host" && isTouched(it) ? [it.name] : []));

const truths = (targets: readonly Target[]): string[] =>
  targets.flatMap(({ kind, name }) => (kind === "truth" ? [name] : []));

function where(targets: readonly Target[]): string {
  const [on, said] = [hosts(targets).length, truths(targets).length];
  if (on + said === 0) return "of state alone";
  const sources = said === 1 ? "in a source of truth" : `in ${said} sources of truth`;
  return [...(on > 0 ? [`on ${count(on, "host")}`] : []), ...(said > 0 ? [sources] : [])].join(" and ");
}

export function headline({ outcome, errors, changes, drift, otherPackages }: Report): string {
  if (outcome === "none") return "no report";
  if (outcome === "error") return `the preview failed (${count(errors.length, "error")})`;
  const said = [
    ...(drift.length > 0 ? [`drift ${where(drift)}`] : []),
    ...(changes.length > 0 ? [`changes ${where(changes)}`] : []),
  ];
  if (said.length > 0) return said.join(", ");
  return otherPackages.length > 0 ? "nothing of the overlay changes" : "nothing changes";
}

const WORDS: Record<Change, string> = {
  new: "added",
  changed: "changed",
  replaced: "made anew",
  gone: "removed",
  imported: "imported",
  forgotten: "left as it is, out of state",
};
const ORDER = Object.keys(WORDS) as Change[];

function ofKind(links: readonly Link[], kind: Link["kind"], title: string, form: Form): string[] {
  const said = ORDER.flatMap((change) => {
    const names = links.filter((it) => it.kind === kind && it.change === change).map(({ name }) => name);
    return names.length > 0 ? [`${names.length} ${WORDS[change]} (${named(names, form)})`] : [];
  });
  return said.length > 0 ? [`${form.strong(title)}: ${said.join(", ")}`] : [];
}

/** By what each is about: `lux-fra` for good. */
function costs({ losses }: Report, form: Form): string {
  const each = losses.map(
    ({ about, lasts }) => `${about === undefined ? "" : `${form.name(about)} `}${form.code(lasts)}`,
  );
  const shown = [...new Set(each)];
  const more = shown.length > NAMED ? ` and ${shown.length - NAMED} more` : "";
  return `${form.strong("Packets are lost")} by ${count(losses.length, "change")}: ${shown.slice(0, NAMED).join(", ")}${more}`;
}

/** What becomes of what, each a line. */
export function summary(report: Report, form: Form): string[] {
  const { changes, drift, links, otherPackages, losses, lossesKnown, outcome } = report;
  const [told, said] = [hosts(changes), truths(changes)];
  const others = otherPackages.length;
  const strong = (title: string, names: readonly string[]) =>
    names.length > 0 ? [`${form.strong(title)}: ${named(names, form)}`] : [];
  return [
    ...strong(`${count(told.length, "host")} touched`, told),
    ...ofKind(links, "link", "Links", form),
    ...ofKind(links, "mesh", "Meshes", form),
    ...ofKind(links, "segment", "Segments", form),
    ...strong("Sources of truth", said),
    ...strong(
      "Drift",
      drift.map(({ name }) => name),
    ),
    ...(others > 0
      ? [`${form.strong("Other packages")}: ${count(others, "resource")} ${others === 1 ? "changes" : "change"}`]
      : []),
    ...(losses.length > 0 ? [costs(report, form)] : []),
    ...(losses.length === 0 && told.length > 0 && outcome !== "error"
      ? [
          lossesKnown
            ? `${form.strong("No packet is lost")} of what passes now`
            : `${form.strong("Not known")} before ${form.name("up")}: whether packets are lost`,
        ]
      : []),
  ];
}

export const DRIFT =
  "Not as the last `up` made it: `-` is gone from the host, `+` is there though nobody declared it. `pulumi up --refresh` takes it back.";

/** How many lines of a target come, go, and are notes. */
export function size({ resources }: Target): string {
  const lines = resources.flatMap((it) => it.lines);
  const of = (sign: string) => lines.filter((line) => line.startsWith(sign)).length;
  const [added, removed, notes] = [of("+"), of("-"), of("!")];
  return [
    ...(added > 0 ? [`+${added}`] : []),
    ...(removed > 0 ? [`−${removed}`] : []),
    ...(notes > 0 ? [count(notes, "note")] : []),
  ].join(" ");
}

/** The kernel's lines of a target, each resource under its name. */
export const linesOf = ({ resources }: Target): string[] =>
  resources.flatMap(({ type, name, change, lines }) => [
    `@@ ${type} ${name}${change === "changed" ? "" : `: ${WORDS[change]}`} @@`,
    ...lines,
  ]);

export const titleOf = ({ kind, name }: Target, form: Form): string =>
  kind === "truth" ? `source of truth ${form.name(name)}` : form.name(name);

/** By what they are about, and what each says. */
export const spoken = ({ about, text }: Message, form: Form, said: (text: string) => string): string =>
  about === undefined ? said(text) : `${form.name(about)}: ${said(text)}`;
