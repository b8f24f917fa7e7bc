/** How long hosts are out of reach when their stack drops the run's own SSH. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Lab, run } from "../lab";
import { fullMesh, withNode } from "./network";
import { median, type Section, seconds } from "./report";
import { Stack } from "./stack";

const RUNS = 5;
const LIMIT = 20_000;
/** Where the lab's operator is (test/lab/topology.ts): as a prefix of the overlay nothing goes there any more. */
const OPERATOR = "198.18.0.0/24";
/** Milliseconds after which nobody is waited for. */
export const PATIENCE = 120_000;

/** A login that does not wait long for an answer. */
export const loginTo = (lab: Lab, address: string, command: string): string[] => [
  ...lab.json.ssh.split(" "),
  "-o",
  "ConnectTimeout=1",
  address,
  command,
];

/** Milliseconds from the first login that fails to the first that works again. */
async function outage(lab: Lab, host: string): Promise<number> {
  const [address = host] = lab.json.hosts[host]?.addresses ?? [];
  const login = loginTo(lab, address, "true");
  const begun = Date.now();
  let cut: number | undefined;
  while (Date.now() - begun < PATIENCE) {
    const asked = performance.now();
    const { code } = await run(login, { timeout: 3000 });
    if (code !== 0) cut ??= asked;
    else if (cut !== undefined) return performance.now() - cut;
    await sleep(100);
  }
  throw new Error(`${host} was ${cut === undefined ? "never out of reach" : "not back within two minutes"}`);
}

export async function cutoff(lab: Lab): Promise<Section> {
  const network = fullMesh(lab);
  const cut = lab.hosts.reduce((all, host) => {
    const { prefixes = [] } = network.nodes[host] ?? {};
    return withNode(all, host, { prefixes: [...(prefixes as string[]), OPERATOR] });
  }, network);
  const outages: number[][] = [];
  await Stack.whileUp(lab, network, async (stack) => {
    for (let round = 0; round < RUNS; round++) {
      stack.declare(cut);
      const waiting = Promise.all(lab.hosts.map((host) => outage(lab, host)));
      const { code } = await stack.pulumi(["up", "--yes", "--skip-preview"]);
      if (code === 0) throw new Error("a run that cut itself off ended well");
      outages.push(await waiting);
      await stack.up(network);
    }
  });
  const slowest = outages.map((all) => Math.max(...all));
  return {
    title: "A stack that drops its own SSH",
    bars: [
      {
        measure: "a stack that drops its own SSH: back, on every host",
        figure: seconds(median(slowest)),
        mustBe: "20 s or less",
        met: median(slowest) <= LIMIT,
      },
    ],
    text:
      "All three nodes are told, by one `pulumi up`, that the operator's own network is a part of the overlay, so that " +
      "packets to it go nowhere. From the first login that fails on a host to the first that works again, which nobody " +
      `but the host itself sees to; in ${RUNS} rounds, each after an \`up\` that mends the program.`,
    table: [
      ["host", "median", "fastest and slowest"],
      ...lab.hosts.map((host, index) => {
        const its = outages.map((all) => all[index] ?? Number.NaN);
        return [host, seconds(median(its)), `${seconds(Math.min(...its))} to ${seconds(Math.max(...its))}`];
      }),
    ],
  };
}
