/** The report for a terminal. */

import { start } from "../safe";
import type { Message, Report, Target } from "./report";
import { DRIFT, type Form, headline, linesOf, size, spoken, summary, titleOf } from "./words";

export interface Screen {
  /** Characters of a line. */
  columns: number;
  colour: boolean;
}

/** SGR of ECMA-48, 8.3.117. */
const SGR = { bold: 1, red: 31, green: 32, yellow: 33, cyan: 36 } as const;
type Colour = keyof typeof SGR;

/** Where it is too long it goes on in the next line, further right: between words, or else inside of one. */
function wrapped(text: string, columns: number, indent: string): string[] {
  const lines: string[] = [];
  const most = Math.max(columns, indent.length + 2); // or it would never end
  let rest = text;
  while (rest.length > most) {
    const space = rest.lastIndexOf(" ", most);
    const line = space > indent.length ? rest.slice(0, space) : start(rest, most);
    lines.push(line);
    rest = indent + rest.slice(line.length).trimStart();
  }
  return [...lines, rest];
}

const COLOURS: Record<string, Colour> = { "+": "green", "-": "red", "!": "yellow", "@": "cyan" };

export function terminal(report: Report, { columns, colour }: Screen): string {
  const painted = (text: string, as: Colour | undefined) => (colour && as ? `\x1b[${SGR[as]}m${text}\x1b[0m` : text);
  const form: Form = {
    name: (text) => text.replace(/\s+/g, " "),
    code: (text) => text.replaceAll("`", ""),
    strong: (text) => text,
  };
  const shown = (text: string, indent: string, as?: Colour) =>
    text
      .split("\n")
      .flatMap((line) => wrapped(line, columns, indent))
      .map((line) => painted(line, as));
  const list = (title: string, all: readonly Message[], as: Colour) =>
    all.length === 0
      ? []
      : ["", ...shown(title, "", as), ...all.flatMap((one) => shown(`- ${spoken(one, form, (it) => it)}`, "  "))];
  const target = (one: Target) => [
    "",
    ...shown(`${titleOf(one, form)} (${size(one)})`, "  ", "bold"),
    ...linesOf(one).flatMap((line) => shown(line, "    ", COLOURS[line[0] ?? ""])),
  ];
  const { stack, errors, stderr, warnings, losses, notes, changes, drift } = report;
  return `${[
    ...shown(`${stack === "" ? "" : `${stack}: `}${headline(report)}`, "  ", "bold"),
    ...list("Errors", errors, "red"),
    ...(stderr.length > 0
      ? [
          "",
          ...shown("The last lines that programs wrote on standard error", "", "bold"),
          ...shown(stderr.join("\n"), "  "),
        ]
      : []),
    ...list("Warnings", warnings, "yellow"),
    "",
    ...summary(report, form).flatMap((line) => shown(line, "  ")),
    ...list("What loses packets, and for how long", losses, "yellow"),
    ...list("What else there is to know", notes, "bold"),
    ...(drift.length > 0
      ? ["", ...shown("Drift", "", "bold"), ...shown(DRIFT.replaceAll("`", ""), ""), ...drift.flatMap(target)]
      : []),
    ...(changes.length > 0 ? ["", ...shown("Changes", "", "bold"), ...changes.flatMap(target)] : []),
  ]
    .join("\n")
    .trimEnd()}\n`;
}
