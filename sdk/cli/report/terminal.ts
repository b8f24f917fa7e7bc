/** The report for a terminal. */
import type { Place, Report, Said } from "./report";
import { DRIFT, type Form, headline, linesOf, size, spoken, summary, titleOf } from "./words";

export interface Screen {
  /** Characters of a line. */
  columns: number;
  colour: boolean;
}

/** SGR of ECMA-48, 8.3.117. */
const SGR = { bold: 1, red: 31, green: 32, yellow: 33, cyan: 36 } as const;
type Colour = keyof typeof SGR;

/** Where it is too long it goes on in the next line, further right; a word that is longer than a line stays whole. */
function wrapped(text: string, columns: number, indent: string): string[] {
  const [first = "", ...words] = text.split(" ");
  const lines = [first];
  for (const word of words) {
    const last = lines.at(-1) as string;
    if (last.length + 1 + word.length <= columns) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`${indent}${word}`);
  }
  return lines;
}

const COLOURS: Record<string, Colour> = { "+": "green", "-": "red", "!": "yellow", "@": "cyan" };

export function terminal(report: Report, { columns, colour }: Screen): string {
  const painted = (text: string, as: Colour | undefined) => (colour && as ? `\x1b[${SGR[as]}m${text}\x1b[0m` : text);
  const form: Form = { name: (text) => text.replace(/\s+/g, " "), strong: (text) => text };
  const shown = (text: string, indent: string, as?: Colour) =>
    text
      .split("\n")
      .flatMap((line) => wrapped(line, columns, indent))
      .map((line) => painted(line, as));
  const list = (title: string, all: readonly Said[], as: Colour) =>
    all.length === 0
      ? []
      : ["", ...shown(title, "", as), ...all.flatMap((one) => shown(`- ${spoken(one, form, (it) => it)}`, "  "))];
  const place = (one: Place) => [
    "",
    ...shown(`${titleOf(one, form)} (${size(one)})`, "  ", "bold"),
    ...linesOf(one).flatMap((line) => shown(line, "    ", COLOURS[line[0] ?? ""])),
  ];
  const { stack, errors, warnings, losses, notes, changes, drift } = report;
  return `${[
    ...shown(`${stack === "" ? "" : `${stack}: `}${headline(report)}`, "  ", "bold"),
    ...list("Errors", errors, "red"),
    ...list("Warnings", warnings, "yellow"),
    "",
    ...summary(report, form).flatMap((line) => shown(line, "  ")),
    ...list("What loses packets, and for how long", losses, "yellow"),
    ...list("What else there is to know", notes, "bold"),
    ...(drift.length > 0
      ? ["", ...shown("Drift", "", "bold"), ...shown(DRIFT.replaceAll("`", ""), ""), ...drift.flatMap(place)]
      : []),
    ...(changes.length > 0 ? ["", ...shown("Changes", "", "bold"), ...changes.flatMap(place)] : []),
  ]
    .join("\n")
    .trimEnd()}\n`;
}
