/** Two programs without an engine, which are in one network by way of a document in a folder. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OverlayNode, SourceOfTruth, type SourceOfTruthArgs, star, WgLink, WgMesh } from "../../components";
import { openStore } from "../../sdk/truth/store";
import { type Truth, write } from "../../sdk/truth/write";
import { keyOf, node as nodeSaid } from "../sdk/truth/arbitrary";
import { Writers } from "../sdk/truth/keys";
import { declared } from "../sdk/truth/writing";
import { registered } from "./declare";

const writers = new Writers();
const folder = mkdtempSync(join(tmpdir(), "overlay-components-"));
afterAll(() => {
  writers.remove();
  rmSync(folder, { recursive: true });
});
const [net, edge] = [writers.make("net"), writers.make("edge")];
const signers = { "net/prod": [net.publicKey], "edge/prod": [edge.publicKey] };
const store = `file://${folder}/store`;
const args = (more: Partial<SourceOfTruthArgs> = {}): SourceOfTruthArgs => ({
  network: "prod",
  store,
  key: net.key,
  signers,
  ...more,
});

const node = (name: string, id: number, more: object = {}) =>
  new OverlayNode(name, {
    id,
    connection: { host: `${name}.example` },
    addresses: [`10.255.0.${id}`],
    endpoints: [`203.0.113.${id}`],
    prefixes: ["10.255.0.0/24"],
    ...more,
  });

beforeAll(async () => {
  const truth: Truth = { store: openStore(store), network: "prod", signers };
  const ends = [
    { node: "fra", device: "inter-lux", port: 7001 },
    { node: "nas", device: "inter-fra", port: 11200 },
  ];
  const nodes = {
    fra: nodeSaid(200, { addresses: ["10.255.0.200"], endpoints: [{ address: "198.51.100.9" }], portBase: 20_000 }),
    nas: nodeSaid(201, { addresses: ["10.255.0.201"], endpoints: [] }),
  };
  await write(truth, { stack: "edge/prod", key: edge.key }, declared({ nodes, links: { "fra-nas": { ends } } }));
});

/** What is written, of a program that may use the source of truth. */
async function said(program: (truth: (more: Partial<SourceOfTruthArgs>) => SourceOfTruth) => void, preview = false) {
  const made = await registered(() => program((more) => new SourceOfTruth("truth", args(more))), preview);
  return { made, part: made.find(({ type }) => type === "overlay:truth:Part")?.inputs };
}

test("the nodes that are named, and the links between them, are said as the hosts were told", async () => {
  const { part } = await said((truth) => {
    const [lux, hkg] = [node("lux", 1), node("hkg", 2, { ports: [443] })];
    const [nyc, sin] = [node("nyc", 3), node("sin", 4)];
    star(lux, [hkg, node("other", 9)]);
    new WgMesh("mesh", { nodes: [nyc, sin] });
    new WgLink("phone", { a: lux, peer: { name: "phone", id: 50, publicKey: keyOf(50), addresses: ["10.255.0.50"] } });
    truth({ nodes: [lux, hkg, nyc, sin], endpoints: { hkg: [{ name: "home.example.net", cost: 7 }] } });
  });
  expect(part).toMatchObject({ network: "prod", store, key: net.key, signers });
  expect(part.spec).toEqual({
    prefixes: ["10.255.0.0/24"],
    nodes: {
      nyc: expect.objectContaining({ id: 3 }),
      sin: expect.objectContaining({ id: 4 }),
      lux: {
        id: 1,
        publicKey: "key-of-lux",
        addresses: ["10.255.0.1"],
        endpoints: [{ address: "203.0.113.1" }],
        portBase: 11000,
      },
      hkg: {
        id: 2,
        publicKey: "key-of-hkg",
        addresses: ["10.255.0.2"],
        endpoints: [{ address: "203.0.113.2" }, { name: "home.example.net", cost: 7 }],
        portBase: 11000,
        ports: [443],
      },
    },
    links: {
      "lux-hkg": {
        ends: [
          { node: "lux", device: "inter-hkg", port: 11002, alsoPorts: [] },
          { node: "hkg", device: "inter-lux", port: 443, alsoPorts: [] },
        ],
      },
      mesh: {
        ends: [
          { node: "nyc", device: "mesh", port: 11003, alsoPorts: [] },
          { node: "sin", device: "mesh", port: 11004, alsoPorts: [] },
        ],
      },
    },
  });
});

test("a node of another stack is a peer: who it is, where it is called, and the link is said with it", async () => {
  const { made, part } = await said((truth) => {
    const lux = node("lux", 1);
    const shared = truth({ nodes: [lux] });
    new WgLink("lux-fra", { a: lux, peer: shared.peer("fra", lux), alsoPorts: { a: [443] } });
    new WgLink("lux-nas", { a: lux, peer: shared.peer("nas", lux), rotate: "new" });
  });
  expect(made.find(({ name }) => name === "lux-fra@lux")?.inputs.spec).toMatchObject({
    listenPort: 11200,
    peer: { name: "fra", id: 200, publicKey: keyOf(200), addresses: ["10.255.0.200"], endpoint: "198.51.100.9:20001" },
  });
  expect(made.find(({ name }) => name === "lux-nas@lux")?.inputs.spec.peer).not.toHaveProperty("endpoint");
  expect(part.spec.links).toEqual({
    "lux-fra": { ends: [{ node: "lux", device: "inter-fra", port: 11200, alsoPorts: [443] }, { node: "fra" }] },
    "lux-nas": {
      ends: [
        { node: "lux", device: "inter-nas", port: 11201, alsoPorts: [], publicKey: expect.stringContaining("key-of-") },
        { node: "nas" },
      ],
    },
  });
});

test("what is known only later leaves the rest of the text known", async () => {
  const { part } = await said((truth) => {
    const [lux, hkg] = [node("lux", 1), node("hkg", 2)];
    new WgLink("lux-hkg", { a: lux, b: hkg });
    truth({ nodes: [lux, hkg] });
  }, true);
  expect(part.spec.nodes.lux).toMatchObject({ id: 1, addresses: ["10.255.0.1"] });
  expect(part.spec.links["lux-hkg"].ends[0]).toMatchObject({ device: "inter-hkg", port: 11002 });
});

test("a relay of the document is told to read what it forwards", async () => {
  const { part } = await said((truth) => {
    const nas = node("van", 9, { endpoints: [] });
    truth({ nodes: [nas], relays: [{ a: "van", b: "nas", by: "fra", allowPlaintext: true }] });
  });
  expect(part.spec.links).toEqual({
    "van-nas": { ends: [{ node: "van" }, { node: "nas" }], relay: "fra", allowPlaintext: true },
  });
});

test("the only node that there is needs no mention, and of two one has to be", async () => {
  let told = "";
  await said((truth) => {
    const lux = node("lux", 1);
    new WgLink("lux-fra", { a: lux, peer: truth({ nodes: [lux] }).peer("fra") });
  });
  await said((truth) => {
    try {
      truth({ nodes: [node("lux", 1), node("hkg", 2)] }).peer("fra");
    } catch (error) {
      told = (error as Error).message;
    }
  });
  expect(told).toBe('say which of the nodes is to have a link with it: peer("fra", node)');
});

/** What the program is told in place of a peer. */
async function refused(more: Partial<SourceOfTruthArgs>, name: string): Promise<string> {
  let told = "nothing";
  await said((truth) => {
    const lux = node("lux", 1);
    try {
      truth({ nodes: [lux], ...more }).peer(name, lux);
    } catch (error) {
      told = (error as Error).message;
    }
  });
  return told;
}

test("a peer that cannot be had is told with what there is", async () => {
  expect(await refused({}, "fre")).toBe("network prod has no node fre, only fra, nas: run the stack that has it first");
  expect(await refused({ network: "test" }, "fra")).toBe(
    `there is no document of network test in ${store}: run the stack that has fra first`,
  );
});

test("a forged part of the stack's own keeps it from nothing: the run writes it anew", async () => {
  const truth: Truth = { store: openStore(store), network: "prod", signers };
  await write(truth, { stack: "net/prod", key: net.key }, declared({ nodes: { lux: nodeSaid(1) } }));
  const path = join(folder, "store/prod/document.json");
  writeFileSync(path, readFileSync(path, "utf8").replace('"lux":{', '"lex":{'));
  expect(await refused({}, "fra")).toBe("nothing");
});

test("a document that a stranger has written in is no source of peers", async () => {
  expect(await refused({ signers: { "net/prod": [net.publicKey] } }, "fra")).toMatch(
    /stacks\["edge\/prod"\]: legal is a part of net\/prod, and no key of edge\/prod is known here/,
  );
});
