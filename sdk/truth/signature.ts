/**
 * Who says what: ssh-keygen(1), -Y. A key is an argument as a path alone: a private one, or a public one whose private
 * half an agent or a security key has.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { checkedString, type Fault, fault } from "../faults";
import { type Document, payload } from "./document";
import { TruthError } from "./errors";

export const NAMESPACE = "overlay-truth";
/** Files that one process signs. */
const AT_ONCE = 500;
/** Milliseconds: somebody may have to touch a security key. */
const PATIENCE = 60_000;

/** As Pulumi names them; no more, because ssh-keygen takes `*`, `?`, `!` and `,` for patterns. */
export const stackField = checkedString((value) =>
  /^[\w.-]+(\/[\w.-]+)+$/.test(value) && value.length <= 150
    ? undefined
    : { legal: "project/stack, of letters, digits, `.`, `_` and `-`", cure: "correct the name" },
);

const signerField = checkedString((value) =>
  /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp\d+|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com) [A-Za-z0-9+/]+=*( [^\n]*)?$/.test(
    value,
  )
    ? undefined
    : { legal: "one line of a public key's file, such as ssh-ed25519 AAAA…", cure: "give what is in the .pub file" },
);

/** Who may write: the public keys of each stack. */
export const signersField = z.record(stackField, z.array(signerField).min(1));
export type Signers = z.output<typeof signersField>;

/** allowed_signers(5), for those who verify. */
export const allowedSigners = (signers: Signers): string =>
  Object.keys(signers)
    .sort()
    .flatMap((stack) => (signers[stack] ?? []).map((key) => `${stack} namespaces="${NAMESPACE}" ${key}\n`))
    .join("");

/** Of what `allowedSigners` makes; options of a line are left to those who verify. Throws TruthError. */
export function parseSigners(text: string): Signers {
  const all: Record<string, string[]> = {};
  for (const line of text.split("\n").filter((it) => it.trim() !== "" && !it.startsWith("#"))) {
    const [, stack = "", key = ""] =
      /^(\S+) (?:[a-z-]+(?:="[^"]*")?(?:,[a-z-]+(?:="[^"]*")?)* )?((?:ssh|sk|ecdsa)-\S+ \S+.*)$/.exec(line) ?? [];
    all[stack] = [...(all[stack] ?? []), key];
  }
  const result = signersField.safeParse(all);
  if (result.success) return result.data;
  throw new TruthError(
    "truth/signers",
    'The signers are no lines such as: net/prod namespaces="overlay-truth" ssh-ed25519 AAAA…',
  );
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "overlay-truth-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Resolves with what it says on standard error when it fails. In a session of its own it has no terminal to ask on. */
const keygen = (args: string[], cwd: string, input = ""): Promise<string | undefined> =>
  new Promise((resolve, reject) => {
    const child = spawn("ssh-keygen", args, {
      cwd,
      env: { ...process.env, LC_ALL: "C" },
      detached: true,
      timeout: PATIENCE,
      stdio: ["pipe", "ignore", "pipe"],
    });
    let said = "";
    child.stderr.on("data", (data) => {
      said += data;
    });
    child.once("error", () =>
      reject(new TruthError("truth/keygen", "ssh-keygen of OpenSSH 8.2 or later is not there.")),
    );
    child.once("close", (code, signal) =>
      resolve(code === 0 ? undefined : said.trim() || `ended by ${signal ?? code}`),
    );
    child.stdin.on("error", () => undefined); // it ended without reading all
    child.stdin.end(input);
  });

/** Signatures of texts, one for each, in order. Throws TruthError. */
export async function sign(key: string, texts: readonly string[]): Promise<string[]> {
  const signatures: string[] = [];
  for (let from = 0; from < texts.length; from += AT_ONCE) {
    signatures.push(...(await inFolder((folder) => signFiles(key, texts.slice(from, from + AT_ONCE), folder))));
  }
  return signatures;
}

async function signFiles(key: string, texts: readonly string[], folder: string): Promise<string[]> {
  const names = texts.map((_, index) => String(index));
  await Promise.all(texts.map((text, index) => writeFile(join(folder, String(index)), text)));
  const failed = await keygen(["-Y", "sign", "-n", NAMESPACE, "-f", key, ...names], folder);
  if (failed !== undefined) {
    // Its last line says why, and the ones before which file is being signed.
    const why = failed.split("\n").at(-1);
    throw new TruthError(
      "truth/key",
      `Nothing could be signed with ${key}: ${why}. Name a private key without a passphrase, or the .pub file of one that your SSH agent has.`,
    );
  }
  return Promise.all(names.map((name) => readFile(join(folder, `${name}.sig`), "utf8")));
}

/** What is wrong with a signature, in ssh-keygen's words; nothing where it is one of the signer's keys. */
export const verify = (
  signers: string,
  principal: string,
  text: string,
  signature: string,
): Promise<string | undefined> =>
  inFolder(async (folder) => {
    await Promise.all([writeFile(join(folder, "signers"), signers), writeFile(join(folder, "signature"), signature)]);
    const args = ["-Y", "verify", "-f", "signers", "-I", principal, "-n", NAMESPACE, "-s", "signature"];
    return keygen(args, folder, text);
  });

/**
 * Whose signature it says it is, as in a .pub file: the key follows `SSHSIG` and a version, and begins with its type.
 * https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.sshsig
 */
export function signerOf(signature: string): string {
  const blob = Buffer.from(signature.replace(/-----[A-Z ]+-----/g, ""), "base64");
  const string = (from: Buffer): Buffer => from.subarray(4, 4 + (from.length < 4 ? 0 : from.readUInt32BE()));
  const key = string(blob.subarray(10));
  return `${string(key)} ${key.toString("base64")}`;
}

/** What was verified, so that who writes again and again verifies it once: by stack, the last. */
const verified = new Map<string, string>();

/** The faults of a document's signatures: who is no writer, who signed nothing, whose signature is forged. */
export async function signatureFaults(
  document: Document,
  signers: Signers,
  stacks = Object.keys(document.stacks),
): Promise<Fault[]> {
  const allowed = allowedSigners(signers);
  const faults = stacks.map(async (stack): Promise<Fault[]> => {
    const part = document.stacks[stack];
    if (!part) return [];
    const path = ["stacks", stack, "signature"];
    if (!(stack in signers)) {
      const legal = `a part of ${Object.keys(signers).sort().join(", ") || "nobody"}, and no key of ${stack} is known here`;
      const cure = `add its key to \`signers\`, on the hosts first; where this is another network of the same name, call yours otherwise`;
      return [fault(["stacks", stack], undefined, { code: "truth/stranger", legal, cure })];
    }
    if (part.signature === "") {
      const cure = `have ${stack} write its part again, and look who else may write to the store`;
      const legal = `a signature of ${stack}, and there is none`;
      return [fault(path, undefined, { code: "truth/forged", legal, cure })];
    }
    const text = payload(document, stack, part);
    const hash = createHash("sha256")
      .update(JSON.stringify([allowed, text, part.signature]))
      .digest("hex");
    if (verified.get(stack) === hash) return [];
    const why = await verify(allowed, stack, text, part.signature);
    if (why === undefined) {
      verified.set(stack, hash);
      return [];
    }
    const legal = `a signature of ${stack} of what its part says, and this one is forged or the part was changed (${why})`;
    const cure = `look who else may write to the store; \`overlay truth log\` shows what changed, and the next write of ${stack} mends it`;
    return [fault(path, undefined, { code: "truth/forged", legal, cure })];
  });
  return (await Promise.all(faults)).flat();
}
