/** What `overlay status` does: a look at each host, once or again and again, and what they come to on standard output. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Hosts } from "../../host";
import { ToolError } from "../error";
import { columns, hasColour, type Logins } from "../options";
import { type StackNetwork, type StackResource, stackNetwork, stackResources } from "../stack";
import type { Options } from ".";
import { type Early, end, keep, type Login } from "./early";
import { begun, inParallel, kept, type Look, Looked, type LookOptions, limited, type Wanted, wanted } from "./look";
import { prometheus } from "./prometheus";
import { type Status, statusOf } from "./rows";
import { table } from "./table";

export type Format = "table" | "json" | "prometheus";

const { stdout } = process;

/** A terminal that moves its cursor when it is told so. */
const isScreen = (): boolean => stdout.isTTY && process.env.TERM !== "dumb";

/** Of a screen that is written over; not of one whose size is not known, or in which nothing has room. */
const rows = ({ watch }: Options): number | undefined =>
  watch !== undefined && isScreen() && stdout.rows > 5 ? stdout.rows : undefined;

const FORMATS: Record<Format, (status: Status, options: Options) => string> = {
  table: (status, options) =>
    table(status, { columns: columns(), rows: rows(options), colours: options.color && hasColour() }),
  json: (status, { watch }) => `${JSON.stringify(status, undefined, watch ? 0 : 2)}\n`,
  prometheus: (status) => prometheus(status),
};

/** Those that are asked for, and all where nobody is. */
function chosen(all: readonly Wanted[], names: readonly string[] | undefined): readonly Wanted[] {
  if (!names) return all;
  const unknown = names.filter((name) => !all.some(({ node }) => node.name === name));
  if (unknown.length === 0) return all.filter(({ node }) => names.includes(node.name));
  throw new ToolError(
    "cli/host",
    `the stack has no host ${unknown.join(", ")}, only ${all.map(({ node }) => node.name).join(", ")}`,
  );
}

/** As many as go at once. `names`: of these alone. `early`: what has begun already. */
function begin(
  { nodes }: StackNetwork,
  { ssh, parallel }: Logins,
  names?: readonly string[],
  early: readonly Login[] = [],
): Promise<Map<string, Hosts>> {
  const asked = nodes.filter(({ name, foreign }) => !foreign && (names?.includes(name) ?? true));
  return begun(asked.slice(0, parallel), ssh, early);
}

/** Of hosts, once each. `logins`: by node, where they have begun. */
async function look(
  hosts: readonly Wanted[],
  { ssh, parallel }: Logins,
  options: LookOptions,
  logins: ReadonlyMap<string, Hosts>,
): Promise<Map<string, Look>> {
  const looks = new Map<string, Look>();
  await inParallel(hosts, parallel, async (host) => {
    const looked = new Looked(host, ssh, [], logins.get(host.node.name));
    looks.set(host.node.name, await looked.look(options));
    void looked.close(); // a signal to each would hold up the others, whose answers come in the same moment
  });
  return looks;
}

/** All hosts of a stack, looked at once. Throws an Error where its state is another version's. */
export async function lookedAt(resources: readonly StackResource[], logins: Logins): Promise<Status> {
  const network = stackNetwork(resources);
  const begun = await begin(network, logins);
  const hosts = wanted(resources, network);
  return statusOf(network.stack, hosts, await look(hosts, logins, {}, begun));
}

/** `text`: what `pulumi stack export` prints. */
export async function run(text: Promise<string>, options: Options, early: Early): Promise<void> {
  try {
    await tell(await text, options, early);
  } catch (error) {
    end(early.logins);
    throw error;
  }
}

async function tell(text: string, options: Options, early: Early): Promise<void> {
  const resources = stackResources(text, options);
  const network = stackNetwork(resources);
  const logins = options.watch === undefined ? await begin(network, options, options.host, early.logins) : new Map();
  const all = wanted(resources, network);
  const hosts = chosen(all, options.host);
  const print = (looks: ReadonlyMap<string, Look>, now?: number): string =>
    FORMATS[options.format](statusOf(network.stack, all, looks, { hosts, ...(now !== undefined && { now }) }), options);
  if (options.watch !== undefined) return watch(hosts, print, options);
  stdout.write(print(await look(hosts, options, lookOptions(options), logins)));
  if (early.file !== undefined) keep(early.file, kept(network.nodes)); // once nobody waits for it
}

const lookOptions = ({ measure }: Options): LookOptions => (measure ? { measured: true } : {});

/** Each host as often as it answers, and all that is known every few seconds, until somebody ends it. */
async function watch(
  hosts: readonly Wanted[],
  print: (looks: ReadonlyMap<string, Look>, now: number) => string,
  options: Options,
): Promise<void> {
  const looks = new Map<string, Look>();
  const pause = (options.watch === true ? 2 : (options.watch ?? 2)) * 1000;
  const { signal, end } = ending();
  const wait = () => sleep(pause, undefined, { signal }).catch(() => undefined);
  const turn = limited(options.parallel);
  const following = hosts.map((host) => new Looked(host, options.ssh));
  const first: Promise<void>[] = [];
  const rounds = following.map(async (looked, index) => {
    const look = async (): Promise<void> => {
      if (!signal.aborted)
        looks.set(hosts[index]?.node.name ?? "", await looked.look({ ...lookOptions(options), signal }));
    };
    first.push(turn(look));
    await first[index];
    // One that does not answer holds up nobody else.
    for (await wait(); !signal.aborted; await wait()) await turn(look);
  });
  try {
    await Promise.race([Promise.all(first), wait()]);
    for (; !signal.aborted; await wait()) show(print(looks, Date.now()));
  } finally {
    end();
    for (const looked of following) looked.kill();
  }
  await Promise.all(rounds);
}

/** What ends a command that goes on by itself: a key, or that nobody reads it any more. */
function ending(): { signal: AbortSignal; end(): void } {
  const ended = new AbortController();
  const end = () => ended.abort();
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, end);
  stdout.on("error", end);
  return { signal: ended.signal, end };
}

/** In place of what is there, on a screen. */
const show = (text: string): void => void stdout.write(isScreen() ? `\x1b[H\x1b[J${text}` : text);
