/** Several stacks that write one document at once, each for itself. */

import { type Document, parseDocument } from "../../../sdk/truth/document";
import { logKey } from "../../../sdk/truth/keys";
import type { Declared } from "../../../sdk/truth/schema";
import type { Store } from "../../../sdk/truth/store";
import { type Truth, write } from "../../../sdk/truth/write";
import { documentOf, node, part, sound } from "./arbitrary";
import type { Writers } from "./keys";

/** What a stack says that has these nodes and links. */
export function declared(said: Parameters<typeof part>[0]): Declared {
  const { prefixes, nodes, links } = sound(documentOf({ "x/y": part(said) })).stacks["x/y"] as Declared;
  return { prefixes, nodes, links };
}

/** How many of all updates are in the log, each the work of one writer on top of what was there before it. */
export async function writeAtOnce(open: () => Store, keys: Writers, writers: number, updates: number) {
  const stacks = Array.from({ length: writers }, (_, index) => ({ name: `net/s${index}`, ...keys.make(`s${index}`) }));
  const signers = Object.fromEntries(stacks.map(({ name, publicKey }) => [name, [publicKey]]));
  const truth = (): Truth => ({ store: open(), network: "busy", signers });
  const began = Date.now();
  await Promise.all(
    stacks.map(async ({ name: stack, key }, index) => {
      for (let update = 1; update <= updates; update++) {
        const nodes = { [`n${index}`]: node(index + 1, { portBase: 10_000 + update }) };
        await write(truth(), { stack, key }, declared({ nodes }));
      }
    }),
  );
  const seconds = (Date.now() - began) / 1000;
  const store = open();
  const kept = new Set<string>();
  let before: Document["stacks"] = {};
  for (let serial = 1; serial <= writers * updates; serial++) {
    const parsed = parseDocument((await store.get(logKey("busy", serial)))?.text ?? "");
    if ("faults" in parsed) continue;
    const { stacks: after } = parsed.value;
    const changed = Object.entries(after).filter(([stack, it]) => it.serial !== before[stack]?.serial);
    const [[stack, it] = []] = changed;
    if (changed.length === 1 && it) kept.add(`${stack} ${Object.values(it.nodes)[0]?.portBase}`);
    before = after;
  }
  return { kept: kept.size, of: writers * updates, seconds };
}
