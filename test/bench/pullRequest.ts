/** `overlay report` of a preview of 200 resources, as a CI runs it: a process of its own, from the file to the Markdown. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../lab";
import { meshNodes, type Network } from "./network";
import { median, ROUNDS, type Section, seconds, spread } from "./report";
import { ROOT, Stack } from "./stack";

const NODES = 20;
/** Each of them two resources. */
const LINKS = 90;

const network = (keepalive: number): Network => {
  const nodes = meshNodes(NODES);
  const names = Object.keys(nodes);
  const pairs = names.flatMap((a, index) => names.slice(index + 1).map((b) => ({ a, b, keepalive })));
  return { nodes, links: Object.fromEntries(pairs.slice(0, LINKS).map((pair) => [`${pair.a}-${pair.b}`, pair])) };
};

/** Of a stack that is new, and of one in which all links change. */
async function previews(): Promise<[string, string]> {
  const stack = await Stack.make(undefined, network(25));
  stack.plug("hostless");
  try {
    const { stdout: all } = await stack.must(["preview", "--json"]);
    await stack.up();
    stack.declare(network(15));
    const { stdout: changed } = await stack.must(["preview", "--json", "--show-sames"]);
    return [all, changed];
  } finally {
    stack.remove();
  }
}

async function took(file: string): Promise<{ wall: number; text: string }> {
  const began = performance.now();
  const { code, stdout, stderr } = await run([join(ROOT, "bin/overlay"), "report", file], { timeout: 60_000 });
  const wall = performance.now() - began;
  if (code !== 2) throw new Error(`overlay report ended with ${code}: ${stderr}`);
  return { wall, text: stdout };
}

export async function pullRequest(): Promise<Section> {
  const folder = mkdtempSync(join(tmpdir(), "overlay-report-"));
  try {
    const rows = [];
    for (const [index, json] of (await previews()).entries()) {
      const file = join(folder, `${index}.json`);
      writeFileSync(file, json);
      const rounds = [];
      for (let round = 0; round < ROUNDS; round++) rounds.push(await took(file));
      rows.push({
        title: index === 0 ? "all new" : "all links changed, hosts unchanged",
        bytes: Buffer.byteLength(json),
        characters: rounds[0]?.text.length ?? Number.NaN,
        times: rounds.map(({ wall }) => wall),
      });
    }
    const slowest = Math.max(...rows.map(({ times }) => median(times)));
    return {
      title: "Report of a preview",
      bars: [
        {
          measure: `\`overlay report\` of a ${NODES + 2 * LINKS}-resource preview`,
          figure: seconds(slowest),
          mustBe: "1.00 s or less",
          met: slowest <= 1000,
        },
      ],
      text:
        `From the file that \`pulumi preview --json\` printed about ${NODES} nodes and ${LINKS} links to the Markdown, a process of ` +
        `its own each time, medians of ${ROUNDS}.`,
      table: [
        ["preview", "its size", "report", "median", "fastest and slowest"],
        ...rows.map(({ title, bytes, characters, times }) => [
          title,
          `${(bytes / 1e6).toFixed(2)} MB`,
          `${characters} characters`,
          seconds(median(times)),
          spread(times),
        ]),
      ],
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
