/** A diagnosis for people: a line a check, and in the end what is wrong, and the cure. Pure. */
import { folded, shown } from "../status/table";
import type { Check } from "./checks";

export interface Diagnosis {
  stack: string;
  /** The host or the link that was asked about. */
  about: string;
  checks: Check[];
  /** What is wrong, and the cure; each once. */
  cures: string[];
  /** Why something could not be looked at. */
  unknown: string[];
}

const distinct = (checks: readonly Check[], state: Check["state"]): string[] => [
  ...new Set(checks.flatMap((it) => (it.state === state ? (it.cure ?? []) : []))),
];

/** A check that is wrong for a reason of its own is told by its cure; one that follows from another's is told by that one. */
export function diagnosis(stack: string, about: string, checks: Check[]): Diagnosis {
  // What is not as declared comes last: others say more nearly what it does.
  const last = ({ name }: Check): number => Number(name === "drift");
  const cures = distinct(
    checks.toSorted((a, b) => last(a) - last(b)),
    "wrong",
  );
  const alone = checks.filter(({ state }) => state === "wrong").map(({ of, name, says }) => `${of}, ${name}: ${says}.`);
  return { stack, about, checks, cures: cures.length > 0 ? cures : alone, unknown: distinct(checks, "unknown") };
}

/** 0: all is well; 1: not all could be looked at; 2: something is wrong. */
export function exitCode({ checks }: Diagnosis): number {
  if (checks.some(({ state }) => state === "wrong")) return 2;
  return checks.some(({ state }) => state === "unknown") ? 1 : 0;
}

/** With a newline at its end. `columns`: characters in a line; absent: as many as like. */
export function told({ stack, about, checks, cures, unknown }: Diagnosis, columns = Number.POSITIVE_INFINITY): string {
  const width = Math.max(...checks.map(({ state }) => state.length), 0);
  const fold = (line: string, indent: string): string[] => folded(shown(line), columns, indent);
  const lines = [...new Set(checks.map(({ of }) => of))].flatMap((of) => [
    "",
    ...fold(of, ""),
    ...checks
      .filter((check) => check.of === of)
      .flatMap(({ state, name, says, lines = [] }) => [
        ...fold(`  ${state.padEnd(width)}  ${name}: ${says}`, " ".repeat(width + 2)),
        ...lines.flatMap((line) => fold(`${" ".repeat(width + 4)}${line}`, " ".repeat(width + 4))),
      ]),
  ]);
  const list = (title: string, all: readonly string[]): string[] =>
    all.length === 0
      ? []
      : ["", title, ...all.flatMap((text, index) => fold(`${index + 1}. ${text}`, " ".repeat(`${index + 1}`.length)))];
  const wrong = checks.filter(({ state }) => state === "wrong").length;
  const open = checks.filter(({ state }) => state === "unknown").length;
  const count = `${checks.length} checks, ${wrong} wrong, ${open} unknown`;
  const well = wrong + open === 0 ? ["", "All is well."] : [];
  return `${[
    ...fold(`${about} of ${stack}: ${count}`, ""),
    ...lines,
    ...list("WHAT IS NOT KNOWN, AND WHY", unknown),
    ...list("WHAT IS WRONG, AND THE CURE", cures),
    ...well,
  ].join("\n")}\n`;
}
