/** What a measurement has to say, and how it is written down. */
import { loadavg } from "node:os";

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
