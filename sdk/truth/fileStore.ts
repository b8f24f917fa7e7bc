/** A folder on this machine. What is written is whole and on the disk, or not there at all. */
import { createHash, randomUUID } from "node:crypto";
import { link, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { TruthError } from "./errors";
import type { Store, Stored } from "./store";
import { waiting } from "./waiting";

const tagOf = (text: string): string => createHash("sha256").update(text).digest("hex");

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** Milliseconds to wait for others, who write for a few. */
const PATIENCE = 10_000;

/** `file:///FOLDER`, or as Pulumi has it, `file://./FOLDER` and `file://~/FOLDER`. */
function folderOf(address: string): string {
  const path = address.slice("file://".length);
  if (path.startsWith("/")) return fileURLToPath(address);
  return path.startsWith("~/") ? join(process.env.HOME ?? "", path.slice(2)) : resolve(path);
}

export class FileStore implements Store {
  readonly #folder: string;

  constructor(
    readonly address: string,
    readonly patience = PATIENCE,
  ) {
    this.#folder = folderOf(address);
  }

  async get(key: string): Promise<Stored | undefined> {
    try {
      const text = await readFile(this.#path(key), "utf8");
      return { text, etag: tagOf(text) };
    } catch (error) {
      if (["ENOENT", "ENOTDIR", "EISDIR"].includes(codeOf(error) ?? "")) return undefined;
      throw refused(error, "read", this.#path(key));
    }
  }

  putIfMatch = (key: string, text: string, etag: string) => this.#swap(key, text, etag);
  putIfNone = (key: string, text: string) => this.#swap(key, text, undefined);

  #path = (key: string): string => join(this.#folder, key);

  async #swap(key: string, text: string, expected: string | undefined): Promise<string | undefined> {
    const path = this.#path(key);
    try {
      await mkdir(dirname(path), { recursive: true });
      return await locked(`${path}.lock`, this.patience, async () => {
        if ((await this.get(key))?.etag !== expected) return undefined;
        await replace(path, text);
        return tagOf(text);
      });
    } catch (error) {
      throw error instanceof TruthError ? error : refused(error, "written", path);
    }
  }
}

const refused = (error: unknown, what: string, path: string): TruthError =>
  new TruthError(
    ["EACCES", "EPERM", "EROFS"].includes(codeOf(error) ?? "") ? "truth/denied" : "truth/unreachable",
    `${path} cannot be ${what}: ${(error as Error).message}.`,
  );

/** Writes a file beside its place, whole, and puts it there. */
async function beside(path: string, text: string, place: (fresh: string) => Promise<void>): Promise<void> {
  const fresh = `${path}.${randomUUID()}`;
  try {
    await written(fresh, text);
    await place(fresh);
  } finally {
    await rm(fresh, { force: true });
  }
}

/** A reader sees the old file or the new one; after a loss of power, too. */
async function replace(path: string, text: string): Promise<void> {
  await beside(path, text, (fresh) => rename(fresh, path));
  const folder = await open(dirname(path));
  await folder.sync().finally(() => folder.close());
}

async function written(path: string, text: string): Promise<void> {
  const file = await open(path, "wx", 0o644);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A new file that is there with all that is in it, or not at all: one without a word would be nobody's for ever. */
const made = (path: string, text: string): Promise<void> => beside(path, text, (fresh) => link(fresh, path));

/** Runs it while nobody else holds the lock: a file that says who does. */
async function locked<T>(path: string, patience: number, work: () => Promise<T>): Promise<T> {
  const own = JSON.stringify({ host: hostname(), pid: process.pid, run: randomUUID() });
  for (const wait of waiting({ first: 2, most: 50, until: Date.now() + patience })) {
    try {
      await made(path, own);
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
      await abandoned(path, own);
      await wait();
      continue;
    }
    try {
      return await work();
    } finally {
      await rm(path, { force: true });
    }
  }
  const holder = await readFile(path, "utf8").catch(() => "nobody any more");
  throw new TruthError(
    "truth/conflict",
    `${path} is held by another run for more than ${patience / 1000} s: ${holder}. If that has ended, remove the file.`,
  );
}

/**
 * Removes the lock of a process of this machine that is no more. One at a time looks, or the next one's lock would go; who
 * looks may be killed in turn, and then that one's lock is such a lock.
 */
async function abandoned(path: string, own: string): Promise<void> {
  if (!(await ownerIsGone(path))) return;
  const looking = `${path}.break`;
  try {
    await made(looking, own);
  } catch (error) {
    if (codeOf(error) === "EEXIST") await abandoned(looking, own);
    return;
  }
  try {
    if (await ownerIsGone(path)) await rm(path, { force: true });
  } finally {
    await rm(looking, { force: true });
  }
}

async function ownerIsGone(path: string): Promise<boolean> {
  try {
    const { host, pid } = JSON.parse(await readFile(path, "utf8")) as { host: unknown; pid: unknown };
    if (host !== hostname() || typeof pid !== "number") return false;
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return codeOf(error) === "ESRCH";
  }
}
