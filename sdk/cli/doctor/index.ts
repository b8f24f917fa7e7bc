/** `overlay doctor`: the checks that an expert would make of a host or a link, and the cure of what is wrong. */
import type { Command } from "commander";
import { exported, type Source } from "../export";
import { addLogins, addSource, columns, type Logins } from "../options";
import { stackNetwork, stackResources } from "../stack";
import { wanted } from "../status/look";
import { checksOf } from "./checks";
import { concerns } from "./concerns";
import { examine } from "./examine";
import { diagnosis, exitCode, told } from "./text";

interface Options extends Source, Logins {
  json?: true;
}

const { stdout } = process;

async function doctor(about: string, { json, parallel, ssh, ...source }: Options): Promise<void> {
  const resources = stackResources(await exported(source), source);
  const network = stackNetwork(resources);
  const examined = await examine(concerns(wanted(resources, network), network, about), ssh, parallel);
  const found = diagnosis(network.stack, about, checksOf(examined));
  stdout.write(json ? `${JSON.stringify(found, undefined, 2)}\n` : told(found, columns()));
  process.exitCode = exitCode(found);
}

export const addDoctor = (program: Command): Command =>
  addLogins(
    addSource(
      program
        .command("doctor")
        .description("examines a host and its links, or a link: what is wrong, and the cure")
        .argument("<name>", "of a host, or of a link, a mesh or a segment")
        .option("--json", "as JSON"),
    ),
  )
    .addHelpText(
      "after",
      "\nEnds with 0 where all is well, 2 where something is wrong, 1 where not all could be looked at.",
    )
    .action(doctor);
