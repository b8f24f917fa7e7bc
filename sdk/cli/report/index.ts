/** `overlay report`: what a preview means for the overlay, for a pull request. */
import { spawnSync } from "node:child_process";
import { type Command, InvalidArgumentError, Option } from "commander";
import { ToolError, toldOf } from "../error";
import { readInput } from "../file";
import { columns, hasColour } from "../options";
import { saidOf, secretsOf } from "../safe";
import { mustBe } from "../stackName";
import { comment, type PullRequest, pullRequest, tokenIn } from "./comment";
import { LIMIT, markdown } from "./markdown";
import { type Preview, preview } from "./preview";
import { keyHere } from "./project";
import { EXIT_CODES, none, type Report, report, stackOf } from "./report";
import { terminal } from "./terminal";

interface Options {
  format: "markdown" | "json" | "terminal";
  stack?: string;
  refresh?: true;
  comment?: true | number;
}

interface Previewed {
  text: string;
  /** Why Pulumi ended as it did, where it was not well. */
  fault?: string;
}

/** What the CLI prints. Throws an Error where it prints no preview. */
function previewed(options: Options, secrets: readonly string[]): Previewed {
  const { stack, refresh } = options;
  const more = [...(refresh ? ["--refresh"] : []), ...(stack === undefined ? [] : ["--stack", stack])];
  const words = ["preview", "--json", "--show-sames", "--non-interactive", ...more];
  const token = options.comment === undefined ? undefined : tokenIn(process.env);
  const { error, status, signal, stdout, stderr } = spawnSync("pulumi", words, {
    encoding: "utf8",
    maxBuffer: 2 ** 30,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "false",
      // A program has no business with what writes comments.
      ...(token && { [token]: undefined }),
    },
  });
  if (error && "code" in error && error.code === "ENOENT") {
    throw new ToolError(
      "cli/pulumi",
      "there is no pulumi on PATH: put it there, or name a file with what `pulumi preview --json` printed",
    );
  }
  if (error) throw new ToolError("cli/pulumi", `\`pulumi ${words.join(" ")}\` cannot be run: ${error.message}`);
  const how = signal ? `was ended by ${signal}` : `ended with ${status}`;
  const fault = `\`pulumi ${words.join(" ")}\` ${how}: ${saidOf(stderr, secrets)}`;
  if (!stdout.trimStart().startsWith("{")) throw new ToolError("cli/pulumi", fault);
  return { text: stdout, ...(status !== 0 && { fault }) };
}

function shown(report: Report, format: Options["format"]): string {
  if (format === "json") return `${JSON.stringify(report, undefined, 2)}\n`;
  if (format === "markdown") return markdown(report);
  return terminal(report, { columns: columns() ?? 80, colour: hasColour() });
}

async function tell(at: PullRequest | undefined, made: Report, options: Options): Promise<void> {
  if (!at) return;
  const here = made.stack === "" ? await keyHere(options.stack) : undefined;
  const stack = here ? `${here.project}/${here.stack}` : made.stack;
  const [project = "", ...rest] = stack.split("/");
  await comment(at, { project, stack: rest.join("/") }, (limit) => markdown({ ...made, stack }, limit), LIMIT);
}

function made(file: string | undefined, options: Options, seen: (preview: Preview) => void): Report {
  const secrets = secretsOf(process.env);
  const { text, fault }: Previewed = file === undefined ? previewed(options, secrets) : { text: readInput(file) };
  const read = preview(text);
  if (options.stack !== undefined) mustBe("preview", options.stack, stackOf(read));
  seen(read);
  const it = report(read, secrets);
  // Most say why among the diagnostics; one that a policy ended does not.
  return fault === undefined || it.outcome === "error" ? it : { ...it, outcome: "error", errors: [{ text: fault }] };
}

async function run(file: string | undefined, options: Options): Promise<void> {
  if (file !== undefined && options.refresh)
    throw new ToolError("cli/option", "--refresh is for a preview that this runs itself: leave out the file");
  const number = options.comment === true ? undefined : options.comment;
  const at = options.comment === undefined ? undefined : pullRequest(process.env, number);
  let [stack, it]: [string, Report | undefined] = ["", undefined];
  try {
    it = made(file, options, (read) => {
      stack = stackOf(read);
    });
  } catch (error) {
    const message = toldOf(error as Error);
    // What the comment said before would be taken for what is now.
    await tell(at, none(stack, message), options).catch((also: Error) => {
      throw new ToolError("cli/github", `${message}\n${toldOf(also)}`);
    });
    throw error;
  }
  process.stdout.write(shown(it, options.format));
  await tell(at, it, options);
  process.exitCode = EXIT_CODES[it.outcome];
}

function numberOf(text: string): number {
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Legal is the number of a pull request.");
}

export const addReport = (program: Command): Command =>
  program
    .command("report")
    .description("says what a preview means for the overlay; exit code 0: same, 2: changes, 3: drift, 1: an error")
    .argument("[file]", "what `pulumi preview --json` printed; - is standard input; default: runs it")
    .addOption(
      new Option("--format <name>", "how it is printed").choices(["markdown", "json", "terminal"]).default("markdown"),
    )
    .option("--stack <name>", "default: the one that is selected, or that of the file")
    .option("--refresh", "reads the hosts first, over SSH, to tell drift")
    .option("--comment [number]", "writes it into one comment of a pull request, with OVERLAY_COMMENT_TOKEN", numberOf)
    .action(run);
