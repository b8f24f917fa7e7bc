/** Reading a document with all its checks, and writing one stack's part of it: by compare and swap, and nothing else. */
import { randomBytes } from "node:crypto";
import { agreed } from "./chooser";
import { type Document, MAX_BYTES, parseDocument, payload, print } from "./document";
import { TruthError } from "./errors";
import { crossFaults, joiningFaults } from "./faults";
import { documentKey, logKey } from "./keys";
import type { Declared, Part } from "./schema";
import { type Signers, sign, signatureFaults } from "./signature";
import type { Store } from "./store";
import { waiting } from "./waiting";

/** A network's document, and whose signatures it is to have. */
export interface Truth {
  store: Store;
  network: string;
  signers: Signers;
}

/** What a stack remembers of a document, so that it knows an older one. */
export interface Known {
  identity: string;
  serial: number;
  /** Of each stack's part. */
  serials: Record<string, number>;
}

export const knownOf = ({ identity, serial, stacks }: Document): Known => ({
  identity,
  serial,
  serials: Object.fromEntries(Object.entries(stacks).map(([stack, part]) => [stack, part.serial])),
});

type Unverified = Pick<Truth, "store" | "network">;
/** Without signers nobody's signature is looked at. */
type MayBeVerified = Unverified & { signers: Signers | undefined };

export interface Seen {
  document: Document;
  etag: string;
}

const where = ({ store, network }: Unverified): string => `network ${network} in ${store.address}`;

/** The document as it is, whoever signed it. Throws TruthError, with all faults. */
export async function readUnverified(truth: Unverified): Promise<Seen | undefined> {
  const { store, network } = truth;
  const stored = await store.get(documentKey(network));
  if (!stored) return undefined;
  const parsed = parseDocument(stored.text);
  if ("faults" in parsed) throw TruthError.because(`The document of ${where(truth)}: `, parsed.faults);
  const { value: document } = parsed;
  if (document.network !== network) {
    throw new TruthError(
      "truth/otherNetwork",
      `The document of ${where(truth)} is that of network ${document.network}. Put it where it belongs.`,
    );
  }
  return { document, etag: stored.etag };
}

/**
 * The document, whose parts are signed by their stacks, and that is not older than what is known. `mending`: the stack
 * whose part is written anew, whoever signed it. Throws TruthError.
 */
export async function read(truth: MayBeVerified, known?: Known, mending?: string): Promise<Seen | undefined> {
  const seen = await readUnverified(truth);
  if (seen) await refuseForged(truth, seen.document, mending);
  return newer(truth, seen, known);
}

async function refuseForged(truth: MayBeVerified, document: Document, mending?: string): Promise<void> {
  if (truth.signers === undefined) return;
  const stacks = Object.keys(document.stacks).filter((stack) => stack !== mending);
  const faults = await signatureFaults(document, truth.signers, stacks);
  if (faults.length > 0) throw TruthError.because(`The document of ${where(truth)}: `, faults);
}

function newer(truth: Unverified, seen: Seen | undefined, known: Known | undefined): Seen | undefined {
  if (seen && known) refuseOlder(truth, seen.document, known);
  return seen;
}

/** Each for itself would be as a stack wrote it; somebody has put back what is no longer so. */
function refuseOlder(truth: Unverified, { identity, serial, stacks }: Document, known: Known): void {
  if (identity !== known.identity) {
    throw new TruthError(
      "truth/otherNetwork",
      `There are two networks of one name: the document of ${where(truth)} is ${identity}, and this stack is in ${known.identity}. Correct \`store\` or \`network\`, or write the right document back by \`overlay truth put\`.`,
    );
  }
  const older = [
    ...(serial < known.serial ? [`serial ${serial}, and ${known.serial} was seen before`] : []),
    ...Object.entries(stacks).flatMap(([stack, part]) => {
      const before = known.serials[stack] ?? 0;
      return part.serial < before ? [`${stack}'s part has serial ${part.serial}, and ${before} was seen before`] : [];
    }),
  ];
  if (older.length === 0) return;
  throw new TruthError(
    "truth/replayed",
    `The document of ${where(truth)} is an older one: ${older.join("; ")}. \`overlay truth log\` has the newer ones; \`overlay truth put\` writes one back, and it becomes the newest.`,
  );
}

export interface Writer {
  /** Who writes: project/stack. */
  stack: string;
  /** Path of a key that ssh-keygen signs with. */
  key: string;
  /** Whether it signs what is there already, too, as with another key. */
  again?: boolean;
  known?: Known | undefined;
  signal?: AbortSignal | undefined;
}

/** Attempts and milliseconds until it is said that others write all the time. */
const LIMITS = { attempts: 60, patience: 60_000 };

export interface Written {
  document: Document;
  /** What was there before, if anything was. */
  before: Document | undefined;
  /** Why hosts are not to be told of it: somebody forged a part of it while it was written. */
  forged?: TruthError;
}

const without = ({ stacks }: Document, stack: string): Map<string, Part> =>
  new Map(Object.entries(stacks).filter(([owner]) => owner !== stack));

const fresh = (network: string): Document => ({
  version: 1,
  network,
  identity: randomBytes(16).toString("hex"),
  serial: 0,
  stacks: {},
});

/**
 * One attempt after the other until one is in. `change`: the document as it is to be, or nothing to do. What others have
 * signed is verified before the first and after the last, so that as little time as can be lies between seeing and writing.
 */
async function swap(
  truth: MayBeVerified,
  { stack, known, signal }: Pick<Writer, "stack" | "known" | "signal">,
  change: (document: Document) => Promise<Document | undefined>,
  limits = LIMITS,
): Promise<Written> {
  const { store, network } = truth;
  const { attempts, patience } = limits;
  let first: Promise<Seen | undefined> | undefined = read(truth, known, stack);
  for (const wait of waiting({ first: 20, most: 1_000, attempts, until: Date.now() + patience, signal })) {
    const seen = await (first ?? readUnverified(truth).then((it) => newer(truth, it, known)));
    first = undefined;
    if (!seen && known) throw gone(truth, known);
    const before = seen?.document;
    const document = await change(before ?? fresh(network));
    if (!document) return { document: before ?? fresh(network), before };
    const text = print(document);
    const bytes = Buffer.byteLength(text);
    if (bytes > MAX_BYTES) {
      throw new TruthError(
        "truth/tooLarge",
        `The document of ${where(truth)} would have ${bytes} bytes, and may have ${MAX_BYTES}.`,
      );
    }
    const key = documentKey(network);
    const etag = seen ? await store.putIfMatch(key, text, seen.etag) : await store.putIfNone(key, text);
    if (etag !== undefined) {
      await keep(store, before, document);
      const forged = await refuseForged(truth, document, stack).catch(asTruthError);
      return { document, before, ...(forged && { forged }) };
    }
    await wait();
  }
  throw new TruthError(
    "truth/conflict",
    `The document of ${where(truth)} was written by others in each of ${attempts} attempts, or ${patience / 1000} s. Run again; where nobody else writes, the store does not do what If-Match asks for.`,
  );
}

/** For who wants to look back. It is too late to fail: what cannot be kept now is by who writes next. */
export async function keep(store: Store, ...documents: (Document | undefined)[]): Promise<void> {
  const kept = documents.map(async (it) => {
    if (it) await store.putIfNone(logKey(it.network, it.serial), print(it)).catch(asTruthError);
  });
  await Promise.all(kept);
}

function asTruthError(error: unknown): TruthError {
  if (error instanceof TruthError) return error;
  throw error;
}

const gone = (truth: Unverified, { serial }: Known): TruthError =>
  new TruthError(
    "truth/replayed",
    `The document of ${where(truth)} is gone, and this stack has seen serial ${serial} of it. Correct \`store\`, or write it back by \`overlay truth put\`.`,
  );

const equal = (a: Declared, b: Declared): boolean => {
  const text = ({ prefixes, nodes, links }: Declared) => payloadOf({ prefixes, nodes, links });
  return text(a) === text(b);
};
const payloadOf = (declared: Declared): string =>
  payload({ network: "", identity: "" }, "", { ...declared, version: 1, serial: 1, at: "", signature: "" });

/** Throws what a write would throw for what others have said. Writes nothing. */
export async function rehearse(truth: Truth, stack: string, declared: Declared, known?: Known): Promise<void> {
  const seen = await read(truth, known, stack);
  if (!seen && known) throw gone(truth, known);
  refuseToJoin(truth, stack, declared, seen?.document ?? fresh(truth.network));
}

function refuseToJoin(truth: Unverified, stack: string, declared: Declared, document: Document): void {
  const part: Part = { version: 1, serial: 1, at: "", ...declared, signature: "" };
  const faults = [
    ...joiningFaults(stack, declared, without(document, stack)),
    ...crossFaults({ stacks: { ...document.stacks, [stack]: part } }, stack),
  ];
  if (faults.length > 0) throw TruthError.because(`In ${where(truth)}: `, faults);
}

/** Writes what a stack says, where that is not there yet. Throws TruthError: then nothing was written. */
export async function write(truth: Truth, writer: Writer, declared: Declared, limits = LIMITS): Promise<Written> {
  const { stack, key, known, again = false } = writer;
  const at = new Date().toISOString();
  // Between two attempts others have written their parts, and ours is still the same.
  let signed = { text: "", signature: "" };
  // Of a stack that was here before no part was ever above the document's own serial.
  let floor: number | undefined;
  const change = async (document: Document): Promise<Document | undefined> => {
    const before = document.stacks[stack];
    const others = without(document, stack);
    refuseToJoin(truth, stack, declared, document);
    const said: Declared = { ...declared, links: agreed(declared, stack, others, before) };
    const there = before !== undefined && equal(before, said) && !(again && before.signature !== signed.signature);
    if (there && (await signatureFaults(document, truth.signers, [stack])).length === 0) return undefined;
    floor ??= document.serial;
    const serial = 1 + Math.max(before?.serial ?? floor, known?.serials[stack] ?? 0);
    const part: Part = { version: 1, serial, at, ...said, signature: "" };
    const text = payload(document, stack, part);
    if (text !== signed.text) signed = { text, signature: (await sign(key, [text]))[0] ?? "" };
    part.signature = signed.signature;
    const next = Math.max(document.serial + 1, serial);
    return { ...document, serial: next, stacks: { ...document.stacks, [stack]: part } };
  };
  return swap(truth, writer, change, limits);
}

/** Takes a stack's part out, and nothing else, whatever is wrong with others'. */
export const withdraw = (truth: Truth, writer: Pick<Writer, "stack" | "known" | "signal">): Promise<Written> =>
  swap({ ...truth, signers: undefined }, writer, async (document) => {
    if (!document.stacks[writer.stack]) return undefined;
    return { ...document, serial: document.serial + 1, stacks: Object.fromEntries(without(document, writer.stack)) };
  });
