/** Plan and lines of meshes of many nodes, without engine and hosts. */
import { join } from "node:path";
import { run } from "../lab";
import { median, ROUNDS, type Section, seconds, spread } from "./report";
import { ROOT } from "./stack";

const SIZES = [250, 500, 1000] as const;

interface Planned {
  /** Of all texts. */
  bytes: number;
  /** Milliseconds. */
  took: number;
  /** The same with what lies between program and plugin: each spec as JSON, written, read, and written for state. */
  checked: number;
  /** The most bytes that the process ever had. */
  memory: number;
}

async function planned(nodes: number): Promise<Planned> {
  const { code, stdout, stderr } = await run(
    [process.execPath, "--max-semi-space-size=64", join(ROOT, "dist/test/bench/pureMesh.js"), `${nodes}`],
    {
      timeout: 300_000,
    },
  );
  if (code !== 0) throw new Error(`${nodes} nodes: code ${code}: ${stderr}`);
  return JSON.parse(stdout) as Planned;
}

export async function plan(): Promise<Section> {
  const rounds: Planned[][] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const sizes: Planned[] = [];
    for (const nodes of SIZES) sizes.push(await planned(nodes));
    rounds.push(sizes);
  }
  const of = (index: number, what: keyof Planned) => rounds.map((sizes) => sizes[index]?.[what] ?? Number.NaN);
  const each = SIZES.map((nodes, index) => ({
    nodes,
    bytes: median(of(index, "bytes")),
    took: of(index, "took"),
    checked: of(index, "checked"),
    memory: Math.max(...of(index, "memory")),
  }));
  const [, half, most] = each;
  if (!half || !most) throw new Error("nothing was measured");
  const rate = ({ took, bytes }: typeof most) => median(took) / bytes;
  const growth = rate(most) / rate(half);
  return {
    title: "A mesh of 1,000 nodes, pure",
    bars: [
      {
        measure: "plan and lines of a 1,000-node mesh, pure",
        figure: seconds(median(most.took)),
        mustBe: "4.00 s or less",
        met: median(most.took) <= 4000,
      },
      {
        measure: "its memory",
        figure: `${(most.memory / 1e6).toFixed(0)} MB`,
        mustBe: "1000 MB or less",
        met: most.memory <= 1e9,
      },
      {
        measure: "time a byte of text, of 1,000 nodes over 500",
        figure: growth.toFixed(2),
        mustBe: "1.20 or less: linear in bytes",
        met: growth <= 1.2,
      },
    ],
    text:
      `A process of its own each time, medians of ${ROUNDS}: from what a program declares of nodes and mesh, checked as a ` +
      "whole, to the text of each node: what the component hands over, the schema's look at it, the plan, and the lines. " +
      "With JSON: the same by way of the provider's check, so with what lies between program and plugin, a spec of 200 KB " +
      "for each of 1,000 nodes, written by the program, read by the plugin and written for state. Node has 64 MB for what " +
      "lives shortly, as the plugin has.",
    table: [
      ["nodes", "text", "median", "fastest and slowest", "with JSON", "memory, the most"],
      ...each.map(({ nodes, bytes, took, checked, memory }) => [
        String(nodes),
        `${(bytes / 1e6).toFixed(1)} MB`,
        seconds(median(took)),
        spread(took),
        seconds(median(checked)),
        `${(memory / 1e6).toFixed(0)} MB`,
      ]),
    ],
  };
}
