/** `overlay topology` of networks of some 200 links, each a process of its own, from the state to the picture. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../lab";
import { shapes, stateOf } from "../sdk/cli/networks";
import { median, ROUNDS, type Section, seconds, spread } from "./report";
import { ROOT } from "./stack";

const MANY = ["200 links of a star", "200 links of 100 nodes", "210 links of 21 nodes"];
const FORMATS = ["svg", "mermaid", "dot"];

async function took(state: string, format: string): Promise<{ wall: number; bytes: number }> {
  const began = performance.now();
  const words = ["topology", "--state", state, "--format", format];
  const { code, stdout, stderr } = await run([join(ROOT, "bin/overlay"), ...words], { timeout: 60_000 });
  const wall = performance.now() - began;
  if (code !== 0) throw new Error(`overlay topology ended with ${code}: ${stderr}`);
  return { wall, bytes: Buffer.byteLength(stdout) };
}

export async function topology(): Promise<Section> {
  const folder = mkdtempSync(join(tmpdir(), "overlay-bench-topology-"));
  try {
    const rows = [];
    for (const name of MANY) {
      const state = join(folder, "state.json");
      writeFileSync(state, stateOf(shapes[name] ?? { nodes: [] }));
      for (const format of FORMATS) {
        const rounds = [];
        for (let round = 0; round < ROUNDS; round++) rounds.push(await took(state, format));
        rows.push({ name, format, bytes: rounds[0]?.bytes ?? Number.NaN, times: rounds.map(({ wall }) => wall) });
      }
    }
    const slowest = Math.max(...rows.map(({ times }) => median(times)));
    return {
      title: "`overlay topology`",
      bars: [
        {
          measure: "`overlay topology` of 200 links",
          figure: seconds(slowest),
          mustBe: "2.00 s or less",
          met: slowest <= 2000,
        },
      ],
      text: `From a state in a file to the picture, a process of its own each time, medians of ${ROUNDS}.`,
      table: [
        ["network", "format", "its size", "median", "fastest and slowest"],
        ...rows.map(({ name, format, bytes, times }) => [
          ...[name, format, `${(bytes / 1000).toFixed(0)} kB`],
          ...[seconds(median(times)), spread(times)],
        ]),
      ],
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
