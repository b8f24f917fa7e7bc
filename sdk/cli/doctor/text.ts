/** A diagnosis for people: a line a check, and in the end what is wrong, and the cure. Pure. */
import { folded, shown } from "../status/table";
import { type Check, withItsCode } from "./check";

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
  ...new Set(checks.flatMap((it) => (it.state === state && it.cure !== undefined ? withItsCode(it, it.cure) : []))),
];

/** A check that is wrong for a reason of its own is told by its cure; one that follows from another's is told by that one. */
export function diagnosis(stack: string, about: string, checks: Check[]): Diagnosis {
  // What is not as declared comes last: others say more nearly what it does.
  const last = ({ name }: Check): number => Number(name === "drift");
  const cures = distinct(
    checks.toSorted((a, b) => last(a) - last(b)),
    "wrong",
  );
  const alone = checks
    .filter(({ state }) => state === "wrong")
    .map((it) => withItsCode(it, `${it.of}, ${it.name}: ${it.says}.`));
  return { stack, about, checks, cures: cures.length > 0 ? cures : alone, unknown: distinct(checks, "unknown") };
}

/** 0: all is well; 1: not all could be looked at; 2: something is wrong. */
export function exitCode({ checks }: Diagnosis): number {
  if (checks.some(({ state }) => state === "wrong")) return 2;
  return checks.some(({ state }) => state === "unknown") ? 1 : 0;
}

/** Hosts, or pairs of a mesh, that are told one by one, with all of their checks. */
const FEW = 3;

interface Group {
  title: string;
  checks: Pick<Check, "state" | "name" | "says" | "lines">[];
}

/** In the order in which each key comes first. */
function by<T, K>(all: readonly T[], keyOf: (one: T) => K): [K, T[]][] {
  const found = new Map<K, T[]>();
  for (const one of all) found.set(keyOf(one), [...(found.get(keyOf(one)) ?? []), one]);
  return [...found];
}

/** Where there are many of a kind, those that are well are told in one, and of the others what is not well. */
function grouped(checks: readonly Check[]): Group[] {
  const all = by(checks, ({ of }) => of).map(([title, checks]) => ({ title, checks }));
  const kinds = by(all, ({ checks: [first] }) => first?.within);
  return kinds.flatMap(([within, groups]): Group[] => {
    if (groups.length <= FEW) return groups;
    const isOk = ({ state }: Check): boolean => state === "ok";
    const well = groups.filter(({ checks }) => checks.every(isOk));
    const ill = groups
      .filter((group) => !well.includes(group))
      .map(({ title, checks }) => ({ title, checks: checks.filter((it) => !isOk(it)) }));
    if (well.length === 0) return ill;
    // Of `path MTU, fra to lux` what comes first: each has it both ways.
    const names = new Set(well.flatMap(({ checks }) => checks.map(({ name }) => name.replace(/, .*/, ""))));
    const title =
      within === undefined
        ? `${well.length} of ${groups.length} hosts: ${well.map(({ title }) => title).join(", ")}`
        : `${within}: ${well.length} of ${groups.length} pairs`;
    return [...ill, { title, checks: [{ state: "ok", name: "each", says: [...names].join(", ") }] }];
  });
}

/** With a newline at its end. `columns`: characters in a line; absent: as many as like. */
export function told({ stack, about, checks, cures, unknown }: Diagnosis, columns = Number.POSITIVE_INFINITY): string {
  const width = Math.max(...checks.map(({ state }) => state.length), 0);
  const fold = (line: string, indent: string): string[] => folded(shown(line), columns, indent);
  const lines = grouped(checks).flatMap(({ title, checks }) => [
    "",
    ...fold(title, ""),
    ...checks.flatMap(({ state, name, says, lines = [] }) => [
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
