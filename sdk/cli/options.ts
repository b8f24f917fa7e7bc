/** What several commands have in common: options, how wide their terminal is, and whether it has colours. */
import { type Command, InvalidArgumentError } from "commander";

/** Hosts that are logged into at once, where nobody says. */
const PARALLEL = 32;

export const addSource = (command: Command): Command =>
  command
    .option("--state <file>", "what `pulumi stack export` printed, in place of asking Pulumi; - is standard input")
    .option("--stack <name>", "the stack, if not the one that is selected");

export interface Logins {
  ssh?: string;
  parallel: number;
}

/** `when`: with what alone there are logins, `with --live, `. */
export const addLogins = (command: Command, when = ""): Command =>
  command
    .option("--ssh <command>", `${when}the command to use as ssh, if not the one that the stack's provider has`)
    .option("--parallel <number>", `${when}hosts that are logged into at once`, between(1, 1000, true), PARALLEL);

export function between(least: number, most: number, whole = false) {
  return (text: string): number => {
    const number = Number(text);
    if (number >= least && number <= most && !(whole && number % 1 > 0)) return number;
    throw new InvalidArgumentError(`Legal is a ${whole ? "whole " : ""}number from ${least} to ${most}.`);
  };
}

/** Characters in which a word has room. A terminal that nobody has told its size says 0. */
const LEAST_COLUMNS = 20;

/** Of a terminal; of what is none, or does not know, as COLUMNS says. Undefined: nobody does. */
export const columns = (): number | undefined =>
  [process.stdout.columns, Number(process.env.COLUMNS)].find(
    (it) => Number.isInteger(it) && Number(it) >= LEAST_COLUMNS,
  );

/** https://no-color.org; what is no terminal has none. */
export const hasColour = (
  stdout: { isTTY?: boolean } = process.stdout,
  { NO_COLOR, TERM }: Record<string, string | undefined> = process.env,
): boolean => stdout.isTTY === true && !NO_COLOR && TERM !== "dumb";
