/** The report as GitHub's Markdown, for a pull request. */
import { picture } from "./picture";
import type { Place, Report, Said } from "./report";
import { block, code, html, sentence } from "./safe";
import { count, DRIFT, type Form, headline, linesOf, size, spoken, summary, titleOf } from "./words";

/** Characters; GitHub takes 65,536 of a comment. */
export const LIMIT = 60_000;

const form: Form = { name: code, strong: (text) => `**${text}**` };
/** In what is HTML already. */
const inHtml: Form = { name: (text) => `<code>${html(text.replace(/\s+/g, " "))}</code>`, strong: (text) => text };

/** How many sentences of a kind there are, and characters of each: what is too much is tried with less. */
const SAID = [
  { most: 20, length: 2000 },
  { most: 10, length: 800 },
  { most: 5, length: 300 },
  { most: 2, length: 150 },
] as const;
type Measure = (typeof SAID)[number];

const cut = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length)}… (cut)` : text);

const indented = (text: string): string => text.replace(/^/gm, "  ");

/** What has more lines than one is a block, as a stack trace is. */
function item(one: Said, length: number): string {
  const [first = "", ...rest] = cut(one.text, length).split("\n");
  const said = `- ${spoken({ ...one, text: first }, form, sentence)}`;
  return rest.length === 0 ? said : `${said}\n${indented(block("", rest.join("\n")))}`;
}

function items(all: readonly Said[], { most, length }: Measure): string {
  const shown = all.slice(0, most).map((one) => item(one, length));
  return [...shown, ...(all.length > most ? [`- … and ${all.length - most} more`] : [])].join("\n");
}

const title = (report: Report): string =>
  `## Overlay ${report.stack === "" ? "" : `${code(report.stack)}: `}${headline(report)}`;

function head(report: Report, size: Measure): string {
  const { errors, warnings, losses, notes } = report;
  const alert = (kind: string, all: readonly Said[]) =>
    all.length === 0 ? [] : [`> [!${kind}]\n${items(all, size)}`.replace(/\n/g, "\n> ")];
  const list = (title: string, all: readonly Said[]) =>
    all.length === 0 ? [] : [`**${title}**\n\n${items(all, size)}`];
  const lines = summary(report, form).map((line) => `- ${line}`);
  return [
    title(report),
    ...alert("CAUTION", errors),
    ...alert("WARNING", warnings),
    ...(lines.length > 0 ? [lines.join("\n")] : []),
    ...list("What loses packets, and for how long", losses),
    ...list("What else there is to know", notes),
  ].join("\n\n");
}

const isCut = (left: number, noun: string): string =>
  `_Cut: ${count(left, `more ${noun}`)}; \`overlay report --format json\` has all._`;

/** A folded block, and so many of its lines as there is room for. */
function folded(place: Place, room: number): string {
  const lines = linesOf(place);
  const around = (shown: readonly string[], note: string) =>
    `<details><summary>${titleOf(place, inHtml)}: ${size(place)}</summary>\n\n${block("diff", shown.join("\n"))}\n${note}\n</details>`;
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
function blocks(places: readonly Place[], room: number): string[] {
  const most = Math.max(1, Math.floor(room / LEAST));
  const shown = places.slice(0, most);
  const sizes = shown.map((place) => folded(place, Number.POSITIVE_INFINITY).length + GAP);
  const parts = shares(sizes, room);
  const said = shown.map((place, index) => folded(place, (parts[index] as number) - GAP)).filter((text) => text !== "");
  const left = places.length - said.length;
  return left > 0 ? [...said, isCut(left, "place")] : said;
}

function drawn(report: Report): string[] {
  const { text, left } = picture(report) ?? {};
  if (text === undefined) return [];
  return [`### Picture\n\n${block("mermaid", text)}${left ? `\n\n_Not drawn: ${count(left, "more link")}._` : ""}`];
}

/** The same report gives the same text, of `limit` characters at most. */
export function markdown(report: Report, limit = LIMIT): string {
  const { changes, drift } = report;
  const heads = SAID.map((measure) => head(report, measure));
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
