/** From what people write about post-quantum keys to what hosts are told, and what is wrong with it. */
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type * as pulumi from "@pulumi/pulumi";
import {
  OverlayNode,
  type OverlayNodeArgs,
  RosenpassPeer,
  type RosenpassPeerArgs,
  WgLink,
  type WgLinkArgs,
  WgMesh,
  type WgMeshArgs,
} from "../../components";
import { Network } from "../../components/network";
import { pairFaults } from "../../components/truthRelays";
import { formatWithCodes } from "../../sdk/faults";
import { reference, registered } from "./declare";

const lux = {
  id: 1,
  connection: { host: "lux.example" },
  addresses: ["10.255.0.1"],
  endpoints: ["203.0.113.5", "2001:db8:1::5"],
};
const fra = { id: 2, connection: { host: "fra.example" }, addresses: ["10.255.0.2"], endpoints: ["198.51.100.9"] };
/** Behind a NAT. */
const nas = { id: 9, connection: { host: "nas.example" }, addresses: ["10.255.0.9"] };
const phone = {
  name: "phone",
  id: 50,
  publicKey: "6PM6M3yA+XrJtGFWhhjxQUu4LL4IL3LOwqJTGTYDeFw=",
  addresses: ["10.255.0.50"],
};

const folder = mkdtempSync(join(tmpdir(), "overlay-test-"));
afterAll(() => rmSync(folder, { recursive: true }));
const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
/** A file of so many bytes, and its hash. */
function file(name: string, size: number): { path: string; sha256: string } {
  const [path, bytes] = [join(folder, name), Buffer.alloc(size, name)];
  writeFileSync(path, bytes);
  return { path, sha256: sha256(bytes) };
}
const key = file("phone.public", 524160);
const program = file("rosenpass", 100);

/** Stands for the link of lux and fra. */
const luxFra = {
  __pulumiResource: true,
  __pulumiType: "overlay:index:WgLink",
  linkName: "lux-fra",
  formerNames: [],
} as unknown as WgLink;

const found = Object.fromEntries(
  ["lux", "fra", "nas", "hkg"].flatMap((node) => [
    [`rosenpass@${node}`, { publicKey: sha256(Buffer.from(node)), version: "rosenpass 0.2.2" }],
    [node, { publicKey: `${node}${"A".repeat(43 - node.length)}=`, machine: node }],
  ]),
);

/** The types and names of what a program registers, with what each waits for. */
const order = async (made: Awaited<ReturnType<typeof registered>>) =>
  Promise.all(
    made.map(async ({ type, name, options }) => {
      const dependsOn = ((await (options.dependsOn as unknown as Promise<pulumi.Resource[]>)) ??
        []) as pulumi.Resource[];
      const of = (it: pulumi.Resource) =>
        `${Reflect.get(it, "__pulumiType").replace("overlay:", "")} ${Reflect.get(it, "__name")}`;
      return `${type.replace("overlay:", "")} ${name}${dependsOn.length > 0 ? `: ${dependsOn.map(of).join(", ")}` : ""}`;
    }),
  );
// biome-ignore lint/suspicious/noExplicitAny: what the program gave
const specs = (made: Awaited<ReturnType<typeof registered>>, type: string): Record<string, any> =>
  Object.fromEntries(
    made.filter((it) => it.type === `overlay:rosenpass:${type}`).map(({ name, inputs }) => [name, inputs.spec]),
  );

test("what the README has of it is a program, word for word", async () => {
  const readme = readFileSync(join(__dirname, "../../README.md"), "utf8");
  const [, program = ""] = /\n## Post-quantum keys\n.*?```ts\n(.*?)```/s.exec(readme) ?? [];
  const made = await registered(
    () => {
      const [a, b, home] = [new OverlayNode("lux", lux), new OverlayNode("fra", fra), new OverlayNode("nas", nas)];
      const far = { ...fra, connection: { host: "hkg.example" } };
      const hkg = new OverlayNode("hkg", { ...far, id: 3, addresses: ["10.255.0.3"], endpoints: ["192.0.2.7"] });
      const known = { RosenpassPeer, WgMesh, lux: a, fra: b, hkg, nas: home, link: new WgLink("lux-fra", { a, b }) };
      new Function(...Object.keys(known), program)(...Object.values(known));
    },
    false,
    found,
  );
  expect(Object.keys(specs(made, "Daemon")).sort()).toEqual([
    ...["lux-fra@fra", "lux-fra@lux"],
    ...["mesh.2-3@fra", "mesh.2-3@hkg", "mesh.2-9@fra", "mesh.2-9@nas", "mesh.3-9@hkg", "mesh.3-9@nas"],
  ]);
});

test("both daemons come after both preshared keys, these after both devices and both key pairs", async () => {
  const made = await registered(
    () => {
      const [a, b] = [new OverlayNode("lux", lux), new OverlayNode("fra", fra)];
      const link = new WgLink("lux-fra", { a, b });
      new RosenpassPeer("pq", { link });
    },
    false,
    found,
  );
  expect((await order(made)).filter((it) => it.startsWith("rosenpass"))).toMatchInlineSnapshot(`
[
  "rosenpass:Psk lux-fra@fra: rosenpass:Key rosenpass@lux, rosenpass:Key rosenpass@fra, wireguard:Interface lux-fra@lux, wireguard:Interface lux-fra@fra",
  "rosenpass:Daemon lux-fra@fra: rosenpass:Psk lux-fra@lux, rosenpass:Psk lux-fra@fra",
  "rosenpass:Psk lux-fra@lux: rosenpass:Key rosenpass@lux, rosenpass:Key rosenpass@fra, wireguard:Interface lux-fra@lux, wireguard:Interface lux-fra@fra",
  "rosenpass:Daemon lux-fra@lux: rosenpass:Psk lux-fra@lux, rosenpass:Psk lux-fra@fra",
  "rosenpass:Key rosenpass@fra",
  "rosenpass:Key rosenpass@lux",
]
`);
  expect(specs(made, "Key")).toMatchInlineSnapshot(`
{
  "rosenpass@fra": {
    "node": "fra",
    "owner": "net/prod",
  },
  "rosenpass@lux": {
    "node": "lux",
    "owner": "net/prod",
  },
}
`);
  expect(specs(made, "Psk")).toMatchInlineSnapshot(`
{
  "lux-fra@fra": {
    "device": "inter-lux",
    "mode": "permissive",
    "name": "lux-fra",
    "node": "fra",
    "owner": "net/prod",
    "peer": {
      "name": "lux",
      "publicKey": "luxAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
      "version": "rosenpass 0.2.2",
    },
    "version": "rosenpass 0.2.2",
  },
  "lux-fra@lux": {
    "device": "inter-fra",
    "mode": "permissive",
    "name": "lux-fra",
    "node": "lux",
    "owner": "net/prod",
    "peer": {
      "name": "fra",
      "publicKey": "fraAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
      "version": "rosenpass 0.2.2",
    },
    "version": "rosenpass 0.2.2",
  },
}
`);
  expect(specs(made, "Daemon")).toMatchInlineSnapshot(`
{
  "lux-fra@fra": {
    "binary": false,
    "called": true,
    "delay": 1,
    "device": "inter-lux",
    "mode": "permissive",
    "name": "lux-fra",
    "node": "fra",
    "owner": "net/prod",
    "peer": {
      "endpoints": [
        "203.0.113.5:21002",
        "[2001:db8:1::5]:21002",
      ],
      "key": "cdb983afc7d0d9a31218ab86da13efbe124f34092ce242af1f99cc8f771404e0",
      "name": "lux",
      "publicKey": "luxAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    },
    "port": 21001,
  },
  "lux-fra@lux": {
    "binary": false,
    "called": true,
    "delay": 0,
    "device": "inter-fra",
    "mode": "permissive",
    "name": "lux-fra",
    "node": "lux",
    "owner": "net/prod",
    "peer": {
      "endpoints": [
        "198.51.100.9:21001",
      ],
      "key": "aca621d2b04049cd12f2356ac3060b00290e619a9d3de7b4784cc10d2c490128",
      "name": "fra",
      "publicKey": "fraAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    },
    "port": 21002,
  },
}
`);
});

test("a node has one program and one key pair for all its links; who is behind a NAT calls", async () => {
  const made = await registered(
    () => {
      const [a, b, c] = [new OverlayNode("lux", lux), new OverlayNode("fra", fra), new OverlayNode("nas", nas)];
      new RosenpassPeer("one", { link: new WgLink("lux-fra", { a, b }), mode: "strict", binary: program });
      new RosenpassPeer("two", { link: new WgLink("lux-nas", { a, b: c }), port: 51830, binary: program });
    },
    false,
    found,
  );
  expect(specs(made, "Key")).toEqual({
    "rosenpass@fra": { node: "fra", owner: "net/prod", binary: program },
    "rosenpass@lux": { node: "lux", owner: "net/prod", binary: program },
    "rosenpass@nas": { node: "nas", owner: "net/prod", binary: program },
  });
  const daemons = specs(made, "Daemon");
  const of = Object.entries(daemons).map(([name, { mode, port, delay, called, peer }]) => [
    name,
    { mode, port, delay, called, at: peer.endpoints },
  ]);
  expect(Object.fromEntries(of)).toMatchInlineSnapshot(`
{
  "lux-fra@fra": {
    "at": [
      "203.0.113.5:21002",
      "[2001:db8:1::5]:21002",
    ],
    "called": true,
    "delay": 1,
    "mode": "strict",
    "port": 21001,
  },
  "lux-fra@lux": {
    "at": [
      "198.51.100.9:21001",
    ],
    "called": true,
    "delay": 0,
    "mode": "strict",
    "port": 21002,
  },
  "lux-nas@lux": {
    "at": [],
    "called": true,
    "delay": 0,
    "mode": "permissive",
    "port": 51830,
  },
  "lux-nas@nas": {
    "at": [
      "203.0.113.5:51830",
      "[2001:db8:1::5]:51830",
    ],
    "called": false,
    "delay": 0,
    "mode": "permissive",
    "port": 51830,
  },
}
`);
});

test("every two nodes of a mesh, on one device each", async () => {
  const made = await registered(
    () => {
      const nodes = [new OverlayNode("lux", lux), new OverlayNode("fra", fra), new OverlayNode("nas", nas)];
      const mesh = new WgMesh("mesh", { nodes, postQuantum: { mode: "strict" } });
      return { health: mesh.health };
    },
    false,
    found,
  );
  expect((await order(made)).filter((it) => /^rosenpass:(Psk|Daemon) .*lux/.test(it))).toMatchInlineSnapshot(`
[
  "rosenpass:Psk mesh.1-2@fra: rosenpass:Key rosenpass@lux, rosenpass:Key rosenpass@fra, wireguard:Interface mesh@lux, wireguard:Interface mesh@fra",
  "rosenpass:Daemon mesh.1-2@fra: rosenpass:Psk mesh.1-2@lux, rosenpass:Psk mesh.1-2@fra",
  "rosenpass:Psk mesh.1-2@lux: rosenpass:Key rosenpass@lux, rosenpass:Key rosenpass@fra, wireguard:Interface mesh@lux, wireguard:Interface mesh@fra",
  "rosenpass:Daemon mesh.1-2@lux: rosenpass:Psk mesh.1-2@lux, rosenpass:Psk mesh.1-2@fra",
  "rosenpass:Psk mesh.1-9@lux: rosenpass:Key rosenpass@lux, rosenpass:Key rosenpass@nas, wireguard:Interface mesh@lux, wireguard:Interface mesh@nas",
  "rosenpass:Daemon mesh.1-9@lux: rosenpass:Psk mesh.1-9@lux, rosenpass:Psk mesh.1-9@nas",
  "rosenpass:Psk mesh.1-9@nas: rosenpass:Key rosenpass@lux, rosenpass:Key rosenpass@nas, wireguard:Interface mesh@lux, wireguard:Interface mesh@nas",
  "rosenpass:Daemon mesh.1-9@nas: rosenpass:Psk mesh.1-9@lux, rosenpass:Psk mesh.1-9@nas",
]
`);
  const daemons = Object.entries(specs(made, "Daemon"));
  expect(
    daemons.map(([name, { device, port, peer }]) => `${name} ${device} ${port} ${peer.name}`),
  ).toMatchInlineSnapshot(`
[
  "mesh.1-2@fra mesh 31001 lux",
  "mesh.1-2@lux mesh 31002 fra",
  "mesh.1-9@lux mesh 31009 nas",
  "mesh.1-9@nas mesh 31001 lux",
  "mesh.2-9@fra mesh 31009 nas",
  "mesh.2-9@nas mesh 31002 fra",
]
`);
});

test("a device of a strict link comes after its node's key pair, that of a permissive one does not, and each says that it has keys", async () => {
  const devices = async (mode: "permissive" | "strict") => {
    const made = await registered(
      () => {
        const [a, b, c] = [new OverlayNode("lux", lux), new OverlayNode("fra", fra), new OverlayNode("nas", nas)];
        new RosenpassPeer("pq", { link: new WgLink("lux-fra", { a, b }), mode });
        new WgLink("lux-nas", { a, b: c });
        const hkg = { id: 3, connection: { host: "hkg.example" }, addresses: ["10.255.0.3"], endpoints: ["192.0.2.7"] };
        new WgMesh("mesh", { nodes: [b, new OverlayNode("hkg", hkg)], postQuantum: { mode } });
      },
      false,
      found,
    );
    const own = made.filter(({ type }) => type.endsWith(":Interface"));
    expect(own.flatMap(({ name, inputs }) => (inputs.keyed ? [name] : [])).sort()).toEqual([
      ...["lux-fra@fra", "lux-fra@lux", "mesh@fra", "mesh@hkg"],
    ]);
    return (await order(own)).sort();
  };
  expect(await devices("strict")).toMatchInlineSnapshot(`
[
  "wireguard:Interface lux-fra@fra: wireguard:Interface lux-fra@lux, rosenpass:Key rosenpass@fra",
  "wireguard:Interface lux-fra@lux: rosenpass:Key rosenpass@lux",
  "wireguard:Interface lux-nas@lux",
  "wireguard:Interface lux-nas@nas: wireguard:Interface lux-nas@lux",
  "wireguard:Interface mesh@fra: rosenpass:Key rosenpass@fra",
  "wireguard:Interface mesh@hkg: rosenpass:Key rosenpass@hkg",
]
`);
  expect((await devices("permissive")).join()).not.toContain("rosenpass");
});

test("a node of a mesh that is renamed: what it has bears its new name and is known by the old one, at the other end is no change", async () => {
  const made = async (formerly?: string) => {
    const all = await registered(
      () => {
        const aliases = formerly === undefined ? [] : [{ name: formerly }];
        const nodes = [
          new OverlayNode(formerly === undefined ? "nas" : "home", nas, { aliases }),
          new OverlayNode("lux", lux),
        ];
        new WgMesh("mesh", { nodes, postQuantum: {} });
      },
      false,
      { ...found, home: found.nas as object, "rosenpass@home": found["rosenpass@nas"] as object },
    );
    const of = all
      .filter(({ type }) => /:(Psk|Daemon)$/.test(type))
      .map(({ name, inputs }) => [name, inputs.spec.name]);
    return { of: [...new Set(of.map((it) => it.join(" ")))], all };
  };
  expect((await made()).of).toEqual(["mesh.1-9@lux mesh.1-9", "mesh.1-9@nas mesh.1-9"]);
  const { of, all } = await made("nas");
  expect(of).toEqual(["mesh.1-9@home mesh.1-9", "mesh.1-9@lux mesh.1-9"]);
  const own = all.filter(({ name }) => name === "mesh.1-9@home");
  expect(own.map(({ options }) => options.aliases)).toEqual([[{ name: "mesh.1-9@nas" }], [{ name: "mesh.1-9@nas" }]]);
});

test("a link that is renamed, and a node of it: what exchanges its keys is known by all its former names", async () => {
  const made = await registered(
    () => {
      const [a, b] = [new OverlayNode("lux", lux), new OverlayNode("fra", fra, { aliases: [{ name: "old" }] })];
      new RosenpassPeer("pq", { link: new WgLink("spine", { a, b }, { aliases: [{ name: "lux-fra" }] }) });
    },
    false,
    found,
  );
  const own = made.filter(({ type }) => /:(Psk|Daemon)$/.test(type));
  const names = (aliases: unknown) => (aliases as { name: string }[]).map(({ name }) => name);
  expect(own.map(({ name, options }) => [name, ...names(options.aliases)].join(" "))).toEqual([
    "spine@fra spine@old lux-fra@fra lux-fra@old",
    "spine@fra spine@old lux-fra@fra lux-fra@old",
    "spine@lux lux-fra@lux",
    "spine@lux lux-fra@lux",
  ]);
});

test("somebody else's machine has its key in a file, and is told how to call", async () => {
  const told: string[] = [];
  const made = await registered(
    () => {
      const link = new WgLink("lux-phone", { a: new OverlayNode("lux", lux), peer: phone });
      new RosenpassPeer("phone", { link, peerKey: key.path }).peerConfig.apply((it) => told.push(it ?? ""));
    },
    false,
    found,
  );
  expect(specs(made, "Daemon")["lux-phone@lux"].peer).toEqual({
    ...{ name: "phone", publicKey: phone.publicKey, key: key.sha256, file: key.path, endpoints: [] },
  });
  expect(specs(made, "Psk")["lux-phone@lux"].peer).toEqual({ name: "phone", publicKey: phone.publicKey });
  expect(told).toMatchInlineSnapshot(`
[
  "# Rosenpass on phone, with lux. The public key of lux: npx overlay rosenpass HOST > lux.public
public_key = "phone.public"
secret_key = "phone.secret"
listen = ["[::]:21001"]
verbosity = "Quiet"

[[peers]]
public_key = "lux.public"
endpoint = "203.0.113.5:21050"
device = "wg0"
peer = "luxAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
",
]
`);
});

test("a document that names a relay of two whose link is strict", () => {
  const network = new Network();
  network.addNode("lux", lux);
  network.addNode("fra", fra);
  network.addNode("hkg", {
    ...nas,
    id: 3,
    connection: { host: "hkg.example" },
    addresses: [],
    endpoints: ["192.0.2.7"],
  });
  network.addLink("lux-fra", { a: reference("lux"), b: reference("fra") });
  network.addLink("lux-hkg", { a: reference("lux"), b: reference("hkg") });
  const pair = {
    nodes: [reference("lux")],
    relays: [{ a: "lux", b: "fra", by: "hkg", allowPlaintext: true as const }],
  };
  const said = () => formatWithCodes(pairFaults(pair, network)).split("\n");
  const before = said();
  network.addRosenpass("pq", { link: luxFra, mode: "strict" });
  expect(said().filter((it) => !before.includes(it))).toMatchInlineSnapshot(`
[
  "relays[0]: legal is a pair without a link that is strict about its keys, and that of lux and fra is; leave it out, or make their link permissive. [input/strict]",
]
`);
});

/** What is wrong with one exchange over a link of two nodes. */
function faults(
  args: Partial<RosenpassPeerArgs>,
  a: Partial<OverlayNodeArgs> = {},
  b: Partial<OverlayNodeArgs> = {},
  more: { link?: Partial<WgLinkArgs>; also?: (network: Network) => void } = {},
): string[] {
  const network = new Network();
  const said: string[] = [];
  const noted = (checked: object) =>
    "faults" in checked && said.push(...formatWithCodes(checked.faults as never).split("\n"));
  noted(network.addNode("lux", { ...lux, ...a }));
  noted(network.addNode("fra", { ...fra, ...b }));
  noted(network.addLink("lux-fra", { a: reference("lux"), b: reference("fra"), ...more.link }));
  more.also?.(network);
  noted(network.addRosenpass("pq", { link: luxFra, ...args }));
  noted({ faults: network.strictFaults({ mode: args.mode ?? "permissive" }, ["lux", "fra"]) });
  return said.filter(Boolean).map((line) => line.replaceAll(folder, "FOLDER"));
}

test("what is wrong with an exchange, before any host is touched", () => {
  const peer = { link: { b: undefined, peer: phone } as Partial<WgLinkArgs> };
  const short = file("short.public", 1000);
  const again = (network: Network) => void network.addRosenpass("first", { link: luxFra });
  const taken = (network: Network) =>
    void network.addLink("lux-nas", { a: reference("lux"), b: reference("nas"), ports: { a: 21002 } });
  const relay = (network: Network) =>
    void network.addNode("hkg", {
      ...nas,
      id: 3,
      connection: { host: "hkg.example" },
      addresses: [],
      relay: [{ a: "fra", b: "lux" }],
    });
  const withNas = (network: Network) => {
    network.addNode("nas", nas);
    taken(network);
  };
  expect({
    "another program": faults({ binary: { ...program, sha256: "0".repeat(64) } }),
    "no program": faults({ binary: { path: `${folder}/none`, sha256: program.sha256 } }),
    neither: faults({ binary: { sha256: program.sha256 } }),
    both: faults({ binary: { ...program, url: "https://example.com/rosenpass" } }),
    "a mode that is none": faults({ mode: "paranoid" as never }),
    twice: faults({}, {}, {}, { also: again }),
    "a port of a link": faults({}, {}, {}, { also: withNas }),
    "few ports": faults({}, { ports: [51820, 51821] }),
    "a port that is none of few": faults({ port: 51830 }, { ports: [51820, 51821] }),
    "endpoints with few ports": faults(
      {},
      { endpoints: [{ address: "203.0.113.5", ports: [443] }] },
      { endpoints: [] },
    ),
    "a great id": faults({}, {}, { id: 50000 }),
    "strict by a relay": faults({ mode: "strict" }, {}, {}, { also: relay }),
    "permissive by a relay": faults({}, {}, {}, { also: relay }),
    "a key where there are two nodes": faults({ peerKey: key.path }),
    "no key of a peer": faults({}, {}, {}, peer),
    "a key of another size": faults({ peerKey: short.path }, {}, {}, peer),
    "a key that is not there": faults({ peerKey: `${folder}/none` }, {}, {}, peer),
  }).toMatchInlineSnapshot(`
{
  "a great id": [
    "port: legal is a UDP port, at most 65535, and that of lux would be 71000; give one. [input/range]",
  ],
  "a key of another size": [
    "peerKey: found "FOLDER/short.public", legal is a public key of rosenpass 0.2, a file of 524160 bytes (this one has 1000); copy the public key of phone there once more, as bytes. [provider/wrongFile]",
  ],
  "a key that is not there": [
    "peerKey: found "FOLDER/none", legal is a public key of rosenpass 0.2, a file of 524160 bytes (ENOENT); copy the public key of phone there once more, as bytes. [provider/unreadable]",
  ],
  "a key where there are two nodes": [
    "peerKey: legal is absent where the link has two nodes, whose keys are their own; leave it out. [input/conflict]",
  ],
  "a mode that is none": [
    "mode: found "paranoid", legal is one of "permissive", "strict"; correct the value. [input/value]",
  ],
  "a port of a link": [
    "pq.lux.port: found 21002, legal is UDP port 21002 on lux once, and link lux-nas has it already; give another \`port\`. [input/duplicate]",
  ],
  "a port that is none of few": [
    "port: found 51830, legal is one of the UDP ports that lux has, 51820, 51821, and none that a link has; choose one of them. [input/port]",
  ],
  "another program": [
    "binary.path: found "FOLDER/rosenpass", legal is a program with the SHA-256 that \`sha256\` says, and this one has 355ab06aeb7934cbdfe47231587907dee7f05fbdaefb369028cf8e4b6cf34d56; get the right program, or correct \`sha256\`. [provider/wrongFile]",
  ],
  "both": [
    "binary: legal is either \`path\` or \`url\`; give one of the two. [input/conflict]",
  ],
  "endpoints with few ports": [
    "port: legal is an endpoint of lux or fra that is reached at Rosenpass's port, too, which is not among its \`ports\`; give a \`port\` that is among them, and that no link has. [input/port]",
  ],
  "few ports": [
    "port: legal is one of the UDP ports that lux has, 51820, 51821, and none that a link has; add it. [input/missing]",
  ],
  "neither": [
    "binary: legal is either \`path\` or \`url\`; give one of the two. [input/conflict]",
  ],
  "no key of a peer": [
    "peerKey: legal is the file with the Rosenpass public key of phone, because the other end is a \`peer\`; have \`rosenpass gen-keys\` run there, copy its public key, and name that file. [input/missing]",
  ],
  "no program": [
    "binary.path: found "FOLDER/none", legal is a file that can be read (ENOENT); correct the path, or put the program there. [provider/unreadable]",
  ],
  "permissive by a relay": [],
  "strict by a relay": [
    "mode: found "strict", legal is "permissive" where hkg relays between lux and fra: when their link is down, packets go that way, with no key of theirs; leave the pair out of \`relay\` of hkg, or say "permissive". [input/strict]",
  ],
  "twice": [
    "pq: found "lux-fra", legal is the exchange of keys lux-fra once, and rosenpass first has it already; leave one of the two out. [input/duplicate]",
  ],
}
`);
});

test("what is wrong with the keys of a mesh is said of what a mesh has", () => {
  const said = (
    nodes: Record<string, Partial<OverlayNodeArgs> & { id: number }>,
    also: (network: Network) => void = () => undefined,
    postQuantum: NonNullable<WgMeshArgs["postQuantum"]> = {},
  ): string[] => {
    const network = new Network();
    for (const [name, args] of Object.entries(nodes)) {
      const { id } = args;
      const rest = { connection: { host: `${name}.example` }, addresses: [`10.255.1.${id % 250}`] };
      network.addNode(name, { ...rest, endpoints: [`203.0.113.${id % 250}`], ...args });
    }
    also(network);
    const checked = network.addMesh("mesh", { nodes: Object.keys(nodes).map(reference), postQuantum });
    return "faults" in checked ? formatWithCodes(checked.faults).split("\n") : [];
  };
  const two = { lux: { id: 1 }, fra: { id: 2 } };
  const first = (network: Network) => {
    network.addNode("hkg", {
      ...lux,
      id: 3,
      connection: { host: "hkg.example" },
      addresses: ["10.255.2.3"],
      endpoints: [],
    });
    network.addMesh("first", { nodes: ["lux", "hkg"].map(reference), port: 51820, postQuantum: { binary: program } });
  };
  const taken = (network: Network) =>
    void network.addLink("lux-phone", { a: reference("lux"), peer: phone, ports: { a: 31002 } });
  expect({
    none: said({ "a-b": { id: 1 }, c: { id: 2 }, a: { id: 3 }, "b-c": { id: 4 } }),
    "a great id": said({ lux: { id: 1 }, fra: { id: 40000 } }),
    "few ports": said({ ...two, fra: { id: 2, ports: [51820, 51821] } }),
    "endpoints with few ports": said({
      lux: { id: 1, endpoints: [{ address: "203.0.113.5", ports: [443] }] },
      fra: { id: 2, endpoints: [] },
    }),
    "a port of a link": said(two, taken),
    "another program": said(two, first),
  }).toMatchInlineSnapshot(`
{
  "a great id": [
    "postQuantum: legal is a UDP port, at most 65535, and that of lux would be 71000; give fra a lesser \`id\`, or lux a lesser \`portBase\`. [input/range]",
  ],
  "a port of a link": [
    "mesh.lux.port: found 31002, legal is UDP port 31002 on lux once, and link lux-phone has it already; give that another port, or lux another \`portBase\`. [input/duplicate]",
  ],
  "another program": [
    "postQuantum.binary: legal is one \`binary\` for all links of lux, and mesh first has another; say the same at both. [input/conflict]",
  ],
  "endpoints with few ports": [
    "postQuantum: legal is an endpoint of lux or fra that is reached at Rosenpass's port, too, which is not among its \`ports\`; add 31002 to those of lux, or 31001 to those of fra. [input/port]",
  ],
  "few ports": [
    "postQuantum: legal is one of the UDP ports that fra has, 51820, 51821, and none that a link has, and towards lux it is 31001; add it to \`ports\` of fra. [input/port]",
  ],
  "none": [],
}
`);
});
