/** `overlay status`: how the hosts of a stack are, and each side of their links, looked at now. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Command, InvalidArgumentError, Option } from "commander";
import { ToolError } from "../error";
import { exported, type Source, type StackResource, stackNetwork, stackResources } from "../stack";
import { inParallel, type Look, Looked, type Wanted, wanted } from "./look";
import { prometheus } from "./prometheus";
import { type Status, statusOf } from "./rows";
import { table } from "./table";

interface Options extends Source {
  host?: string[];
  watch?: true | number;
  format: string;
  json?: true;
  parallel: number;
  ssh?: string;
  color: boolean;
}

const { stdout } = process;

/** https://no-color.org; a terminal that is not one has none. */
const hasColours = ({ color }: Options): boolean =>
  color && stdout.isTTY && !process.env.NO_COLOR && process.env.TERM !== "dumb";

const FORMATS: Record<string, (status: Status, options: Options) => string> = {
  table: (status, options) => table(status, { columns: columns(), colours: hasColours(options) }),
  json: (status, { watch }) => `${JSON.stringify(status, undefined, watch ? 0 : 2)}\n`,
  prometheus: (status) => prometheus(status),
};

/** Of a terminal; of what is none, as COLUMNS says. */
function columns(): number | undefined {
  return stdout.columns ?? (Number(process.env.COLUMNS) || undefined);
}

/** Those that are asked for, and all where nobody is. */
function chosen(all: readonly Wanted[], names: readonly string[] | undefined): Wanted[] {
  if (!names) return [...all];
  const unknown = names.filter((name) => !all.some(({ node }) => node.name === name));
  if (unknown.length === 0) return all.filter(({ node }) => names.includes(node.name));
  throw new ToolError(
    "cli/host",
    `the stack has no host ${unknown.join(", ")}, only ${all.map(({ node }) => node.name).join(", ")}`,
  );
}

/** Of hosts, once each. */
async function look(hosts: readonly Wanted[], ssh: string | undefined, parallel: number): Promise<Map<string, Look>> {
  const looks = new Map<string, Look>();
  await inParallel(hosts, parallel, async (host) => {
    const looked = new Looked(host, ssh);
    looks.set(host.node.name, await looked.look());
    await looked.close();
  });
  return looks;
}

const PARALLEL = 32;

/** All hosts of a stack, looked at once. Throws an Error where its state is another version's. */
export async function lookedAt(resources: readonly StackResource[], { ssh }: { ssh?: string }): Promise<Status> {
  const network = stackNetwork(resources);
  const hosts = wanted(resources, network);
  return statusOf(network.stack, hosts, await look(hosts, ssh, PARALLEL));
}

async function status(options: Options): Promise<void> {
  const resources = stackResources(exported(options));
  const network = stackNetwork(resources);
  const hosts = chosen(wanted(resources, network), options.host);
  const print = (looks: ReadonlyMap<string, Look>): string =>
    FORMATS[options.json ? "json" : options.format]?.(statusOf(network.stack, hosts, looks), options) ?? "";
  if (options.watch !== undefined) return watch(hosts, print, options);
  stdout.write(print(await look(hosts, options.ssh, options.parallel)));
}

/** Each host as often as it answers, and all that is known every few seconds, until somebody ends it. */
async function watch(
  hosts: Wanted[],
  print: (looks: ReadonlyMap<string, Look>) => string,
  options: Options,
): Promise<void> {
  const looks = new Map<string, Look>();
  const pause = (options.watch === true ? 2 : (options.watch ?? 2)) * 1000;
  const ended = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => ended.abort());
  stdout.on("error", () => ended.abort());
  const wait = () => sleep(pause, undefined, { signal: ended.signal }).catch(() => undefined);
  const following = hosts.map((host) => ({ host, looked: new Looked(host, options.ssh) }));
  const first = inParallel(following, options.parallel, async ({ host, looked }) => {
    looks.set(host.node.name, await looked.look());
  });
  await Promise.race([first, wait()]);
  const rounds = following.map(async ({ host, looked }) => {
    await first;
    for (await wait(); !ended.signal.aborted; await wait()) looks.set(host.node.name, await looked.look());
  });
  for (; !ended.signal.aborted; await wait()) show(print(looks));
  await Promise.all(following.map(({ looked }) => looked.close()));
  await Promise.all(rounds);
}

/** In place of what is there, on a terminal. */
function show(text: string): void {
  if (!stdout.isTTY) {
    stdout.write(text);
    return;
  }
  const lines = text.trimEnd().split("\n");
  const room = (stdout.rows ?? lines.length + 1) - 1;
  const more =
    lines.length > room ? [`… and ${lines.length - room + 1} more lines: a larger terminal, or --host NAME`] : [];
  stdout.write(`\x1b[H\x1b[J${[...lines.slice(0, more.length > 0 ? room - 1 : room), ...more].join("\n")}\n`);
}

function between(least: number, most: number, whole = false) {
  return (text: string): number => {
    const number = Number(text);
    if (number >= least && number <= most && !(whole && number % 1 > 0)) return number;
    throw new InvalidArgumentError(`Legal is a ${whole ? "whole " : ""}number from ${least} to ${most}.`);
  };
}

export const addStatus = (program: Command): Command =>
  program
    .command("status")
    .description("looks at all hosts of a stack, and tells how each side of their links is")
    .option("--host <name...>", "these alone")
    .option("--watch [seconds]", "goes on looking, every so many seconds. Default: 2", between(0.5, 3600))
    .addOption(new Option("--format <name>", "what to print").choices(Object.keys(FORMATS)).default("table"))
    .option("--json", "the same as --format json")
    .option("--state <file>", "what `pulumi stack export` printed, in place of asking Pulumi; - is standard input")
    .option("--stack <name>", "the stack, if not the one that is selected")
    .option("--ssh <command>", "the command to use as ssh, if not the one that the stack's provider has")
    .option("--parallel <number>", "hosts that are logged into at once", between(1, 1000, true), PARALLEL)
    .option("--no-color", "no colours; there are none where NO_COLOR is set, either")
    .action(status);
