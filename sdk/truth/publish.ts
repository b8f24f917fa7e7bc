/** The extracts of one stack in the store: each with its signature beside it, and only what a host is told anew. */
import type { Document } from "./document";
import { TruthError } from "./errors";
import { extract, extracts, MAX_EXTRACT, sameExtract } from "./extract";
import { extractKey } from "./keys";
import { allowedSigners, sign, signerOf, verify } from "./signature";
import type { Store } from "./store";
import { waiting } from "./waiting";

/** Requests at once. */
const AT_ONCE = 16;

/** One that fails is told when the others have ended: nothing goes on behind whoever hears of it. */
async function each<T, R>(values: readonly T[], work: (value: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const turns = values.entries();
  const lane = async () => {
    for (const [index, value] of turns) results[index] = await work(value);
  };
  const ended = await Promise.allSettled(Array.from({ length: AT_ONCE }, lane));
  const failed = ended.find((it) => it.status === "rejected");
  if (failed) throw failed.reason;
  return results;
}

const serialOf = (text: string): number => Number(/^serial (\d+)$/m.exec(text)?.[1] ?? 0);

/**
 * What a stack has to say to each host. `before`: a document by which hosts were told something that has to be taken back;
 * `told`: more of those hosts.
 */
export function wanted(
  document: Document,
  stack: string,
  before?: Document,
  told: readonly string[] = [],
): Map<string, string> {
  const texts = extracts(document, stack);
  const serial = document.stacks[stack]?.serial ?? document.serial;
  for (const node of [...(before ? extracts(before, stack).keys() : []), ...told]) {
    if (!texts.has(node)) texts.set(node, extract(document.network, stack, serial, node, []));
  }
  return texts;
}

/**
 * The hosts whose extract in the store is another one, or not signed by the key that signed the stack's part: a key that takes
 * another's place signs the part first.
 */
export async function stale(store: Store, document: Document, stack: string, texts: ReadonlyMap<string, string>) {
  const part = document.stacks[stack];
  const signers = part && allowedSigners({ [stack]: [signerOf(part.signature)] });
  const good = async (node: string, text: string): Promise<boolean> => {
    const key = extractKey(document.network, node, stack);
    const [stored, signature] = await Promise.all([store.get(key), store.get(`${key}.sig`)]);
    if (!stored || !signature?.text || !sameExtract(stored.text, text)) return false;
    // What a stack that is gone has said last nobody compares with a key.
    return !signers || (await verify(signers, stack, stored.text, signature.text)) === undefined;
  };
  const found = await each([...texts], async ([node, text]) => ((await good(node, text)) ? [] : [node]));
  return found.flat();
}

export const isStale = (node: string): string =>
  `the extract of ${node} is missing, not what it should be, or not signed by its key`;

/** Writes the extracts of these hosts. Throws TruthError; what was written then stays, and the rest is stale. */
export async function publish(
  store: Store,
  network: string,
  { stack, key }: { stack: string; key: string },
  texts: ReadonlyMap<string, string>,
  nodes: readonly string[],
): Promise<void> {
  for (const node of nodes) {
    const bytes = Buffer.byteLength(texts.get(node) ?? "");
    if (bytes > MAX_EXTRACT) {
      throw new TruthError(
        "truth/tooLarge",
        `The extract of ${node} would have ${bytes} bytes, and hosts read at most ${MAX_EXTRACT}: it has links with too many nodes of ${stack}, or these have too many endpoints.`,
      );
    }
  }
  const signatures = await sign(
    key,
    nodes.map((node) => texts.get(node) ?? ""),
  );
  await each([...nodes.entries()], async ([index, node]) => {
    const name = extractKey(network, node, stack);
    const text = texts.get(node) ?? "";
    const newer = (stored: string) => serialOf(stored) > serialOf(text);
    if (newer((await store.get(name))?.text ?? "")) return;
    // Who is ended before the last of these leaves no signature, and so an extract that the next run writes again.
    await put(store, `${name}.sig`, "");
    if (!(await put(store, name, text, newer))) await put(store, `${name}.sig`, signatures[index] ?? "");
  });
}

/** Whatever is there; true where that is to stay. */
async function put(store: Store, key: string, text: string, stays = (_: string) => false): Promise<boolean> {
  for (const wait of waiting({ first: 20, most: 500, attempts: 10 })) {
    const stored = await store.get(key);
    if (stored && stays(stored.text)) return true;
    const etag = stored ? await store.putIfMatch(key, text, stored.etag) : await store.putIfNone(key, text);
    if (etag !== undefined) return false;
    await wait();
  }
  throw new TruthError("truth/conflict", `${key} in ${store.address} is written by others all the time. Run again.`);
}
