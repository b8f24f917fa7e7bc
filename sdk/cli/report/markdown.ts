/** The report as GitHub's Markdown, for a pull request. */

import { start } from "../safe";
import { picture } from "./picture";
import type { Message, Report, Target } from "./report";
import { block, code, html, sentence } from "./safe";
import { count, DRIFT, type Form, headline, linesOf, size, spoken, summary, titleOf } from "./words";

/** Characters; GitHub takes 65,536 of a comment. */
export const LIMIT = 60_000;

const form: Form = { name: code, code: sentence, strong: (text) => `**${text}**` };
/** In what is HTML already. */
const inHtml: Form = {
  name: (text) => `<code>${html(text.replace(/\s+/g, " "))}</code>`,
  code: html,
  strong: (text) => text,
};

/** How many sentences of a kind there are, and characters of each: what is too much is tried with less. */
const MEASURES = [
  { most: 20, length: 2000 },
  { most: 10, length: 800 },
  { most: 5, length: 300 },
  { most: 2, length: 150 },
] as const;
type Measure = (typeof MEASURES)[number];
/** Characters of a line of what a program wrote. */
const LONG = 500;

const cut = (text: string, length: number): string => (text.length > length ? `${start(text, length)}… (cut)` : text);

const indented = (text: string): string => text.replace(/^/gm, "  ");

/** What has more lines than one is a block, as a stack trace is. */
function item(one: Message, length: number): string {
  const [first = "", ...rest] = cut(one.text, length).split("\n");
  const said = `- ${spoken({ ...one, text: first }, form, sentence)}`;
  return rest.length === 0 ? said : `${said}\n${indented(block("", rest.join("\n")))}`;
}

function items(all: readonly Message[], { most, length }: Measure): string {
  const shown = all.slice(0, most).map((one) => item(one, length));
  return [...shown, ...(all.length > most ? [`- … and ${all.length - most} more`] : [])].join("\n");
}

const title = (report: Report): string =>
  `## Overlay${report.stack === "" ? "" : ` ${code(report.stack)}`}: ${headline(report)}`;

/** The last lines: what went wrong is said last. */
const wrote = (stderr: readonly string[], most: number): string =>
  `<details><summary>The last lines that programs wrote on standard error</summary>\n\n${block(
    "",
    stderr
      .slice(-most)
      .map((line) => start(line, LONG))
      .join("\n"),
  )}\n\n</details>`;

function head(report: Report, size: Measure): string {
  const { errors, stderr, warnings, losses, notes } = report;
  const alert = (kind: string, all: readonly Message[]) =>
    all.length === 0 ? [] : [`> [!${kind}]\n${items(all, size)}`.replace(/\n/g, "\n> ")];
  const list = (title: string, all: readonly Message[]) =>
    all.length === 0 ? [] : [`**${title}**\n\n${items(all, size)}`];
  const lines = summary(report, form).map((line) => `- ${line}`);
  return [
    title(report),
    ...alert("CAUTION", errors),
    ...(stderr.length > 0 ? [wrote(stderr, size.most * 2)] : []),
    ...alert("WARNING", warnings),
    ...(lines.length > 0 ? [lines.join("\n")] : []),
    ...list("What loses packets, and for how long", losses),
    ...list("What else there is to know", notes),
  ].join("\n\n");
}

const isCut = (left: number, noun: string): string =>
  `_Cut: ${count(left, `more ${noun}`)}; \`overlay report --format json\` has all._`;

/** A folded block, and so many of its lines as there is room for. */
function folded(target: Target, room: number): string {
  const lines = linesOf(target);
  const around = (shown: readonly string[], note: string) =>
    `<details><summary>${titleOf(target, inHtml)}: ${size(target)}</summary>\n\n${block("diff", shown.join("\n"))}\n${note}\n</details>`;
  const whole = around(lines, "");
  if (whole.length <= room) return whole;
  const note = (left: number) => `\n${isCut(left, "line")}\n`;
  // Of how many it fits: not to be reckoned, for a line may make the fence longer.
  let [kept, over] = [0, lines.length];
  while (over - kept > 1) {
    const some = Math.floor((kept + over) / 2);
    if (around(lines.slice(0, some), note(lines.length)).length <= room) kept = some;
    else over = some;
  }
  return kept === 0 ? "" : around(lines.slice(0, kept), note(lines.length - kept));
}

/** How much each may have of `room`, so that the largest give way first. */
function shares(sizes: readonly number[], room: number): number[] {
  const order = sizes.map((_, index) => index).sort((a, b) => (sizes[a] as number) - (sizes[b] as number));
  const given = sizes.map(() => 0);
  let left = room;
  for (const [nth, index] of order.entries()) {
    given[index] = Math.min(sizes[index] as number, Math.floor(left / (order.length - nth)));
    left -= given[index];
  }
  return given;
}

/** Characters between two parts. */
const GAP = 2;
/** Characters of a block of which nothing but its frame is seen. */
const LEAST = 300;

/** Folded blocks of all places within so many characters. */
function blocks(targets: readonly Target[], room: number): string[] {
  const most = Math.max(1, Math.floor(room / LEAST));
  const shown = targets.slice(0, most);
  const sizes = shown.map((target) => folded(target, Number.POSITIVE_INFINITY).length + GAP);
  const parts = shares(sizes, room);
  const said = shown
    .map((target, index) => folded(target, (parts[index] as number) - GAP))
    .filter((text) => text !== "");
  const left = targets.length - said.length;
  return left > 0 ? [...said, isCut(left, "place")] : said;
}

function drawn(report: Report): string[] {
  const { text, left } = picture(report) ?? {};
  if (text === undefined || left === undefined) return [];
  const rest = [
    ...(left.links > 0 ? [count(left.links, "more link")] : []),
    ...(left.nodes > 0 ? [count(left.nodes, "more host")] : []),
  ];
  return [`### Picture\n\n${block("mermaid", text)}${rest.length > 0 ? `\n\n_Not drawn: ${rest.join(", ")}._` : ""}`];
}

/** The same report gives the same text, of `limit` characters at most. */
export function markdown(report: Report, limit = LIMIT): string {
  const { changes, drift } = report;
  const heads = MEASURES.map((measure) => head(report, measure));
  const first = heads.find(({ length }) => length <= limit / 2) ?? (heads.at(-1) as string);
  const pictures = drawn(report);
  const seen = pictures.map((text) => (text.length <= limit / 5 ? text : "_Cut: the picture._"));
  // What is between the parts, and the sentences that say what was cut.
  const room = limit - first.length - seen.join("").length - 2 * (DRIFT.length + LEAST);
  const sizes = [drift, changes].map((all) => blocks(all, Number.POSITIVE_INFINITY).join("\n\n").length + GAP);
  const [ofDrift = 0, ofChanges = 0] = shares(sizes, room);
  const sections = [
    ...(drift.length > 0 ? [`### Drift\n\n${DRIFT}`, ...blocks(drift, ofDrift)] : []),
    ...(changes.length > 0 ? ["### Changes", ...blocks(changes, ofChanges)] : []),
  ];
  const whole = `${[first, ...sections, ...seen].join("\n\n")}\n`;
  // Names alone can be too much.
  return whole.length <= limit
    ? whole
    : `${title(report)}\n\n_Cut: all else; \`overlay report --format json\` has it._\n`;
}
