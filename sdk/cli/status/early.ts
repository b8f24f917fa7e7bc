/**
 * Logins that begin before Pulumi has said what there is, for its answer takes from a fifth of a second to several: to the
 * hosts of the last answer, as a file in the cache has them. That is a guess, and the answer decides what becomes of it.
 */
import { createHash, randomUUID } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { parse } from "../../faults";
import { Connection } from "../../host/connection";
import { Hosts } from "../../host/hosts"; // and not all of host: what is loaded later holds up no login
import type { Options } from ".";

const reach = z.strictObject({
  name: z.string(),
  /** The command to use as ssh, as its provider was told. */
  ssh: z.string().optional(),
  connection: Connection,
});
/** How a node's host is reached. */
export type Reach = z.output<typeof reach>;

/** A host that is being logged into. */
export interface Login {
  reach: Reach;
  hosts: Hosts;
}

/** What has begun before the answer, and where its hosts are kept for the next time. */
export interface Early {
  logins: readonly Login[];
  file?: string;
}

/** Of a state in a file, and where it is looked again and again, nothing is guessed or kept. */
export async function beginEarly({ state, stack, watch, host, ssh, parallel }: Options): Promise<Early> {
  const file = state === undefined && watch === undefined ? fileOf(stack) : undefined;
  if (file === undefined) return { logins: [] };
  const asked = recall(file).filter(({ name }) => host?.includes(name) ?? true);
  return { logins: await begin(asked.slice(0, parallel), ssh), file };
}

/** Begins to log in. `ssh`: the command in place of theirs. */
export async function begin(all: readonly Reach[], ssh?: string): Promise<Login[]> {
  const logins = all.map((reach) => {
    const hosts = hostsOf(reach, ssh);
    hosts.session(reach.connection).begin();
    return { reach, hosts };
  });
  await setImmediate(); // by then they have
  return logins;
}

export const hostsOf = ({ ssh: its = "ssh" }: Pick<Reach, "ssh">, ssh = its): Hosts =>
  new Hosts({ ssh: ssh.trim().split(/\s+/) });

/** The logins to hosts that are reached in just the way that the answer has. All others end now: nothing is asked over them. */
export function adopted(logins: readonly Login[], answer: readonly Reach[]): Login[] {
  const goOn = logins.filter((it) => answer.some((reach) => isDeepStrictEqual(reach, it.reach)));
  end(logins.filter((it) => !goOn.includes(it)));
  return goOn;
}

export function end(logins: readonly Login[]): void {
  for (const { hosts } of logins) hosts.kill();
}

/**
 * The file for a stack, as far as it is known beforehand which one Pulumi will be asked for: a name that the project, the
 * backend and the selected stack come to. Undefined where there is no cache.
 */
export function fileOf(stack: string | undefined, environment = process.env): string | undefined {
  const { XDG_CACHE_HOME, HOME = "", PWD, PULUMI_HOME, PULUMI_BACKEND_URL, PULUMI_STACK } = environment;
  const cache = XDG_CACHE_HOME || (HOME && join(HOME, ".cache"));
  if (!cache) return undefined;
  const project = projectIn(workingFolder(PWD));
  const selected = stack ?? (PULUMI_STACK || selectedIn(PULUMI_HOME || join(HOME, ".pulumi"), project));
  const key = JSON.stringify([project, selected, PULUMI_BACKEND_URL, PULUMI_HOME]);
  return join(cache, "pulumi-overlay/hosts", `${createHash("sha256").update(key).digest("hex")}.json`);
}

/** As Go's os.Getwd has it, and so Pulumi: by way of the links by which somebody came there. */
const workingFolder = (told = ""): string =>
  isAbsolute(told) && existsSync(told) && realpathSync(told) === process.cwd() ? told : process.cwd();

/** The project's file, there or above; the folder itself where there is none. */
function projectIn(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    const found = ["Pulumi.yaml", "Pulumi.yml", "Pulumi.json"].map((name) => join(at, name)).find(existsSync);
    if (found !== undefined) return found;
    if (dirname(at) === at) return folder;
  }
}

/** What `pulumi stack select` keeps, by backend: PROJECT-SHA1-workspace.json, of sdk/go/common/workspace in pulumi/pulumi. */
function selectedIn(home: string, project: string): string | undefined {
  const end = `-${createHash("sha1").update(project).digest("hex")}-workspace.json`;
  const folder = join(home, "workspaces");
  try {
    const name = readdirSync(folder).find((it) => it.endsWith(end));
    return name && readFileSync(join(folder, name), "utf8");
  } catch {
    return undefined;
  }
}

/** Counts up with what `content` means: a file of another version is none. */
const VERSION = 1;
const content = z.strictObject({ version: z.literal(VERSION), hosts: z.array(reach) });

/** Those that a file has; none where it is not there, is somebody else's or others may touch it, or is another version's. */
export function recall(file: string): Reach[] {
  try {
    const about = lstatSync(file);
    // It names commands to run.
    if (!about.isFile() || (about.mode & 0o077) !== 0 || about.uid !== process.getuid?.()) return [];
    const read = parse(content, JSON.parse(readFileSync(file, "utf8")));
    return "value" in read ? read.value.hosts : [];
  } catch {
    return [];
  }
}

/** In place of what the file has. Where there is no room for it, nothing is kept. */
export function keep(file: string, hosts: readonly Reach[]): void {
  const temporary = `${file}.${randomUUID()}`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(temporary, JSON.stringify({ version: VERSION, hosts }), { mode: 0o600, flag: "wx" });
    renameSync(temporary, file);
  } catch {
    forget(temporary);
  }
}

function forget(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // a folder that is none, or that is not ours
  }
}
