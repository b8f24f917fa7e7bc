/** npm run test:long: what takes too long for every `npm test`. One line each, PASS or FAIL; exit code 1 if any failed. */
import { Command } from "commander";
import { killed } from "./killed";
import { model } from "./model";
import { oldest } from "./oldest";
import { pings } from "./pings";
import type { Trial } from "./trial";
import { writers } from "./writers";

async function passes({ title, run }: Trial): Promise<boolean> {
  const began = Date.now();
  const took = () => `${((Date.now() - began) / 1000).toFixed(0)} s`;
  try {
    const seen = await run();
    console.log(`PASS  ${title} (${took()}): ${seen}`);
    return true;
  } catch (error) {
    console.log(`FAIL  ${title} (${took()}): ${error instanceof Error ? error.message : error}`);
    return false;
  }
}

const { minutes, kills, sequences } = new Command("test:long")
  .description("The long versions of tests on lab hosts, about 40 minutes.")
  .option("--minutes <number>", "of pings", "10")
  .option("--kills <number>", "of the provider", "100")
  .option("--sequences <number>", "of changes on a host and on the model of one", "300")
  .parse()
  .opts<Record<"minutes" | "kills" | "sequences", string>>();

async function main(): Promise<void> {
  const trials = [pings(Number(minutes)), killed(Number(kills)), model(Number(sequences)), oldest, writers];
  let failed = 0;
  for (const trial of trials) {
    if (!(await passes(trial))) failed++;
  }
  process.exitCode = failed === 0 ? 0 : 1;
}

void main();
