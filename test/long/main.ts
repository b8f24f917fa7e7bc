/** npm run test:long: what takes too long for every `npm test`. One line each, PASS or FAIL; exit code 1 if any failed. */
import { join } from "node:path";
import { Argument, Command } from "commander";
import { circumstances } from "../bench/circumstances";
import { Book, load } from "../bench/report";
import { ROOT } from "../bench/stack";
import { choosing, named } from "./choosing";
import { engine } from "./engine";
import { killed } from "./killed";
import { model } from "./model";
import { newcomer } from "./newcomer";
import { oldest } from "./oldest";
import { pings } from "./pings";
import { rosenpass } from "./rosenpass";
import { stories } from "./stories";
import type { Seen, Trial } from "./trial";
import { writers } from "./writers";

/** What came of it is kept among the figures, too. */
async function passes(name: string, { title, mustBe, run }: Trial): Promise<boolean> {
  const [began, before] = [Date.now(), load()];
  const { met, seen, table }: Seen & { met: boolean } = await run().then(
    (it) => ({ met: true, ...(typeof it === "string" ? { seen: it, table: [] } : it) }),
    (error) => ({ met: false, seen: error instanceof Error ? error.message : String(error), table: [] }),
  );
  const took = `${((Date.now() - began) / 1000).toFixed(0)} s`;
  console.log(`${met ? "PASS" : "FAIL"}  ${title} (${took}): ${seen}`);
  const figure = `${met ? "" : "failed: "}${seen.split("\n")[0]}`;
  const text = `\`npm run test:long ${name}\`, ${took}.${met ? "" : `\n\n${seen}`}`;
  const section = { title, bars: [{ measure: title, figure, mustBe, met }], text, table };
  new Book(join(ROOT, "docs"), []).enter(name, section, await circumstances([before, load()]));
  return met;
}

type Options = Record<"minutes" | "kills" | "sequences" | "choosing" | "rosenpass", string>;

const ALL: Record<string, (options: Options) => Trial> = {
  pings: ({ minutes }) => pings(Number(minutes)),
  killed: ({ kills }) => killed(Number(kills)),
  model: ({ sequences }) => model(Number(sequences)),
  oldest: () => oldest,
  writers: () => writers,
  newcomer: () => newcomer,
  stories: () => stories,
  engine: () => engine,
  named: () => named,
  choosing: ({ choosing: minutes }) => choosing(Number(minutes)),
  rosenpass: ({ rosenpass: minutes }) => rosenpass(Number(minutes)),
};

const command = new Command("test:long")
  .description("The long versions of tests on lab hosts, two and a half hours.")
  .addArgument(new Argument("[trials...]", "which of them; all, where none is named").choices(Object.keys(ALL)))
  .option("--minutes <number>", "of pings", "10")
  .option("--kills <number>", "of the provider", "100")
  .option("--sequences <number>", "of changes on a host and on the model of one", "300")
  .option("--choosing <minutes>", "that hosts choose for themselves", "60")
  .option("--rosenpass <minutes>", "of each stretch of its links", "10")
  .parse();

async function main(): Promise<void> {
  let failed = 0;
  for (const name of command.args.length > 0 ? command.args : Object.keys(ALL)) {
    const trial = ALL[name]?.(command.opts<Options>());
    if (trial && !(await passes(name, trial))) failed++;
  }
  process.exitCode = failed === 0 ? 0 : 1;
}

void main();
