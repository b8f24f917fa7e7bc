/** One document that several stacks write: what is kept, what is refused, and what a store's bad days do to it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseDocument, print } from "../../../sdk/truth/document";
import { TruthError } from "../../../sdk/truth/errors";
import { publish, stale, wanted } from "../../../sdk/truth/publish";
import { allowedSigners, verify } from "../../../sdk/truth/signature";
import { openStore, type Store } from "../../../sdk/truth/store";
import { type Known, knownOf, read, type Truth, type Written, withdraw, write } from "../../../sdk/truth/write";
import { node } from "./arbitrary";
import { Writers } from "./keys";
import { declared, writeAtOnce } from "./writing";

const writers = new Writers();
const folder = mkdtempSync(join(tmpdir(), "overlay-write-"));
afterAll(() => {
  writers.remove();
  rmSync(folder, { recursive: true, force: true });
});
const stacks = { "net/prod": writers.make("prod"), "edge/prod": writers.make("edge") };
type Stack = keyof typeof stacks;
const signers = { "net/prod": [stacks["net/prod"].publicKey], "edge/prod": [stacks["edge/prod"].publicKey] };

/** Of a test's own. */
const network = () =>
  (expect.getState().currentTestName ?? "")
    .replace(/[^a-z0-9]+/gi, "-")
    .slice(0, 60)
    .replace(/-$/, "");
const open = () => openStore(`file://${folder}`);
/** The same store, of which a test does one thing itself. */
const storeWith = (own: Partial<Store>): Store => ({
  address: "file://own",
  get: (key) => open().get(key),
  putIfMatch: (key, text, etag) => open().putIfMatch(key, text, etag),
  putIfNone: (key, text) => open().putIfNone(key, text),
  ...own,
});
const truth = (store: Store = open()): Truth => ({ store, network: network(), signers });
const writer = (stack: Stack, known?: Known) => ({ stack, key: stacks[stack].key, known });
const file = () => join(folder, network(), "document.json");
const text = () => readFileSync(file(), "utf8");

const lux = { nodes: { lux: node(1) } };
const linked = {
  nodes: { lux: node(1) },
  links: { "lux-fra": { ends: [{ node: "lux", device: "inter-fra", port: 11002 }, { node: "fra" }] } },
};
const fra = { nodes: { fra: node(2) } };
const put = (stack: Stack, said: Parameters<typeof declared>[0], known?: Known): Promise<Written> =>
  write(truth(), writer(stack, known), declared(said));

test("two stacks write one document, each its own part, and nothing when nothing changed", async () => {
  const first = await put("net/prod", lux);
  expect(first.before).toBeUndefined();
  const second = await put("edge/prod", fra);
  expect(second.document.identity).toBe(first.document.identity);
  expect(Object.keys(second.document.stacks).sort()).toEqual(["edge/prod", "net/prod"]);
  expect(second.document.stacks["net/prod"]).toEqual(first.document.stacks["net/prod"]);
  const before = text();
  await put("net/prod", lux);
  expect(text()).toBe(before);
  const third = await put("net/prod", linked);
  expect(third.document.serial).toBe(3);
  expect((await read(truth()))?.document).toEqual(third.document);
  expect(readdirSync(join(folder, network(), "log"))).toEqual(["00000001.json", "00000002.json", "00000003.json"]);
});

test("a node of another stack is refused by name, and nothing is written", async () => {
  await put("net/prod", lux);
  const before = text();
  await expect(put("edge/prod", { nodes: { lux: node(2) } })).rejects.toThrow(
    /nodes\.lux: legal is a node of edge\/prod, and lux belongs to net\/prod; leave lux to net\/prod, or name yours otherwise\./,
  );
  expect(text()).toBe(before);
});

test("so is what another has already: an id, an address, an endpoint in its overlay", async () => {
  await put("net/prod", lux);
  await expect(put("edge/prod", { nodes: { fra: node(1) } })).rejects.toThrow(
    /fra\.id: found 1, .* lux of net\/prod has this one|lux\.id/,
  );
  const inside = { ...node(2), endpoints: [{ address: "10.255.0.2" }] };
  await expect(put("edge/prod", { prefixes: [], nodes: { fra: inside } })).rejects.toThrow(
    /endpoints\[0\]\.address: found "10\.255\.0\.2", legal is an address of fra on the underlay, and this is the address of lux/,
  );
});

test("taking a part out leaves the others' as they are, and comes back with a higher serial", async () => {
  await put("net/prod", lux);
  const { document } = await put("edge/prod", fra);
  const after = await withdraw(truth(), writer("net/prod"));
  expect(after.document.stacks).toEqual({ "edge/prod": document.stacks["edge/prod"] });
  expect((await withdraw(truth(), writer("net/prod"))).document.serial).toBe(3);
  const again = await put("net/prod", lux);
  expect(again.document.stacks["net/prod"]?.serial).toBeGreaterThan(document.stacks["net/prod"]?.serial ?? 9);
});

test("a link between two stacks has one chooser, and keeps it when the other end gets an endpoint", async () => {
  await put("net/prod", lux);
  const theirs = {
    links: { "lux-fra": { ends: [{ node: "fra", device: "inter-lux", port: 11001 }, { node: "lux" }] } },
  };
  await put("edge/prod", { nodes: { fra: node(2, { endpoints: [] }) }, ...theirs });
  const chooser = ({ document }: Written, stack: Stack) => document.stacks[stack]?.links["lux-fra"]?.chooser;
  expect(chooser(await put("net/prod", linked), "net/prod")).toBe("fra");
  const written = await put("edge/prod", { nodes: { fra: node(2) }, ...theirs });
  expect([chooser(written, "net/prod"), chooser(written, "edge/prod")]).toEqual(["fra", "fra"]);
  // Who can no longer be called leaves nothing to choose from.
  const moved = await put("net/prod", { ...linked, nodes: { lux: node(1, { endpoints: [] }) } });
  expect(chooser(moved, "net/prod")).toBe("lux");
});

describe("what somebody did to the document", () => {
  const forge = (change: (text: string) => string) => writeFileSync(file(), change(text()));

  test("a forged part of another is refused by name, for reading and for writing", async () => {
    await put("net/prod", lux);
    await put("edge/prod", fra);
    forge((it) => it.replace("203.0.0.3", "192.0.2.66"));
    const said =
      /stacks\["edge\/prod"\]\.signature: legal is a signature of edge\/prod of what its part says, and this one is forged/;
    await expect(read(truth())).rejects.toThrow(said);
    await expect(put("net/prod", linked)).rejects.toThrow(said);
    await put("edge/prod", fra);
    expect(text()).not.toContain("192.0.2.66");
    await put("net/prod", linked);
  });

  test("a missing signature is refused by name", async () => {
    await put("net/prod", lux);
    forge((it) => it.replace(/"signature":"[^"]*"/, '"signature":""'));
    await expect(put("edge/prod", fra)).rejects.toThrow(
      /stacks\["net\/prod"\]\.signature: legal is a signature of net\/prod, and there is none/,
    );
  });

  test("an older document that was put back is refused", async () => {
    await put("net/prod", lux);
    const old = text();
    const known = knownOf((await put("edge/prod", fra)).document);
    writeFileSync(file(), old);
    await expect(put("edge/prod", fra, known)).rejects.toThrow(
      /is an older one: serial 1, and 2 was seen before; `overlay truth log`|is an older one: serial 1, and 2 was seen before\./,
    );
  });

  test("so is one part of it that was, under a serial of today", async () => {
    const { document: first } = await put("net/prod", lux);
    await put("net/prod", { nodes: { lux: node(1, { portBase: 12_000 }) } });
    const known = knownOf((await put("edge/prod", fra)).document);
    const now = await read(truth());
    if (!now) throw new Error("gone");
    const { "net/prod": replayed } = first.stacks;
    forge(() =>
      print({ ...now.document, serial: 99, stacks: { ...now.document.stacks, "net/prod": replayed as never } }),
    );
    await expect(put("edge/prod", fra, known)).rejects.toThrow(
      /is an older one: net\/prod's part has serial 1, and 2 was seen before/,
    );
    // Who has not seen it cannot know.
    await put("edge/prod", fra);
  });

  test("another network of the same name is told from ours", async () => {
    const known = knownOf((await put("net/prod", lux)).document);
    rmSync(file());
    await put("edge/prod", fra);
    await expect(put("net/prod", lux, known)).rejects.toThrow(
      /^There are two networks of one name: .* this stack is in [0-9a-f]{32}\. Correct `store` or `network`/,
    );
    const strangers: Truth = { ...truth(), signers: { "net/prod": signers["net/prod"] } };
    await expect(write(strangers, writer("net/prod"), declared(lux))).rejects.toThrow(
      /stacks\["edge\/prod"\]: legal is a part of net\/prod, and no key of edge\/prod is known here; add its key to `signers`, on the hosts first; where this is another network of the same name/,
    );
  });

  test("a document that is gone is not begun anew by who has seen it", async () => {
    const known = knownOf((await put("net/prod", lux)).document);
    rmSync(file());
    await expect(put("net/prod", lux, known)).rejects.toThrow(/is gone, and this stack has seen serial 1 of it/);
  });

  test.each([
    ["cut off", (it: string) => it.slice(0, 200), /it is cut off \(200 bytes\)/],
    ["of the future", (it: string) => it.replace('"version":1', '"version":2'), /version: found 2, legal is at most 1/],
    ["huge", (it: string) => it + " ".repeat(17 * 2 ** 20), /at most 16777216 bytes/],
  ])("%s: neither read nor written over", async (_, change, said) => {
    await put("net/prod", lux);
    forge(change);
    const before = text();
    await expect(put("net/prod", linked)).rejects.toThrow(said);
    expect(text()).toBe(before);
  });
});

test("a store that answers 412 for ever is given up, with what it may be", async () => {
  await put("net/prod", lux);
  let asked = 0;
  const stubborn: Store = {
    address: "s3://stubborn",
    get: (key) => open().get(key),
    putIfMatch: async () => void asked++,
    putIfNone: async () => void asked++,
  };
  const limits = { attempts: 5, patience: 60_000 };
  await expect(write(truth(stubborn), writer("edge/prod"), declared(fra), limits)).rejects.toThrow(
    /was written by others in each of 5 attempts, or 60 s\. Run again; where nobody else writes, the store does not do what If-Match asks for/,
  );
  expect(asked).toBe(5);
});

test("another key signs again what is there already", async () => {
  const { document } = await put("net/prod", lux);
  const next = writers.make("next");
  const both = { ...truth(), signers: { ...signers, "net/prod": [...signers["net/prod"], next.publicKey] } };
  const written = await write(both, { stack: "net/prod", key: next.key, again: true }, declared(lux));
  expect(written.document.stacks["net/prod"]?.serial).toBe(2);
  expect(written.document.stacks["net/prod"]?.signature).not.toBe(document.stacks["net/prod"]?.signature);
  const then = { ...truth(), signers: { "net/prod": [next.publicKey] } };
  expect((await read(then))?.document.serial).toBe(2);
});

test("another key signs what is there, too, where somebody else was first to write", async () => {
  await put("net/prod", lux);
  const next = writers.make("late");
  const both = { ...signers, "net/prod": [...signers["net/prod"], next.publicKey] };
  let first = true;
  const store = storeWith({
    putIfMatch: async (key, text, etag) => {
      if (first) await put("edge/prod", fra);
      first = false;
      return open().putIfMatch(key, text, etag);
    },
  });
  await write({ ...truth(store), signers: both }, { stack: "net/prod", key: next.key, again: true }, declared(lux));
  const then = { ...truth(), signers: { ...signers, "net/prod": [next.publicKey] } };
  expect((await read(then))?.document.serial).toBe(3);
});

test("what cannot be kept for looking back is written all the same, and kept by who writes next", async () => {
  const full = storeWith({
    putIfNone: async (key, text) => {
      if (key.includes("/log/")) throw new TruthError("truth/unreachable", "full");
      return open().putIfNone(key, text);
    },
  });
  expect((await write(truth(full), writer("net/prod"), declared(lux))).document.serial).toBe(1);
  await put("edge/prod", fra);
  expect(readdirSync(join(folder, network(), "log"))).toEqual(["00000001.json", "00000002.json"]);
});

test("a part that is forged while another is written is told with what was written", async () => {
  await put("net/prod", lux);
  let first = true;
  const store = storeWith({
    putIfMatch: async (key, text, etag) => {
      if (first) writeFileSync(file(), readFileSync(file(), "utf8").replace("203.0.0.2", "192.0.2.66"));
      first = false;
      return open().putIfMatch(key, text, etag);
    },
  });
  const { document, forged } = await write(truth(store), writer("edge/prod"), declared(fra));
  expect(forged?.message).toMatch(/stacks\["net\/prod"\]\.signature: legal is a signature of net\/prod .* forged/);
  expect(text()).toBe(print(document));
});

test("hosts are told what changes for them and nothing else, and that a link is gone", async () => {
  const said = async ({ document, before }: Written) => {
    const { store, network: name } = truth();
    const texts = wanted(document, "net/prod", before);
    const nodes = await stale(store, document, "net/prod", texts);
    await publish(store, name, { stack: "net/prod", key: stacks["net/prod"].key }, texts, nodes);
    expect(await stale(store, document, "net/prod", texts)).toEqual([]);
    return nodes;
  };
  const of = (node: string) => readFileSync(join(folder, network(), "hosts", node, "net.prod"), "utf8");
  const ends = (a: string, b: string) =>
    [a, b].map((it, index) => ({ node: it, device: `to-${[a, b][1 - index]}`, port: 11000 + index }));
  const nodes = { lux: node(1), hkg: node(3), nyc: node(4) };
  const links = { "lux-hkg": { ends: ends("lux", "hkg") }, "hkg-nyc": { ends: ends("hkg", "nyc") } };
  expect(await said(await put("net/prod", { nodes, links }))).toEqual(["hkg", "lux", "nyc"]);
  expect(readdirSync(join(folder, network(), "hosts/lux"))).toEqual(["net.prod", "net.prod.sig"]);
  expect(
    await said(
      await put("net/prod", { nodes: { ...nodes, nyc: node(4, { endpoints: [{ address: "192.0.2.44" }] }) }, links }),
    ),
  ).toEqual(["hkg"]);
  expect(of("hkg")).toContain(" 192.0.2.44 ");
  expect(await said(await put("net/prod", { nodes, links: { "lux-hkg": links["lux-hkg"] } }))).toEqual(["hkg", "nyc"]);
  expect(of("nyc")).toBe(`overlay-extract 1\nnetwork ${network()}\nstack net/prod\nserial 3\nnode nyc\nend 5\n`);
  rmSync(join(folder, network(), "hosts/lux/net.prod.sig"));
  expect(await said(await put("net/prod", { nodes, links: { "lux-hkg": links["lux-hkg"] } }))).toEqual(["lux"]);
  expect(await said(await withdraw(truth(), writer("net/prod")))).toEqual(["hkg", "lux"]);
  expect(of("lux")).toMatch(/^serial 4$/m);
});

test.each([
  [1, "goes on", 13],
  [2, "goes on", 13],
  [3, "goes on", 13],
  [2, "goes back", 12],
  [3, "goes back", 12],
])("a run that ends at write %i of what a host is told is made good by the next, which %s", async (last, _, next) => {
  const ends = ["lux", "hkg"].map((it, index) => ({ node: it, device: "x", port: 11000 + index }));
  const tell = async (last: number, store = open()) => {
    const nodes = { lux: node(1), hkg: node(3, { endpoints: [{ address: `192.0.2.${last}` }] }) };
    const { document } = await put("net/prod", { nodes, links: { "lux-hkg": { ends } } });
    const texts = wanted(document, "net/prod");
    const told = (await stale(store, document, "net/prod", texts)).filter((it) => it === "lux");
    await publish(store, network(), { stack: "net/prod", key: stacks["net/prod"].key }, texts, told);
  };
  let writes = 0;
  const endedAt = storeWith({
    putIfMatch: (key, text, etag) => {
      if (++writes === last) throw new Error("ended");
      return open().putIfMatch(key, text, etag);
    },
  });
  await tell(12);
  await expect(tell(13, endedAt)).rejects.toThrow("ended");
  await tell(next);
  const of = (name: string) => readFileSync(join(folder, network(), "hosts/lux", name), "utf8");
  const forged = await verify(allowedSigners(signers), "net/prod", of("net.prod"), of("net.prod.sig"));
  expect(forged).toBeUndefined();
});

test("four stacks that write at once lose nothing", async () => {
  const { kept, of } = await writeAtOnce(open, writers, 4, 5);
  expect(`${kept} of ${of}`).toBe("20 of 20");
});

test("what a document is parsed from is what is printed", async () => {
  await put("net/prod", lux);
  const parsed = parseDocument(text());
  expect("value" in parsed && print(parsed.value)).toBe(text());
});
