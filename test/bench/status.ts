/** `overlay status` of ten hosts, beside as many logins that do nothing, and beside what it is made of. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stackNetwork, stackResources } from "../../sdk/cli/stack";
import { wanted } from "../../sdk/cli/status/look";
import { agent } from "../../sdk/host/agents";
import { queries } from "../../sdk/kernel";
import { type Lab, run } from "../lab";
import { meshOf, nodesOf } from "./network";
import { median, type Section, seconds, spread } from "./report";
import { ROOT, Stack } from "./stack";

const RUNS = 25;
const TITLES = {
  bare: "`ssh HOST true`, all at once",
  status: "`overlay status`",
  file: "`overlay status --state FILE`",
  look: "the same look by plain `ssh`, all at once",
  export: "`pulumi stack export` alone",
} as const;
type Title = keyof typeof TITLES;

/** What a session is told for a look, as one script. */
function lookScript(state: string): (host: string) => string {
  const resources = stackResources(state);
  const asked = new Map(
    wanted(resources, stackNetwork(resources)).map(({ node, declared }) => {
      return [node.name, queries(declared.flatMap(({ facts }) => facts))];
    }),
  );
  const agents = ["session.sh", "login.sh", "snapshot.sh", "rosenpass/report.sh", "firewalls.sh"].map(agent);
  return (host) => [...agents, `set -euf; snapshot <<'QUERIES'`, ...(asked.get(host) ?? []), "QUERIES", ""].join("\n");
}

export async function status(lab: Lab): Promise<Section> {
  const folder = mkdtempSync(join(tmpdir(), "overlay-bench-status-"));
  const state = join(folder, "state.json");
  const took = Object.fromEntries(Object.keys(TITLES).map((it) => [it, []])) as unknown as Record<Title, number[]>;
  const add = async (title: Title, work: () => Promise<unknown>): Promise<void> => {
    const began = performance.now();
    await work();
    took[title].push(performance.now() - began);
  };
  await Stack.whileUp(lab, meshOf(nodesOf(lab)), async (stack) => {
    const exported = (await stack.must(["stack", "export"])).stdout;
    writeFileSync(state, exported);
    const script = lookScript(exported);
    const overlay = [join(ROOT, "bin/overlay"), "status", "--json"];
    const looked = ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }): void => {
      const { hosts } = (code === 0 ? JSON.parse(stdout) : { hosts: [] }) as { hosts: { reachable: boolean }[] };
      if (hosts.filter(({ reachable }) => reachable).length !== lab.hosts.length) throw new Error(`${stdout}${stderr}`);
    };
    const plain = async (host: string): Promise<void> => {
      const { stdout, stderr } = await run([...lab.ssh(host), "exec sh"], { input: script(host) });
      if (!stdout.includes("\x1eend\n")) throw new Error(stderr);
    };
    for (let round = 0; round < RUNS; round++) {
      await add("bare", () => Promise.all(lab.hosts.map((host) => run([...lab.ssh(host), "true"]))));
      await add("status", async () => looked(await stack.run(overlay)));
      await add("file", async () => looked(await run([...overlay, "--state", state])));
      await add("look", () => Promise.all(lab.hosts.map(plain)));
      await add("export", () => stack.must(["stack", "export"]));
    }
  });
  rmSync(folder, { recursive: true });
  const ratio = median(took.status) / median(took.bare);
  const rows = Object.entries(TITLES) as [Title, string][];
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
      "once and does nothing there. Of a status as people run it, logins go on while Pulumi answers, but for the first time; the " +
      "last two rows are what it is made of: the look itself, on hosts that share this machine's processors, and what Pulumi " +
      "takes to say what there is.",
    table: [
      ["", "median", "fastest and slowest", "over the first"],
      ...rows.map(([it, title]) => [
        title,
        seconds(median(took[it])),
        spread(took[it]),
        (median(took[it]) / median(took.bare)).toFixed(2),
      ]),
    ],
  };
}
