/**
 * What hosts are given and no state has, because it is large: a program, and the public keys of others. It travels through this
 * process, is known by its hash, and is refused before anything is changed where it is another.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { HostError, type RunOptions } from "../host";
import type { Blob, Command } from "../kernel";
import type { Machine } from "./machine";
import { Refused } from "./outcome";

const packed = promisify(gzip);

/** As the host takes it (sdk/host/agents/rosenpass/keys.sh): a program packed, and a key, which is random, as it is. */
async function written(bytes: Buffer): Promise<string> {
  const less = await packed(bytes, { level: 9 });
  return less.length < bytes.length ? `gz:${less.toString("base64")}` : bytes.toString("base64");
}

/** Seconds for an address of the web to answer in full, how often it may lead to another, and the most bytes that it may have. */
const [PATIENCE, REDIRECTS, LARGEST] = [60, 5, 64 * 2 ** 20];

/** Those of one run: each is read once. */
export class Blobs {
  readonly #read = new Map<string, Promise<string>>();

  /** Commands with the bytes that they are about. `other`: the host at the other end. Throws Refused, HostError. */
  async filled(
    commands: readonly Command[],
    blobs: readonly Blob[],
    other: Machine | undefined,
    options: RunOptions,
  ): Promise<Command[]> {
    return Promise.all(
      commands.map(async (command) => {
        const [, sha256] = /^decode \d+ \S+ (\S+)$/.exec(command) ?? [];
        const blob = blobs.find((it) => it.sha256 === sha256);
        if (!blob) return command;
        return `${command} ${await this.text(blob, other, options)}`;
      }),
    );
  }

  /** Throws Refused, HostError. */
  text(blob: Blob, other: Machine | undefined, options: RunOptions): Promise<string> {
    const known = this.#read.get(blob.sha256);
    if (known) return known;
    const text = read(blob, other, options)
      .then((bytes) => verified(blob, bytes, other))
      .then(written);
    this.#read.set(blob.sha256, text);
    text.catch(() => this.#read.delete(blob.sha256)); // the next who asks may have another way to it
    return text;
  }
}

async function read({ from, what }: Blob, other: Machine | undefined, options: RunOptions): Promise<Buffer> {
  if (from === "other") {
    if (!other)
      throw new Refused("provider/unreadable", `${what} cannot be asked for: nothing says how its host is reached.`);
    return other.publicKey(options);
  }
  const place = "path" in from ? from.path : from.url;
  try {
    return await ("path" in from ? readFile(from.path) : download(from.url, options));
  } catch (error) {
    if (error instanceof HostError) throw error;
    throw new Refused("provider/unreadable", `${what} cannot be read from ${place}: ${(error as Error).message}.`);
  }
}

async function download(url: string, { signal }: RunOptions): Promise<Buffer> {
  const limit = AbortSignal.timeout(PATIENCE * 1000);
  const { ok, status, statusText, body } = await ask(url, signal ? AbortSignal.any([limit, signal]) : limit);
  if (!ok) throw new Error(`the answer is ${status} ${statusText}`);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > LARGEST) throw new Error(`it has more than ${LARGEST} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Follows where it leads, but not out of TLS. */
async function ask(url: string, signal: AbortSignal, onward = REDIRECTS): Promise<Response> {
  const response = await fetch(url, { signal, redirect: "manual" });
  const location = response.headers.get("location");
  if (!(response.status >= 300 && response.status < 400) || location === null) return response;
  await response.body?.cancel();
  const { href, origin, protocol } = new URL(location, url);
  if (onward === 0) throw new Error(`it leads on more than ${REDIRECTS} times`);
  if (protocol !== "https:" && !(protocol === "http:" && url.startsWith("http:"))) {
    throw new Error(`it leads to ${origin}, out of TLS`); // what comes after may be a secret
  }
  return ask(href, signal, onward - 1);
}

function verified({ sha256, size, from, what }: Blob, bytes: Buffer, other: Machine | undefined): Buffer {
  const place = from === "other" ? (other?.name ?? "") : "path" in from ? from.path : from.url;
  if (size !== undefined && bytes.length !== size) {
    throw new Refused(
      "provider/wrongFile",
      `${what} from ${place} has ${bytes.length} bytes, legal are ${size}: a key of rosenpass 0.2, in no other form.`,
    );
  }
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found === sha256) return bytes;
  const cure =
    from === "other"
      ? "the host has another key by now, as after a restore of a backup: `pulumi refresh` sees that, and the next `pulumi up` tells the others"
      : "correct the hash where that is the right one, or get the right file";
  throw new Refused(
    "provider/wrongFile",
    `${what} from ${place} has the SHA-256 ${found}, and ${sha256} was declared: ${cure}.`,
  );
}
