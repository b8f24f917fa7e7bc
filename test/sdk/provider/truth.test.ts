/** A stack's part of a source of truth as the engine sees it: two stacks, one folder. */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UNKNOWN } from "../../../sdk/provider/wire";
import { extractsHash, parseDocument } from "../../../sdk/truth";
import { keyOf, node } from "../truth/arbitrary";
import { Writers } from "../truth/keys";
import { type Declared, failure, TestEngine } from "./client";

const writers = new Writers();
const root = mkdtempSync(join(tmpdir(), "overlay-part-"));
const engines: TestEngine[] = [];
afterAll(async () => {
  await Promise.all(engines.map((engine) => engine.close()));
  writers.remove();
  rmSync(root, { recursive: true, force: true });
});
const [net, edge] = [writers.make("net"), writers.make("edge")];
const signers = { "net/test": [net.publicKey], "edge/test": [edge.publicKey] };

async function engine(project = "net"): Promise<TestEngine> {
  const started = await TestEngine.start({ project });
  engines.push(started);
  return started;
}

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(root, "store-"));
});
const file = () => join(folder, "prod/document.json");
const document = () => readFileSync(file(), "utf8");
const change = (edit: (text: string) => string) => writeFileSync(file(), edit(document()));

const part = (spec: object, more: object = {}): Declared => ({
  type: "overlay:truth:Part",
  name: "truth",
  inputs: {
    store: `file://${folder}`,
    network: "prod",
    key: net.key,
    signers,
    spec: { prefixes: ["10.255.0.0/16"], nodes: {}, links: {}, ...spec },
    ...more,
  },
});
const lux = { lux: node(1) };
const fra = { fra: node(2) };
const ours = () => part({ nodes: lux });
const theirs = () => part({ nodes: fra }, { key: edge.key });
const link = { ends: [{ node: "lux", device: "inter-fra", port: 11002 }, { node: "fra" }] };

test("a part is made, is the same, changes by the lines that differ, and goes without the others", async () => {
  const [one, two] = [await engine("net"), await engine("edge")];
  expect((await one.preview(ours())).outputs.config).toMatch(
    /^prefix 10\.255\.0\.0\/16\nnode lux \{"addresses":.*\}\n$/,
  );
  expect(existsSync(file())).toBe(false);
  expect(await one.up(ours())).toBe("created");
  expect(await two.up(theirs())).toBe("created");
  const before = document();
  expect(await one.up(ours())).toBe("same");
  expect(await one.refresh(ours())).toEqual([]);
  expect(document()).toBe(before);

  const more = part({ nodes: lux, links: { "lux-fra": link } });
  expect((await one.preview(more)).diffs).toEqual(["config"]);
  expect(await one.up(more)).toBe("updated");
  expect(await one.refresh(more)).toEqual([]);
  expect(await one.up(more)).toBe("same");
  expect(await two.refresh(theirs())).toEqual([]);
  expect(one.kept(more).outputs).toMatchObject({ serial: 3, identity: expect.stringMatching(/^[0-9a-f]{32}$/) });
  expect(readdirSync(join(folder, "prod/hosts"))).toEqual(["fra"]);

  await one.destroy(more);
  expect(document()).toContain('"edge/test"');
  expect(document()).not.toContain("lux");
  await two.destroy(theirs());
  expect(document()).toContain('"stacks":{}');
});

test("what is known later is told so, and the text is there all the same", async () => {
  const one = await engine();
  const { outcome, outputs } = await one.preview(part({ nodes: { lux: { ...node(1), publicKey: UNKNOWN } } }));
  expect([outcome, outputs.config]).toEqual(["created", UNKNOWN]);
  expect(one.said(ours()).join("\n")).toMatch(/^node lux .*"publicKey":"<known after lux is created>"\}$/m);
  expect((await one.preview(part({ nodes: { lux: { ...node(1), addresses: [UNKNOWN] } } }))).outputs.config).toBe(
    UNKNOWN,
  );
});

test("more new nodes in one preview than a byte can count have keys of their own", async () => {
  const one = await engine();
  const names = Array.from({ length: 300 }, (_, index) => `n${index}`);
  const nodes = names.map((name, index) => [name, node(index + 1, { publicKey: UNKNOWN, endpoints: [] })] as const);
  expect((await one.preview(part({ nodes: Object.fromEntries(nodes) }))).outcome).toBe("created");
});

test("all faults at once, in a check", async () => {
  const one = await engine();
  const wrong = part(
    { nodes: { lux: node(1, { endpoints: [{ address: "100.64.0.1" }] }) } },
    { store: "ftp://x", network: "a b", signers: { "net/test": ["x"] }, kye: 1 },
  );
  const { message } = await failure(one.up(wrong));
  expect(
    message
      .split("\n")
      .map((line) => line.split(":")[0])
      .sort(),
  ).toEqual(["kye", "network", 'signers["net/test"][0]', "spec.nodes.lux.endpoints[0].address", "store"].sort());
});

test("a node of another stack is refused by name, in the preview already", async () => {
  const [one, two] = [await engine("net"), await engine("edge")];
  await two.up(theirs());
  const said = /nodes\.fra: legal is a node of net\/test, and fra belongs to edge\/test/;
  expect((await failure(one.preview(part({ nodes: fra })))).message).toMatch(said);
  const unmade = { fra: { ...node(2), publicKey: UNKNOWN } };
  expect((await failure(one.preview(part({ nodes: unmade })))).message).toMatch(said);
  expect((await failure(one.up(part({ nodes: fra })))).message).toMatch(said);
  expect(document()).not.toContain("net/test");
});

test("so is an id that another has; and a store that does not answer is a warning until there is something to write", async () => {
  const [one, two] = [await engine("net"), await engine("edge")];
  await two.up(theirs());
  const said =
    /nodes\.(fra|hkg)\.id: found 2, legal is an id of its own, and (hkg|fra) of (net|edge)\/test has this one/;
  expect((await failure(one.preview(part({ nodes: { hkg: node(2) } })))).message).toMatch(said);
  const elsewhere = part({ nodes: lux }, { store: "s3://truth?endpoint=http://127.0.0.1:47999&region=auto" });
  process.env.AWS_ACCESS_KEY_ID = process.env.AWS_SECRET_ACCESS_KEY = "x";
  expect((await one.preview(elsewhere)).outcome).toBe("created");
  expect(one.said(elsewhere).at(-1)).toMatch(
    /The store http:\/\/127\.0\.0\.1:47999\/truth cannot be used: ECONNREFUSED\..* What others say is not known to this preview\./,
  );
  expect((await failure(one.up(elsewhere))).message).toMatch(/cannot be used: ECONNREFUSED/);
});

test("what somebody did to the document is drift, line by line, and the next run mends it", async () => {
  const one = await engine();
  await one.up(ours());
  change((text) => text.replace('"id":1', '"id":77'));
  const lines = (await one.refresh(ours())) || [];
  expect(lines.filter((line) => line.startsWith("- "))).toEqual([expect.stringMatching(/^- node lux .*"id":1,/)]);
  expect(lines.filter((line) => line.startsWith("+ "))).toEqual([
    expect.stringMatching(/^\+ node lux .*"id":77,/),
    expect.stringMatching(
      /^\+ ! The document of network prod .*stacks\["net\/test"\]\.signature: legal is a signature of net\/test .* forged/,
    ),
  ]);
  expect(await one.up(ours())).toBe("updated");
  expect(await one.refresh(ours())).toEqual([]);

  change((text) => text.replace(/"nodes":\{\n.*\n\}/, '"nodes":{}'));
  expect(await one.refresh(ours())).toEqual([
    expect.stringMatching(/^- node lux/),
    expect.stringMatching(/^\+ ! The document/),
  ]);
  expect(await one.up(ours())).toBe("updated");
});

test("an older document, one that is cut off, and none at all show, and are not written over", async () => {
  const one = await engine();
  await one.up(ours());
  cpSync(file(), `${file()}.old`);
  const now = part({ nodes: { lux: node(1, { portBase: 12_000 }) } });
  await one.up(now);
  const newest = document();
  cpSync(`${file()}.old`, file());
  expect(await one.refresh(now)).toContainEqual(
    expect.stringMatching(/^\+ ! .*is an older one: serial 1, and 2 was seen before/),
  );
  expect((await failure(one.up(now))).message).toMatch(/is an older one: serial 1, and 2 was seen before/);

  writeFileSync(file(), newest.slice(0, 100));
  expect(await one.refresh(now)).toContainEqual(expect.stringMatching(/^\+ ! .*it is cut off \(100 bytes\)/));
  expect((await failure(one.up(now))).message).toMatch(/it is cut off/);

  rmSync(file());
  expect(await one.refresh(now)).toContainEqual(expect.stringMatching(/^\+ ! there is no document of network prod/));
  expect((await failure(one.up(now))).message).toMatch(/is gone, and this stack has seen serial 2 of it/);

  writeFileSync(file(), newest);
  expect(await one.up(now)).toBe("updated");
  expect(document()).toBe(newest);
});

const hkg = {
  ends: [
    { node: "lux", device: "inter-hkg", port: 11003 },
    { node: "hkg", device: "inter-lux", port: 11001 },
  ],
};
const stale = (node: string) =>
  `+ ! the extract of ${node} is missing, not what it should be, or not signed by its key`;
/** lux, and a link from there to hkg. */
const withHkg = { nodes: { ...lux, hkg: node(3) }, links: { "lux-hkg": hkg } };

test("hosts that are told nothing, or something else, are drift", async () => {
  const one = await engine();
  const both = part(withHkg);
  await one.up(both);
  const extract = join(folder, "prod/hosts/hkg/net.test");
  const told = readFileSync(extract, "utf8");
  expect(told).toContain(`peer ${keyOf(1)} inter-lux lux follower`);
  writeFileSync(extract, told.replace("inter-lux", "eth0"));
  rmSync(join(folder, "prod/hosts/lux/net.test.sig"));
  expect(await one.refresh(both)).toEqual([stale("hkg"), stale("lux")]);
  expect(await one.up(both)).toBe("updated");
  expect(await one.refresh(both)).toEqual([]);
  expect(readFileSync(extract, "utf8")).toBe(told);
});

test("what another stack says has hosts told something else, and is seen where the program has read it", async () => {
  const [one, two] = [await engine("net"), await engine("edge")];
  const seen = (more: object = {}) => {
    const parsed = parseDocument(document());
    const extracts = "value" in parsed && extractsHash(parsed.value, "net/test");
    return part({ nodes: lux, links: { "lux-fra": link } }, { extracts, ...more });
  };
  await two.up(theirs());
  await one.up(seen());
  expect(await one.up(seen())).toBe("same");
  const ends = [{ node: "fra", device: "wg-lux", port: 11001 }, { node: "lux" }];
  await two.up(part({ nodes: fra, links: { "lux-fra": { ends } } }, { key: edge.key }));
  expect((await one.preview(seen())).diffs).toEqual(["extracts"]);
  expect(await one.up(seen({ extracts: undefined }))).toBe("same");
  const before = document();
  expect(await one.up(seen())).toBe("updated");
  expect(document()).toBe(before);
  expect(readFileSync(join(folder, "prod/hosts/fra/net.test"), "utf8")).toMatch(/^peer \S+ wg-lux lux /m);
  expect(await one.up(seen())).toBe("same");
});

test("a key that takes another's place signs all again", async () => {
  const one = await engine();
  await one.up(part(withHkg));
  const signature = () => readFileSync(join(folder, "prod/hosts/hkg/net.test.sig"), "utf8");
  const before = signature();
  const next = writers.make("next");
  const turned = part(withHkg, { key: next.key, signers: { "net/test": [next.publicKey] } });
  expect((await one.preview(turned)).diffs).toEqual(["key", "signers"]);
  expect(await one.up(turned)).toBe("updated");
  expect(signature()).not.toBe(before);
  expect(await one.refresh(turned)).toEqual([]);
  expect(await one.up(turned)).toBe("same");
});

test("a key that takes another's place and cannot sign all: the next run signs the rest", async () => {
  const one = await engine();
  const key = writers.make("third").key;
  const both = [net.publicKey, readFileSync(`${key}.pub`, "utf8").trim()];
  const before = part(withHkg, { signers: { "net/test": both } });
  await one.up(before);
  const turned = part(withHkg, { key, signers: { "net/test": both } });
  const hosts = join(folder, "prod/hosts");
  renameSync(join(hosts, "hkg"), join(hosts, "away"));
  writeFileSync(join(hosts, "hkg"), "in the way");
  expect((await failure(one.up(turned))).message).toMatch(/hosts are not told of it all yet: .*hkg\/net\.test\.sig /);
  rmSync(join(hosts, "hkg"));
  renameSync(join(hosts, "away"), join(hosts, "hkg"));
  expect(await one.refresh(turned)).toEqual([stale("hkg")]);
  expect(await one.up(turned)).toBe("updated");
  expect(await one.refresh(turned)).toEqual([]);
  // Nothing needs the old key any more.
  const alone = { "net/test": [both[1] ?? ""] };
  const signed = () => ["lux", "hkg"].map((node) => readFileSync(join(hosts, node, "net.test.sig"), "utf8"));
  const last = signed();
  expect(await one.up(part(withHkg, { key, signers: alone }))).toBe("updated");
  expect(signed()).toEqual(last);
});

test("a document that is written while hosts cannot be told is kept, and the next run tells them", async () => {
  const one = await engine();
  const both = part(withHkg);
  await one.up(ours());
  writeFileSync(join(folder, "prod/hosts"), "in the way");
  const refused = await failure(one.up(both));
  expect(refused.message).toMatch(
    /The document is written, and hosts are not told of it all yet: .*prod\/hosts\/(hkg|lux)\/net\.test\.sig cannot be /,
  );
  rmSync(join(folder, "prod/hosts"));
  expect(await one.up(both)).toBe("updated");
  expect(readdirSync(join(folder, "prod/hosts"))).toEqual(["hkg", "lux"]);
});

test("a host whose last link goes while it cannot be told is told by the next run, or the next destroy", async () => {
  const one = await engine();
  const both = part(withHkg);
  await one.up(both);
  const hosts = join(folder, "prod/hosts");
  const unreachably = async (work: () => Promise<unknown>) => {
    renameSync(hosts, `${hosts}.away`);
    writeFileSync(hosts, "in the way");
    const { message } = await failure(work());
    rmSync(hosts);
    renameSync(`${hosts}.away`, hosts);
    return message;
  };
  const peers = (node: string) => readFileSync(join(hosts, node, "net.test"), "utf8").match(/^peer .*/gm);
  const unlinked = part({ nodes: withHkg.nodes });
  expect(await unreachably(() => one.up(unlinked))).toMatch(/hosts are not told of it all yet/);
  expect(peers("hkg")).toHaveLength(1);
  expect(await one.refresh(unlinked)).toContain(stale("hkg"));
  expect(await one.up(unlinked)).toBe("updated");
  expect([peers("hkg"), peers("lux")]).toEqual([null, null]);
  expect(one.kept(unlinked).outputs.told).toBe("[]");

  await one.up(both);
  expect(one.kept(both).outputs.told).toBe('["hkg","lux"]');
  expect(await unreachably(() => one.destroy(both))).toMatch(/cannot be written/);
  expect(peers("hkg")).toHaveLength(1);
  await one.destroy(both);
  expect([peers("hkg"), peers("lux")]).toEqual([null, null]);
});

test("the private key is not in state, nor in what is said of one that was given for its path", async () => {
  const one = await engine();
  const pasted = readFileSync(net.key, "utf8");
  const { message } = await failure(one.up(part({ nodes: lux }, { key: pasted })));
  expect(message).toBe(
    "key: legal is the path of an SSH key's file; write the key into a file that only you read, and name that. [input/value]",
  );
  await one.up(ours());
  const secret = readFileSync(net.key, "utf8").split("\n")[2] ?? "";
  expect(secret.length).toBeGreaterThan(20);
  expect(JSON.stringify([...one.state.values()])).not.toContain(secret);
});
