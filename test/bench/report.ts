/** What a measurement has to say, and how it is written down. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";

/** Of each thing that is timed. */
export const ROUNDS = 5;

/** A figure that must be reached. */
export interface Bar {
  measure: string;
  figure: string;
  mustBe: string;
  met: boolean;
}

export interface Section {
  title: string;
  bars: Bar[];
  /** How it was measured, and what else there is to know. */
  text: string;
  /** The first row is the head. */
  table: string[][];
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
}

/** As a table of Markdown. */
export function table([head = [], ...rows]: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** Processes that wanted to run in the last minute. */
export const load = (): string => (loadavg()[0] ?? 0).toFixed(1);

export const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(2)} s`;

/** Of milliseconds. */
export const spread = (times: readonly number[]): string =>
  `${seconds(Math.min(...times))} to ${seconds(Math.max(...times))}`;

/** When, where and with what something was measured. */
export type Circumstances = Record<
  "when" | "commit" | "load" | "processor" | "kernel" | "pulumi" | "Node" | "OpenSSH",
  string
>;

export const sectionText = ({ title, text, table: rows }: Section): string =>
  `## ${title}\n\n${text}\n\n${rows.length > 0 ? `${table(rows)}\n` : ""}`;

interface Entry extends Section {
  measured: Circumstances;
}

/** What was measured last of each measure: benchmarks.json, and benchmarks.md for people. */
export class Book {
  private readonly entries: Record<string, Entry>;
  private readonly path: string;

  /** `names`: of those that come first in the text; the others follow in the order in which they came. */
  constructor(
    private readonly folder: string,
    private readonly names: string[],
  ) {
    this.path = join(folder, "benchmarks.json");
    this.entries = existsSync(this.path) ? JSON.parse(readFileSync(this.path, "utf8")) : {};
  }

  enter(name: string, section: Section, measured: Circumstances): void {
    this.entries[name] = { ...section, measured };
    const order = [...this.names, ...Object.keys(this.entries)];
    const kept = Object.fromEntries(order.flatMap((it) => (this.entries[it] ? [[it, this.entries[it]]] : [])));
    writeFileSync(this.path, `${JSON.stringify(kept, undefined, 2)}\n`);
    writeFileSync(join(this.folder, "benchmarks.md"), text(Object.values(kept)));
  }
}

function text(entries: Entry[]): string {
  const bars = entries.flatMap(({ bars, measured }) =>
    bars.map(({ measure, figure, mustBe, met }) => [
      measure,
      figure,
      mustBe,
      met ? "met" : "**missed**",
      measured.when,
      measured.commit,
    ]),
  );
  const machines = new Map(
    entries.map(({ measured: { when: _, commit: __, load: ___, ...machine } }) => [JSON.stringify(machine), machine]),
  );
  return [
    "# Benchmarks\n",
    "Written by `npm run bench` and `npm run test:long`; do not edit. Hosts are systemd-nspawn containers with links in user space (wireguard-go), where nothing else is said. The programs are compiled JavaScript: Pulumi runs them without ts-node.\n",
    `${table([["measure", "figure", "must be", "", "when", "commit"], ...bars])}\n`,
    ...[...machines.values()].map(
      (machine) =>
        `Measured on: ${Object.entries(machine)
          .map((it) => it.join(" "))
          .join("; ")}.\n`,
    ),
    ...entries.map(
      (entry) =>
        `${sectionText(entry)}\nMeasured ${entry.measured.when} at ${entry.measured.commit}; load before and after: ${entry.measured.load}.\n`,
    ),
  ].join("\n");
}
