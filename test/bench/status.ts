/** `overlay status` of ten hosts, beside as many logins that do nothing. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Lab, run } from "../lab";
import { meshOf, nodesOf } from "./network";
import { median, type Section, seconds, spread } from "./report";
import { ROOT, Stack } from "./stack";

const RUNS = 9;
const TITLES = [
  "`ssh HOST true`, all at once",
  "`overlay status`, of a state in a file",
  "`overlay status`, asking Pulumi",
] as const;

export async function status(lab: Lab): Promise<Section> {
  const folder = mkdtempSync(join(tmpdir(), "overlay-bench-status-"));
  const state = join(folder, "state.json");
  const took = new Map<string, number[]>(TITLES.map((title) => [title, []]));
  const add = async (title: string, work: () => Promise<unknown>): Promise<void> => {
    const began = performance.now();
    await work();
    took.get(title)?.push(performance.now() - began);
  };
  await Stack.whileUp(lab, meshOf(nodesOf(lab)), async (stack) => {
    writeFileSync(state, (await stack.must(["stack", "export"])).stdout);
    const overlay = [join(ROOT, "bin/overlay"), "status", "--json"];
    const looked = ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }): void => {
      const { hosts } = (code === 0 ? JSON.parse(stdout) : { hosts: [] }) as { hosts: { reachable: boolean }[] };
      if (hosts.filter(({ reachable }) => reachable).length !== lab.hosts.length) throw new Error(`${stdout}${stderr}`);
    };
    for (let round = 0; round < RUNS; round++) {
      await add(TITLES[0], () => Promise.all(lab.hosts.map((host) => run([...lab.ssh(host), "true"]))));
      await add(TITLES[1], async () => looked(await run([...overlay, "--state", state])));
      await add(TITLES[2], async () => looked(await stack.run(overlay)));
    }
  });
  rmSync(folder, { recursive: true });
  const [bare, file] = TITLES.map((title) => median(took.get(title) ?? []));
  const ratio = (file ?? Number.NaN) / (bare ?? Number.NaN);
  return {
    title: "`overlay status`",
    bars: [
      {
        measure: `\`overlay status\` of ${lab.hosts.length} hosts, over as many \`ssh HOST true\` at once`,
        figure: ratio.toFixed(2),
        mustBe: "1.5 or less",
        met: ratio <= 1.5,
      },
    ],
    text:
      `A mesh of ${lab.hosts.length} hosts; medians of ${RUNS} rounds, interleaved. The first row logs in to all hosts at ` +
      "once and does nothing there: the least that any look costs. Pulumi takes its time to say what the state is.",
    table: [
      ["", "median", "fastest and slowest"],
      ...TITLES.map((title) => [title, seconds(median(took.get(title) ?? [])), spread(took.get(title) ?? [])]),
    ],
  };
}
