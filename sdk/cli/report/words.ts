/** The report in sentences, which Markdown and the terminal show alike. */
import type { Change, Link, Place, Report, Said } from "./report";

/** How a form of output shows a name, and what stands out. */
export interface Form {
  name(text: string): string;
  strong(text: string): string;
}

/** Names that a line has; of more only the number is said. */
const NAMED = 10;

export const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? "" : "s"}`;

function named(names: readonly string[], { name }: Form): string {
  const shown = names.slice(0, NAMED).map(name).join(", ");
  return names.length > NAMED ? `${shown} and ${names.length - NAMED} more` : shown;
}

const hosts = (places: readonly Place[]): string[] =>
  places.flatMap(({ kind, name }) => (kind === "host" ? [name] : []));

const truths = (places: readonly Place[]): string[] =>
  places.flatMap(({ kind, name }) => (kind === "truth" ? [name] : []));

function where(places: readonly Place[]): string {
  const [on, said] = [hosts(places).length, truths(places).length];
  const sources = said === 1 ? "in a source of truth" : `in ${said} sources of truth`;
  return [...(on > 0 ? [`on ${count(on, "host")}`] : []), ...(said > 0 ? [sources] : [])].join(" and ");
}

export function headline({ outcome, errors, changes, drift, others }: Report): string {
  if (outcome === "error") return `the preview failed (${count(errors.length, "error")})`;
  const said = [
    ...(drift.length > 0 ? [`drift ${where(drift)}`] : []),
    ...(changes.length > 0 ? [`changes ${where(changes)}`] : []),
  ];
  if (said.length > 0) return said.join(", ");
  return others.length > 0 ? "nothing of the overlay changes" : "nothing changes";
}

const WORDS: Record<Change, string> = { new: "added", changed: "changed", replaced: "made anew", gone: "removed" };
const ORDER: Change[] = ["new", "changed", "replaced", "gone"];

function ofKind(links: readonly Link[], kind: Link["kind"], title: string, form: Form): string[] {
  const said = ORDER.flatMap((change) => {
    const names = links.filter((it) => it.kind === kind && it.change === change).map(({ name }) => name);
    return names.length > 0 ? [`${names.length} ${WORDS[change]} (${named(names, form)})`] : [];
  });
  return said.length > 0 ? [`${form.strong(title)}: ${said.join(", ")}`] : [];
}

/** What becomes of what, each a line. */
export function summary(report: Report, form: Form): string[] {
  const { changes, drift, links, others, losses, outcome } = report;
  const [told, said] = [hosts(changes), truths(changes)];
  return [
    ...(told.length > 0 ? [`${form.strong(`${count(told.length, "host")} touched`)}: ${named(told, form)}`] : []),
    ...ofKind(links, "link", "Links", form),
    ...ofKind(links, "mesh", "Meshes", form),
    ...ofKind(links, "segment", "Segments", form),
    ...(said.length > 0 ? [`${form.strong("Sources of truth")}: ${named(said, form)}`] : []),
    ...(drift.length > 0
      ? [
          `${form.strong("Drift")}: ${named(
            drift.map(({ name }) => name),
            form,
          )}`,
        ]
      : []),
    ...(others.length > 0
      ? [
          `${form.strong("Other packages")}: ${count(others.length, "resource")} ${others.length === 1 ? "changes" : "change"}`,
        ]
      : []),
    ...(losses.length > 0
      ? [`${form.strong("Packets are lost")} by ${count(losses.length, "change")}, as said below`]
      : outcome !== "error" && told.length > 0 && isKnown(report)
        ? [`${form.strong("No packet is lost")} of what passes now`]
        : []),
  ];
}

/** Of what is not known yet nobody can say what it costs; of what is taken back because it drifted nobody has. */
const isKnown = ({ changes, drift }: Report): boolean =>
  drift.length === 0 &&
  changes.every(({ resources }) => resources.every(({ lines }) => !lines.some((line) => line.startsWith("! "))));

export const DRIFT =
  "Not as the last `up` made it: `-` is gone from the host, `+` is there though nobody declared it. The next `up` takes it back.";

/** How many lines of a place come, go, and are notes. */
export function size({ resources }: Place): string {
  const lines = resources.flatMap((it) => it.lines);
  const of = (sign: string) => lines.filter((line) => line.startsWith(sign)).length;
  const [added, removed, notes] = [of("+"), of("-"), of("!")];
  return [
    ...(added > 0 ? [`+${added}`] : []),
    ...(removed > 0 ? [`−${removed}`] : []),
    ...(notes > 0 ? [count(notes, "note")] : []),
  ].join(" ");
}

/** The kernel's lines of a place, each resource under its name. */
export const linesOf = ({ resources }: Place): string[] =>
  resources.flatMap(({ type, name, change, lines }) => [
    `@@ ${type} ${name}${change === "changed" ? "" : `: ${WORDS[change]}`} @@`,
    ...lines,
  ]);

export const titleOf = ({ kind, name }: Place, form: Form): string =>
  kind === "truth" ? `source of truth ${form.name(name)}` : form.name(name);

/** By what they are about, and what each says. */
export const spoken = ({ about, text }: Said, form: Form, said: (text: string) => string): string =>
  about === undefined ? said(text) : `${form.name(about)}: ${said(text)}`;
