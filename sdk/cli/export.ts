/** What `pulumi stack export` prints, asked of Pulumi. Loads next to nothing, so that what needs it loads while Pulumi answers. */
import { type ExecFileException, execFile } from "node:child_process";
import { promisify } from "node:util";
import { ToolError } from "./error";
import { readInput } from "./file";
import { saidOf, secretsOf } from "./safe";

/** Where a deployment is read from. */
export interface Source {
  /** A file with what `pulumi stack export` printed; `-` is standard input. Default: Pulumi is asked. */
  state?: string;
  /** Default: the one that is selected. */
  stack?: string;
}

/** Throws an Error that says what to do. */
export async function exported({ state, stack }: Source): Promise<string> {
  if (state !== undefined) return readInput(state);
  const words = ["stack", "export", "--non-interactive", ...(stack === undefined ? [] : ["--stack", stack])];
  const asked = promisify(execFile)("pulumi", words, {
    maxBuffer: 2 ** 30,
    env: {
      // Go clears up, on all processors, from 4 MB on: a tenth of the work of what ends in a moment.
      GOGC: "400",
      ...process.env,
      // Whether there is a newer Pulumi would be asked over the network first, and told nobody.
      PULUMI_SKIP_UPDATE_CHECK: "true",
    },
  });
  asked.child.stdin?.end();
  try {
    return (await asked).stdout;
  } catch (error) {
    const { code, signal, stderr = "", message } = error as ExecFileException;
    if (code === "ENOENT") {
      throw new ToolError(
        "cli/pulumi",
        "there is no pulumi on PATH: put it there, or give what `pulumi stack export` prints as --state FILE",
      );
    }
    if (typeof code !== "number" && !signal)
      throw new ToolError("cli/pulumi", `\`pulumi ${words.join(" ")}\` cannot be run: ${message}`);
    throw new ToolError(
      "cli/pulumi",
      `\`pulumi ${words.join(" ")}\` ended with ${code ?? signal}: ${saidOf(stderr, secretsOf(process.env))}`,
    );
  }
}
