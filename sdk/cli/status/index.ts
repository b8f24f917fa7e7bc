/** `overlay status`: how the hosts of a stack are, and each side of their links, looked at now. */
import { type Command, Option } from "commander";
import { ToolError } from "../error";
import { exported, type Source } from "../export";
import { addLogins, addSource, between, type Logins } from "../options";
import type { Format } from "./run";

export interface Options extends Source, Logins {
  host?: string[];
  /** Seconds. */
  watch?: true | number;
  measure?: true;
  format: Format;
  json?: true;
  color: boolean;
}

const FORMATS: Format[] = ["table", "json", "prometheus"];

async function status({ json, ...given }: Options): Promise<void> {
  const options = { ...given, format: json ? "json" : given.format };
  if (options.watch !== undefined && options.format === "prometheus") {
    throw new ToolError(
      "cli/option",
      "--format prometheus is one look, and none of --watch: give --format json, or no --watch",
    );
  }
  const text = exported(options);
  text.catch(() => undefined); // `run` tells
  // While Pulumi answers, logins begin, and what is needed is loaded.
  const { beginEarly } = require("./early") as typeof import("./early");
  const early = await beginEarly(options);
  const { run } = require("./run") as typeof import("./run");
  await run(text, options, early);
}

export const addStatus = (program: Command): Command =>
  addLogins(
    addSource(
      program
        .command("status")
        .description("looks at all hosts of a stack, and tells how each side of their links is")
        .option("--host <name...>", "these alone")
        .option("--watch [seconds]", "goes on looking, every so many seconds. Default: 2", between(0.5, 3600))
        .option("--measure", "sends packets inside of links and segments, too, and tells what passes in one piece")
        .addOption(new Option("--format <name>", "what to print").choices(FORMATS).default("table"))
        .addOption(new Option("--json", "the same as --format json").conflicts("format")),
    ),
  )
    .option("--no-color", "no colours; there are none where NO_COLOR is set, either")
    .action(status);
