/** Two programs without an engine, which are in one network by way of a document in a folder. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { log } from "@pulumi/pulumi";
import { OverlayNode, SourceOfTruth, type SourceOfTruthArgs, star, WgLink, WgMesh } from "../../components";
import { Network } from "../../components/network";
import { truthArgs } from "../../components/truthArgs";
import { choosingFaults } from "../../components/truthChoosers";
import { pairFaults } from "../../components/truthRelays";
import { formatWithCodes, parse } from "../../sdk/faults";
import { openStore } from "../../sdk/truth/store";
import { type Truth, write } from "../../sdk/truth/write";
import { keyOf, node as nodeSaid } from "../sdk/truth/arbitrary";
import { Writers } from "../sdk/truth/keys";
import { declared } from "../sdk/truth/writing";
import { type Registered, reference, registered } from "./declare";

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
    new WgMesh("mesh", { nodes: [nyc, sin], mtu: 1400 });
    new WgLink("phone", { a: lux, peer: { name: "phone", id: 50, publicKey: keyOf(50), addresses: ["10.255.0.50"] } });
    truth({ nodes: [lux, hkg, nyc, sin], endpoints: { hkg: [{ name: "home.example.net", cost: 7 }] } });
  });
  expect(part).toMatchObject({ network: "prod", store, key: net.key, signers });
  expect(part).not.toHaveProperty("extracts");
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
        mtu: 1420,
      },
      mesh: {
        ends: [
          { node: "nyc", device: "mesh", port: 11003, alsoPorts: [] },
          { node: "sin", device: "mesh", port: 11004, alsoPorts: [] },
        ],
        mtu: 1400,
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
  // Of what others say it follows, too, what the hosts are told.
  expect(part.extracts).toMatch(/^[0-9a-f]{64}$/);
  expect(part.spec.links).toEqual({
    "lux-fra": {
      ends: [{ node: "lux", device: "inter-fra", port: 11200, alsoPorts: [443] }, { node: "fra" }],
      mtu: 1420,
    },
    "lux-nas": {
      ends: [
        { node: "lux", device: "inter-nas", port: 11201, alsoPorts: [], publicKey: expect.stringContaining("key-of-") },
        { node: "nas" },
      ],
      mtu: 1420,
    },
  });
});

test("hosts that choose are told who may speak of which peers, where, and how they answer inside", async () => {
  const { made, part } = await said((truth) => {
    const nodes = [node("lux", 1), node("hkg", 20), node("nyc", 3)];
    const [lux, hkg, nyc] = nodes as [OverlayNode, OverlayNode, OverlayNode];
    new WgLink("lux-hkg", { a: lux, b: hkg, rotate: "new" });
    new WgMesh("mesh", { nodes: [lux, nyc] });
    new WgLink("phone", { a: lux, peer: { name: "phone", id: 50, publicKey: keyOf(50), addresses: ["10.255.0.50"] } });
    const choose = { stores: ["file:///srv/truth"], probe: 0.5, packages: "install" as const };
    const shared = truth({ nodes, choose });
    new WgLink("lux-fra", { a: lux, peer: shared.peer("fra", lux), family: "v4", mtu: 1000 });
  });
  const choosers = made.filter(({ type }) => type === "overlay:node:Chooser");
  expect(choosers.map(({ name }) => name)).toEqual(["truth@hkg", "truth@lux", "truth@nyc"]);
  expect(choosers[1]?.inputs).toMatchObject({ connection: { host: "lux.example" }, machine: "machine-of-lux" });
  expect(choosers[1]?.inputs.spec).toEqual({
    node: "lux",
    owner: "net/prod",
    network: "prod",
    stacks: [
      {
        stack: "net/prod",
        signers: [net.publicKey.split(" ", 2).join(" ")],
        of: [
          { publicKey: "key-of-lux-hkg@hkg/inter-lux.new", address: "fe80::14" },
          { publicKey: "key-of-nyc", address: "10.255.0.3" },
        ],
      },
      {
        stack: "edge/prod",
        signers: [edge.publicKey.split(" ", 2).join(" ")],
        of: [{ publicKey: keyOf(200), address: "10.255.0.200" }],
      },
    ],
    sources: [{ file: "/srv/truth" }],
    prefixes: ["10.255.0.0/24"],
    underlay: [],
    packages: "install",
    probe: 0.5,
    count: 3,
    hold: 120,
    fetch: 60,
  });
  // A host knows who signs before it gets what is signed.
  expect(part).toBeDefined();
  const [{ options }] = made.filter(({ type }) => type === "overlay:truth:Part") as [Registered];
  expect(options.dependsOn).toHaveLength(3);
});

test("of a stack that has nothing to say to a host it is not asked: a node alone asks only others, or nobody", async () => {
  const { made } = await said((truth) => {
    const [lux, hkg] = [node("lux", 1), node("hkg", 2)];
    const shared = truth({ nodes: [lux, hkg], choose: { stores: ["file:///srv/truth"] } });
    new WgLink("lux-fra", { a: lux, peer: shared.peer("fra", lux) });
  });
  const choosers = made.filter(({ type }) => type === "overlay:node:Chooser");
  const asked = choosers.map(({ name, inputs }) => [name, inputs.spec.stacks.map((it: { stack: string }) => it.stack)]);
  expect(asked).toEqual([
    ["truth@hkg", []],
    ["truth@lux", ["edge/prod"]],
  ]);
});

test("a peer of a mesh is called by all at its mesh's port, and all their hosts are told who may speak of it", async () => {
  const { made, part } = await said((truth) => {
    const [lux, nyc] = [node("lux", 1), node("nyc", 3)];
    const shared = truth({ nodes: [lux, nyc], choose: { stores: ["file:///srv/truth"] } });
    new WgMesh("mesh", { nodes: [lux, nyc], peers: [shared.peer("fra", [lux, nyc])] });
  });
  const specs = ["lux", "nyc"].map((it) => made.find(({ name }) => name === `mesh@${it}`)?.inputs.spec);
  const peers = specs.map((it) => JSON.parse(it).peers.at(-1));
  const called = { name: "fra", publicKey: keyOf(200), endpoint: "198.51.100.9:20200" };
  expect(peers).toMatchObject([called, called]);
  expect(part.spec.links.mesh.ends.map((it: { node: string }) => it.node)).toEqual(["lux", "nyc", "fra"]);
  const choosers = made.filter(({ type }) => type === "overlay:node:Chooser");
  const theirs = choosers.map(({ inputs }) => inputs.spec.stacks.at(-1));
  const fra = { stack: "edge/prod", of: [{ publicKey: keyOf(200), address: "10.255.0.200" }] };
  expect(theirs).toMatchObject([fra, fra]);
});

test("of credentials hosts are told the hash; what is wrong with them, and with a host of two networks, is told", async () => {
  const { AWS_SHARED_CREDENTIALS_FILE: before } = process.env;
  process.env.AWS_SHARED_CREDENTIALS_FILE = join(folder, "credentials");
  const bucket = "s3://truth/net?endpoint=https://acc.r2.cloudflarestorage.com";
  const specs = async (choose: SourceOfTruthArgs["choose"]) => {
    const { made } = await said((truth) => void truth({ store: bucket, nodes: [node("lux", 1)], choose }));
    return made.filter(({ type }) => type === "overlay:node:Chooser").map(({ inputs }) => inputs.spec);
  };
  try {
    writeFileSync(join(folder, "credentials"), '[hosts]\naws_access_key_id = id\naws_secret_access_key = a"b\n');
    const sha256 = createHash("sha256").update('user = "id:a\\"b"\n').digest("hex");
    expect(await specs({ profile: "hosts" })).toMatchObject([
      {
        sources: [{ s3: "https://acc.r2.cloudflarestorage.com/truth/net", region: "auto" }],
        credentials: { profile: "hosts", sha256 },
      },
    ]);
    const faults = (more: Partial<SourceOfTruthArgs>) => {
      const result = parse(truthArgs, args(more));
      return formatWithCodes("faults" in result ? result.faults : choosingFaults(result.value));
    };
    expect(faults({ store: bucket, choose: {} })).toBe(
      "choose.profile: legal is the profile of the AWS tools that hosts read the bucket with; make a token that may only read (stacks/bootstrap.ts does), and write it into a profile of its own. [input/missing]",
    );
    expect(faults({ choose: { profile: "other" } })).toBe(
      `choose.profile: found "other", legal is a profile with credentials; write a profile other into ${folder}/credentials, with its aws_access_key_id and aws_secret_access_key. [host/credentials]`,
    );
    expect(faults({ choose: { profile: "hosts", stores: ["s3://truth/?endpint=https://acc.example"] } })).toMatch(
      /^choose\.stores\[0\]: found "s3:\/\/truth\/\?endpint=.*", legal is .* has endpint, and known are endpoint/,
    );
    const relative = "a whole path on the host, such as file:///srv/truth; correct the address";
    expect(faults({ store: "file://~/truth", choose: {} })).toBe(
      `store: found "file://~/truth", legal is ${relative}, or say where hosts read it in \`choose.stores\`. [truth/address]`,
    );
    expect(faults({ choose: { stores: ["file:///srv/truth", "file://./truth"] } })).toBe(
      `choose.stores[1]: found "file://./truth", legal is ${relative}. [truth/address]`,
    );
    const network = new Network();
    expect(network.addChoosers("truth", [reference("lux")])).toEqual([]);
    expect(formatWithCodes(network.addChoosers("other", [reference("lux")]))).toBe(
      'nodes[0]: found "lux", legal is nodes whose hosts do not choose by another source of truth, and lux does by truth; leave `choose` to one. [input/duplicate]',
    );
  } finally {
    if (before === undefined) delete process.env.AWS_SHARED_CREDENTIALS_FILE;
    else process.env.AWS_SHARED_CREDENTIALS_FILE = before;
  }
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

const pair = (a: string, b: string, by: string) => ({ a, b, by, allowPlaintext: true as const });

test("a relay of the document is told to read what it forwards; without a choice that is all", async () => {
  const { made, part } = await said((truth) => {
    const van = node("van", 9, { endpoints: [] });
    const shared = truth({ nodes: [van], relays: [pair("van", "nas", "fra")] });
    new WgLink("van-fra", { a: van, peer: shared.peer("fra") });
  });
  expect(part.spec.links).toMatchObject({
    "van-fra": {},
    "nas-van-by-fra": { ends: [{ node: "van" }, { node: "nas" }], relay: "fra", allowPlaintext: true },
  });
  expect(made.map(({ name }) => name)).toEqual(["truth", "van", "van-fra@van"]);
});

test("hosts that choose are told whom they may reach by a relay, at which addresses, and who may speak of it", async () => {
  const { made } = await said((truth) => {
    const nyc = node("nyc", 3, { relay: [{ a: "lux", b: "nas" }] });
    const [lux, hkg] = [node("lux", 1), node("hkg", 20)];
    new WgLink("lux-nyc", { a: lux, b: nyc });
    const relays = [
      pair("lux", "hkg", "fra"),
      pair("lux", "nas", "fra"),
      pair("lux", "nas", "nyc"), // the program's own route
      pair("hkg", "fra", "nas"), // with which hkg has a link as well
      pair("tub", "lux", "fra"), // of which nobody has told yet
    ];
    const shared = truth({ nodes: [lux, hkg, nyc], relays, choose: { stores: ["file:///srv/truth"] } });
    const link = (name: string, a: OverlayNode, peer: string) => new WgLink(name, { a, peer: shared.peer(peer, a) });
    link("lux-fra", lux, "fra");
    link("hkg-fra", hkg, "fra");
    link("hkg-nas", hkg, "nas");
    link("nyc-nas", nyc, "nas");
  });
  const spec = (name: string) => made.find((it) => it.name === `truth@${name}`)?.inputs.spec;
  const [fra, nas] = [
    { publicKey: keyOf(200), address: "fe80::c8" },
    { publicKey: keyOf(201), address: "fe80::c9" },
  ];
  expect(spec("lux")).toMatchObject({
    addresses: ["10.255.0.1"],
    relayed: [
      { publicKey: "key-of-hkg", addresses: ["10.255.0.20"] },
      { publicKey: nas.publicKey, addresses: ["10.255.0.201"] },
    ],
    stacks: [
      { stack: "net/prod", of: [{ publicKey: "key-of-nyc", address: "fe80::3" }, { publicKey: "key-of-hkg" }] },
      { stack: "edge/prod", of: [fra, { publicKey: nas.publicKey }] },
    ],
  });
  expect(spec("hkg")).toMatchObject({
    addresses: ["10.255.0.20"],
    relayed: [
      { publicKey: "key-of-lux", addresses: ["10.255.0.1"] },
      { publicKey: fra.publicKey, addresses: ["10.255.0.200"] },
    ],
    stacks: [
      { stack: "net/prod", of: [{ publicKey: "key-of-lux" }] },
      { stack: "edge/prod", of: [fra, nas] },
    ],
  });
  expect(spec("nyc")).not.toHaveProperty("relayed");
  expect(spec("nyc")).not.toHaveProperty("addresses");
});

test("a preview says which relay reads whose packets, and of which node a relay's route waits", async () => {
  const warn = jest.spyOn(log, "warn").mockResolvedValue();
  try {
    await said((truth) => {
      const lux = node("lux", 1);
      const relays = [pair("lux", "nas", "fra"), pair("tub", "lux", "fra")];
      const shared = truth({ nodes: [lux], relays, choose: { stores: ["file:///srv/truth"] } });
      new WgLink("lux-fra", { a: lux, peer: shared.peer("fra") });
    }, true);
    expect(warn.mock.calls.map(([text]) => text)).toEqual([
      "fra can read what lux and nas send each other.\nfra can read what tub and lux send each other. [warning/readable]",
      "The route of lux to tub by way of fra is still to come: the document has no key of tub yet. Run again when the stack that has tub has run. [warning/pending]",
    ]);
  } finally {
    warn.mockRestore();
  }
});

test("a pair of nobody here, a relay that does not forward or has no link, and a name that another has are faults", () => {
  const network = new Network();
  const declare = (name: string, id: number, more: object = {}) =>
    network.addNode(name, { id, connection: { host: `${name}.example` }, endpoints: [`203.0.113.${id}`], ...more });
  declare("lux", 1);
  declare("nyc", 3, { relay: [{ a: "nas", b: "lux" }] });
  declare("sin", 4);
  const peer = { name: "fra", id: 200, publicKey: keyOf(200), addresses: ["10.255.0.200"] };
  network.addLink("lux-fra", { a: reference("lux"), peer });
  network.addLink("lux-nyc", { a: reference("lux"), b: reference("nyc") });
  network.addMesh("lux-sin-by-fra", { nodes: [reference("lux"), reference("sin")] });
  const faults = (...relays: ReturnType<typeof pair>[]) =>
    formatWithCodes(pairFaults({ nodes: [reference("lux"), reference("nyc")], relays }, network)).split("\n");
  expect(faults(pair("lux", "nas", "fra"), pair("lux", "nas", "nyc"))).toEqual([""]);
  expect(faults(pair("sin", "nas", "fra"))).toEqual([
    "relays[0]: legal is a pair with one of `nodes` in it, and neither sin nor nas is one; leave it to the stacks that have them. [input/conflict]",
  ]);
  expect(faults(pair("lux", "nas", "fra"), pair("lux", "nas", "sin"))).toEqual([
    'relays[1].by: found "sin", legal is a node that forwards between the two, and sin does not; add relay: [{ a: "lux", b: "nas" }] to sin. [input/way]',
  ]);
  expect(faults(pair("lux", "nyc", "fra"))).toEqual([
    'relays[0].by: found "fra", legal is a node that nyc has a link or a mesh with; declare one, or leave the pair out. [input/way]',
  ]);
  expect(faults(pair("lux", "nas", "fra"), pair("nas", "lux", "fra"), pair("lux", "sin", "fra"))).toEqual([
    "relays[1]: legal is a pair whose name, lux-nas-by-fra, no other has, and relays[0] has it; leave it out here. [input/duplicate]",
    "relays[2]: legal is a pair whose name, lux-sin-by-fra, no other has, and mesh lux-sin-by-fra has it; give the other another name. [input/duplicate]",
  ]);
});

test("a relay of another stack that is a peer in a mesh alone is a fault: nothing for others is sent by it there", () => {
  const faults = (routes: string[], linked = false) => {
    const network = new Network();
    network.addNode("lux", { id: 1, connection: { host: "lux.example" }, endpoints: ["203.0.113.1"] });
    network.addNode("sin", { id: 4, connection: { host: "sin.example" }, endpoints: ["203.0.113.4"] });
    const peer = { name: "fra", id: 200, publicKey: keyOf(200), addresses: ["10.255.0.200"], routes };
    network.addMesh("mesh", { nodes: [reference("lux"), reference("sin")], peers: [peer] });
    if (linked) network.addLink("lux-fra", { a: reference("lux"), peer });
    return formatWithCodes(pairFaults({ nodes: [reference("lux")], relays: [pair("lux", "nas", "fra")] }, network));
  };
  expect(faults([])).toBe(
    'relays[0].by: found "fra", legal is a node that lux has a link with, for in a mesh fra is sent what is its own alone; declare a WgLink of the two, or add the addresses of nas to `routes` of fra among `peers` of the mesh. [input/relay]',
  );
  expect([faults(["10.255.0.201/32"]), faults([], true)]).toEqual(["", ""]);
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
  expect(told).toBe(
    'say which of the nodes is to have a link with it: peer("fra", node); or a mesh: peer("fra", [node, node]) [input/peer]',
  );
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
  expect(await refused({}, "fre")).toBe(
    "network prod has no node fre, only fra, nas: run the stack that has it first [input/peer]",
  );
  expect(await refused({ network: "test" }, "fra")).toBe(
    `there is no document of network test in ${store}: run the stack that has fra first [input/peer]`,
  );
});

test("a read whose process says nothing of its own has a code, too", () => {
  const place = JSON.stringify({ network: "prod", store, signers });
  const read = `require(${JSON.stringify(join(__dirname, "../../dist/components/truthPeers"))}).documentNow(${place})`;
  // That process does not start.
  const program = `process.env.NODE_OPTIONS = "--none"; try { ${read} } catch ({ message }) { console.log(message) }`;
  expect(spawnSync(process.execPath, ["-e", program], { encoding: "utf8" }).stdout).toMatch(
    /^the document of network prod in file:\S+ could not be read: .*--none is not allowed in NODE_OPTIONS \[truth\/unreachable\]\n$/,
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
