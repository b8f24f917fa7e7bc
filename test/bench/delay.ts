/** What a round trip of 40 ms to the hosts adds. The machine's kernel has no netem: a relay delays what ssh says. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Lab } from "../lab";
import { meshOf, nodesOf } from "./network";
import { median, ROUNDS, type Section, seconds, spread } from "./report";
import { ROOT, Stack } from "./stack";

/** Milliseconds. */
const ROUND_TRIP = 40;

/** `work` while a relay leads to the hosts, in the operator's network. */
async function relayed<T>(lab: Lab, oneWay: number, work: () => Promise<T>): Promise<T> {
  const addresses = Object.values(lab.json.hosts).map(({ addresses: [first = ""] }) => first);
  const program = join(ROOT, "dist/test/bench/relay.js");
  const inside = [`--net=/run/netns/${lab.json.operator}`, "--", process.execPath, program, String(oneWay)];
  const relay = spawn("nsenter", [...inside, ...addresses], { stdio: ["pipe", "pipe", "inherit"] });
  try {
    await once(relay.stdout, "data");
    return await work();
  } finally {
    relay.stdin.end();
  }
}

export async function delay(lab: Lab): Promise<Section> {
  const nodes = Object.entries(nodesOf(lab)).map(([name, node], index) => {
    const { hostKey } = lab.json.hosts[name] ?? {};
    return [name, { ...node, connection: { host: "127.0.0.1", port: 20001 + index, hostKey } }] as const;
  });
  const network = meshOf(Object.fromEntries(nodes));
  const stack = await Stack.make(lab, network);
  const took: [number[], number[]] = [[], []];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      for (const [index, oneWay] of [0, ROUND_TRIP / 2].entries()) {
        const up = await relayed(lab, oneWay, () => stack.up(network));
        took[index]?.push(up.wall);
        await relayed(lab, 0, () => stack.must(["destroy", "--yes", "--skip-preview"]));
      }
    }
  } finally {
    stack.remove();
  }
  const more = median(took[1]) - median(took[0]);
  return {
    title: "Hosts that are far away",
    bars: [
      {
        measure: `first \`up\` of the WgMesh at ${ROUND_TRIP} ms round trip: more than at none`,
        figure: seconds(more),
        mustBe: "0.50 s or less",
        met: more <= 500,
      },
    ],
    text:
      `The mesh of ten hosts, \`pulumi up --yes --skip-preview\` from nothing, medians of ${ROUNDS} rounds, interleaved. ` +
      "Both ways lead through a relay on the operator's loopback interface, which holds what it gets for half a round " +
      "trip, and a new connection for a whole one.",
    table: [
      ["round trip", "median", "fastest and slowest"],
      ["0 ms", seconds(median(took[0])), spread(took[0])],
      [`${ROUND_TRIP} ms`, seconds(median(took[1])), spread(took[1])],
    ],
  };
}
