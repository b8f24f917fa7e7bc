/**
 * A document that somebody hands over: one that was edited by hand, or an older one that is to be the newest again. It may
 * say of other stacks only what these have signed.
 */

import { lineDiff } from "../lineDiff";
import { type Document, parseDocument, payload, print } from "./document";
import { TruthError } from "./errors";
import { documentKey } from "./keys";
import { lines } from "./lines";
import { type Signers, sign, signatureFaults } from "./signature";
import type { Store } from "./store";
import { keep, readUnverified } from "./write";

export interface Handed {
  store: Store;
  network: string;
  /** The stack whose part is signed anew. */
  stack: string;
  key: string;
  signers: Signers | undefined;
  /** A serial that others have seen: what is written has a higher one. */
  above?: number;
}

/** What each stack says, as lines that tell whose they are. */
const said = ({ stacks }: Pick<Document, "stacks">): string =>
  Object.entries(stacks)
    .flatMap(([stack, part]) => lines(part).map((line) => `${stack}: ${line}`))
    .join("\n");

export const difference = (from: Pick<Document, "stacks"> | undefined, to: Pick<Document, "stacks">): string[] =>
  lineDiff(from ? said(from) : "", said(to)).filter((line) => line.length > 2);

export interface Prepared {
  document: Document;
  before: Document | undefined;
  /** Of what was there, whether it can be read or not. */
  etag: string | undefined;
  /** What it changes. */
  difference: string[];
}

/** What would be written. Throws TruthError with all that is wrong with the text. */
export async function prepare(handed: Handed, text: string): Promise<Prepared> {
  const { store, network, stack, key, signers, above = 0 } = handed;
  const parsed = parseDocument(text);
  if ("faults" in parsed) throw TruthError.because("", parsed.faults);
  const { value: given } = parsed;
  if (given.network !== network) {
    throw new TruthError(
      "truth/otherNetwork",
      `It is the document of network ${given.network}, and not of ${network}.`,
    );
  }
  const etag = (await store.get(documentKey(network)))?.etag;
  // One that cannot be read is what this is to mend.
  const seen = await readUnverified({ store, network }).catch((error) => {
    if (error instanceof TruthError && error.unusable) return undefined;
    throw error;
  });
  const before = seen?.document;
  if (before && before.identity !== given.identity) {
    const legal = `There is another network of the same name in ${store.address}: ${before.identity}, and this is ${given.identity}.`;
    throw new TruthError("truth/otherNetwork", `${legal} Put it where it belongs.`);
  }
  const others = Object.keys(given.stacks).filter(
    (name) => name !== stack && partText(given, name) !== (before && partText(before, name)),
  );
  const taken = before ? Object.keys(before.stacks).filter((name) => name !== stack && !given.stacks[name]) : [];
  if (taken.length > 0) {
    throw new TruthError("truth/others", `It takes out ${taken.join(", ")}, and ${stack} may only take out itself.`);
  }
  const faults = others.length === 0 ? [] : await signatureFaults(given, signers ?? {}, others);
  if (faults.length > 0) throw TruthError.because("", faults);
  const serial = 1 + Math.max(above, given.serial, before?.serial ?? 0);
  const document: Document = { ...given, serial, stacks: { ...given.stacks } };
  const part = document.stacks[stack];
  if (part) {
    const anew = { ...part, serial, at: new Date().toISOString(), signature: "" };
    const [signature = ""] = await sign(key, [payload(document, stack, anew)]);
    document.stacks[stack] = { ...anew, signature };
  }
  const written = parseDocument(print(document));
  if ("faults" in written) throw TruthError.because("", written.faults);
  return { document, before, etag, difference: difference(before, document) };
}

const partText = (document: Document, stack: string): string | undefined => {
  const part = document.stacks[stack];
  return part && payload(document, stack, part);
};

/** Writes it, if nobody wrote meanwhile. Throws TruthError. */
export async function restore({ store, network }: Handed, { document, before, etag }: Prepared): Promise<void> {
  const [key, text] = [documentKey(network), print(document)];
  const written = etag === undefined ? await store.putIfNone(key, text) : await store.putIfMatch(key, text, etag);
  if (written === undefined) {
    throw new TruthError(
      "truth/conflict",
      `Somebody wrote the document of ${network} meanwhile. Get it, and do it again.`,
    );
  }
  await keep(store, before, document);
}
