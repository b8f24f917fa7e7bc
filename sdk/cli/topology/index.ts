/** `overlay topology`: a picture of the network that a stack describes. */
import { type Command, Option } from "commander";
import { exported, type Source, type StackNetwork, stackNetwork, stackResources } from "../stack";
import { lookedAt } from "../status";
import { dot } from "./dot";
import { type Live, liveOf } from "./live";
import { mermaid, tooMuch } from "./mermaid";
import { svg } from "./svg";

const FORMATS: Record<string, (network: StackNetwork, live?: Live) => string> = { svg, mermaid, dot };

interface Options extends Source {
  format: string;
  live?: true;
  ssh?: string;
}

async function topology({ format, live, ssh, ...source }: Options): Promise<void> {
  const resources = stackResources(exported(source));
  const seen = live && liveOf(await lookedAt(resources, { ...(ssh !== undefined && { ssh }) }));
  const network = stackNetwork(resources);
  const text = FORMATS[format]?.(network, seen) ?? "";
  const warning = format === "mermaid" ? tooMuch(network, text) : undefined;
  if (warning !== undefined) process.stderr.write(`overlay: ${warning}\n`);
  process.stdout.write(text);
}

export const addTopology = (program: Command): Command =>
  program
    .command("topology")
    .description("prints a picture of the network that a stack describes")
    .addOption(new Option("--format <name>", "what to print").choices(Object.keys(FORMATS)).default("svg"))
    .option("--live", "looks at the hosts, and marks what is not as it should be")
    .option("--state <file>", "what `pulumi stack export` printed, in place of asking Pulumi; - is standard input")
    .option("--stack <name>", "the stack, if not the one that is selected")
    .option("--ssh <command>", "with --live, the command to use as ssh, if not the one that the stack's provider has")
    .action(topology);
