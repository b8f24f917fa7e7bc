/** `overlay topology`: a picture of the network that a stack describes. */
import { type Command, Option } from "commander";
import { tell } from "../error";
import { exported, type Source } from "../export";
import { addLogins, addSource, type Logins } from "../options";
import { type StackNetwork, stackNetwork, stackResources } from "../stack";
import type { Status } from "../status/rows";
import { dot } from "./dot";
import { type Live, liveOf } from "./live";
import { mermaid, tooMuch } from "./mermaid";
import { svg } from "./svg";

const FORMATS: Record<string, (network: StackNetwork, live?: Live) => string> = { svg, mermaid, dot };

interface Options extends Source, Logins {
  format: string;
  live?: true;
}

async function topology({ format, live, ...options }: Options): Promise<void> {
  const resources = stackResources(await exported(options), options);
  const seen = live && liveOf(await looked(resources, options));
  const network = stackNetwork(resources);
  const text = FORMATS[format]?.(network, seen) ?? "";
  const warning = format === "mermaid" ? tooMuch(network, text) : undefined;
  if (warning !== undefined) tell(warning);
  process.stdout.write(text);
}

function looked(...given: Parameters<typeof import("../status/run").lookedAt>): Promise<Status> {
  // Half a second, which a picture of state alone does not need.
  const { lookedAt } = require("../status/run") as typeof import("../status/run");
  return lookedAt(...given);
}

export const addTopology = (program: Command): Command =>
  addLogins(
    addSource(
      program
        .command("topology")
        .description("prints a picture of the network that a stack describes")
        .addOption(new Option("--format <name>", "what to print").choices(Object.keys(FORMATS)).default("svg"))
        .option("--live", "looks at the hosts, and marks what is not as it should be"),
    ),
    "with --live, ",
  ).action(topology);
