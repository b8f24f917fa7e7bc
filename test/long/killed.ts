/** The provider killed at random moments of an `up`: the next `up` ends what was begun, and nothing is left over. */
import { kill } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { type Change, linkChanges, nodeChanges, removal } from "../bench/changes";
import { fullMesh, type Network } from "../bench/network";
import { Traffic } from "../bench/pings";
import { Stack } from "../bench/stack";
import type { Lab } from "../lab";
import { oneOf, onLab, type Trial } from "./trial";

/** `up` of what is declared, with the plugin killed some milliseconds after it has started. True if that was in time. */
async function upAndKill(stack: Stack, milliseconds: number): Promise<boolean> {
  const before = stack.plugin();
  let ended = false;
  const up = stack.pulumi(["up", "--yes", "--skip-preview"]).finally(() => {
    ended = true;
  });
  while (!ended && stack.plugin() === before) await sleep(5);
  await sleep(milliseconds);
  const plugin = stack.plugin();
  if (!ended && plugin !== undefined) kill(plugin, "SIGKILL");
  return (await up).code !== 0;
}

/** Milliseconds from the start of the plugin to the end of an undisturbed `up` that has something to do. */
async function usual(stack: Stack, network: Network): Promise<number> {
  const before = stack.plugin();
  const up = stack.up(network);
  while (stack.plugin() === before) await sleep(5);
  const began = performance.now();
  await up;
  return performance.now() - began;
}

/** No file is half written, and nobody holds the lock. */
async function tidy(lab: Lab): Promise<void> {
  const look =
    "find /etc /usr/local/lib/overlay -name '*.overlay-new'; flock -w 10 /run/overlay/lock true || echo locked";
  for (const host of lab.hosts) {
    const { stdout } = await lab.exec(host, look);
    if (stdout !== "") throw new Error(`${host}: ${stdout}`);
  }
}

const changes: Record<string, Change> = {
  nothing: (network) => network,
  ...linkChanges,
  ...nodeChanges,
};

/** One change, killed on its way and then made good. True if the kill was in time. */
async function trial(lab: Lab, stack: Stack, longest: number): Promise<boolean> {
  const [title, change] = oneOf(Object.entries(changes));
  const moment = Math.random() * longest;
  try {
    stack.declare(change(fullMesh(lab)));
    const inTime = await upAndKill(stack, moment);
    await stack.up();
    await stack.must(["refresh", "--preview-only", "--expect-no-changes"]);
    await tidy(lab);
    return inTime;
  } catch (error) {
    throw new Error(`${title}, killed after ${moment.toFixed(0)} ms: ${(error as Error).message}`);
  }
}

const kills = (times: number) => (lab: Lab) =>
  Stack.whileUp(lab, fullMesh(lab), async (stack) => {
    const longest = await usual(stack, removal(fullMesh(lab)));
    const traffic = await Traffic.start(lab);
    let inTime = 0;
    try {
      for (let time = 0; time < times; time++) {
        if (await trial(lab, stack, longest)) inTime++;
      }
    } finally {
      await traffic.stop();
    }
    const { sent, lost } = await traffic.stop();
    if (lost > 0) throw new Error(`all was made good, but of ${sent} pings by the other links ${lost} were lost`);
    return `${inTime} kills ended an \`up\`; each was made good by the next; ${sent} pings by the other links, none lost`;
  });

export const killed = (times: number): Trial => ({
  title: `the provider killed at ${times} random moments`,
  mustBe: "each made good by the next `up`, no ping lost",
  run: () => onLab(kills(times)),
});
