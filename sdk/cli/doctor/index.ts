/** `overlay doctor`: the checks that an expert would make of a host or a link, and the cure of what is wrong. */
import { type Command, InvalidArgumentError } from "commander";
import { exported, type Source, stackNetwork, stackResources } from "../stack";
import { wanted } from "../status/look";
import { checksOf } from "./checks";
import { concerns } from "./concerns";
import { examine } from "./examine";
import { diagnosis, exitCode, told } from "./text";

interface Options extends Source {
  json?: true;
  parallel: number;
  ssh?: string;
}

const { stdout } = process;

async function doctor(about: string, { json, parallel, ssh, ...source }: Options): Promise<void> {
  const resources = stackResources(exported(source));
  const network = stackNetwork(resources);
  const examined = await examine(concerns(wanted(resources, network), network, about), ssh, parallel);
  const found = diagnosis(network.stack, about, checksOf(examined));
  const columns = stdout.columns ?? (Number(process.env.COLUMNS) || undefined);
  stdout.write(json ? `${JSON.stringify(found, undefined, 2)}\n` : told(found, columns));
  process.exitCode = exitCode(found);
}

function many(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= 1000) return number;
  throw new InvalidArgumentError("Legal is a whole number from 1 to 1000.");
}

const PARALLEL = 32;

export const addDoctor = (program: Command): Command =>
  program
    .command("doctor")
    .description("examines a host and its links, or a link: what is wrong, and the cure")
    .argument("<name>", "of a host, or of a link, a mesh or a segment")
    .option("--json", "as JSON")
    .option("--state <file>", "what `pulumi stack export` printed, in place of asking Pulumi; - is standard input")
    .option("--stack <name>", "the stack, if not the one that is selected")
    .option("--ssh <command>", "the command to use as ssh, if not the one that the stack's provider has")
    .option("--parallel <number>", "hosts that are logged into at once", many, PARALLEL)
    .addHelpText(
      "after",
      "\nEnds with 0 where all is well, 2 where something is wrong, 1 where not all could be looked at.",
    )
    .action(doctor);
