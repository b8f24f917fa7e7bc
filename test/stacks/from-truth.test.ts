/** The stack that is built from a document alone: what it declares says the same document again. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "../../sdk/faults";
import { declaredSchema, lines } from "../../sdk/truth";
import { openStore } from "../../sdk/truth/store";
import { type Truth, write } from "../../sdk/truth/write";
import { registered } from "../components/declare";
import { keyOf, node } from "../sdk/truth/arbitrary";
import { Writers } from "../sdk/truth/keys";
import { declared } from "../sdk/truth/writing";

const writers = new Writers();
const folder = mkdtempSync(join(tmpdir(), "overlay-from-truth-"));
afterAll(() => {
  writers.remove();
  rmSync(folder, { recursive: true });
});
const [own, edge] = [writers.make("own"), writers.make("edge")];
const signers = { "net/prod": [own.publicKey], "edge/prod": [edge.publicKey] };
const store = `file://${folder}`;

const reached = (name: string) => ({ connection: { host: `${name}.example`, port: 22, user: "root" } });
const lux = node(1, { ...reached("lux"), ports: [443, 4500] });
const choice = [{ address: "203.0.113.3" }, { name: "home.example.net", family: "inet" as const, cost: 10 }];
const said = {
  prefixes: ["10.255.0.0/16", "fd00:6f::/48"],
  nodes: {
    lux,
    hkg: { ...node(3, { ...reached("hkg"), endpoints: choice, portBase: 12_000 }), publicKey: undefined },
    van: node(5, { ...reached("van"), endpoints: [] }),
    tub: node(6, { ...reached("tub"), endpoints: [] }),
  },
  links: {
    "lux-hkg": {
      ends: [
        { node: "hkg", device: "wg-lux", port: 7001, alsoPorts: [53] },
        { node: "lux", device: "wg-hkg", port: 4500 },
      ],
      family: "inet" as const,
      mtu: 1400,
      chooser: "hkg",
    },
    "lux-fra": { ends: [{ node: "fra" }, { node: "lux", device: "inter-fra", port: 443 }], mtu: 1420 },
    "lux-tub": {
      ends: [
        { node: "lux", device: "inter-tub", port: 7002 },
        { node: "tub", device: "inter-lux", port: 11001 },
      ],
      mtu: 1420,
    },
    "lux-van": {
      ends: [
        { node: "lux", device: "inter-van", port: 7003 },
        { node: "van", device: "inter-lux", port: 11001 },
      ],
      mtu: 1420,
    },
    hub: {
      ends: [{ node: "fra" }, ...["hkg", "tub"].map((it) => ({ node: it, device: "wg0", port: 51_820 }))],
      mtu: 1420,
    },
    "tub-van-by-lux": { ends: [{ node: "tub" }, { node: "van" }], relay: "lux", allowPlaintext: true as const },
  },
};

/** The lines of what the stack says, with the keys that its machines are given here in place of those of the document. */
async function built(): Promise<{ made: Awaited<ReturnType<typeof registered>>; lines: string[] }> {
  pulumi.runtime.setAllConfig({
    "truth:network": "prod",
    "truth:store": store,
    "truth:key": own.key,
    "truth:signers": JSON.stringify(signers),
  });
  let made: Awaited<ReturnType<typeof registered>> = [];
  await jest.isolateModulesAsync(async () => {
    made = await registered(() => require("../../stacks/from-truth"));
  });
  const { spec } = made.find(({ type }) => type === "overlay:truth:Part")?.inputs ?? {};
  const keys = JSON.stringify(spec).replaceAll(/"key-of-(\w+)"/g, (_, name) => JSON.stringify(keyOf(name.length)));
  const result = parse(declaredSchema, JSON.parse(keys));
  if ("faults" in result) throw new Error(JSON.stringify(result.faults));
  return { made, lines: lines(result.value) };
}

const truth: Truth = { store: openStore(store), network: "prod", signers };
const withoutKeys = (all: string[]) => all.map((line) => line.replace(/,?"publicKey":"[^"]*"/, ""));

test("before there is a document it says nothing, which makes one to edit", async () => {
  const { made, lines } = await built();
  expect(made.map(({ type }) => type)).toEqual(["overlay:truth:Part"]);
  expect(lines).toEqual([]);
});

test("then each node and link is made as it is written there, and said again in the same lines", async () => {
  await write(
    truth,
    { stack: "edge/prod", key: edge.key },
    declared({ nodes: { fra: node(2, { portBase: 20_000 }) } }),
  );
  await write(truth, { stack: "net/prod", key: own.key }, declared(said));
  const { made, lines: again } = await built();
  expect(withoutKeys(again)).toEqual(withoutKeys(lines(declared(said))));
  const spec = (name: string) => made.find((it) => it.name === name)?.inputs.spec;
  expect(spec("lux-hkg@hkg")).toMatchObject({
    device: "wg-lux",
    mtu: 1400,
    listenPort: 7001,
    alsoPorts: [53],
    peer: { name: "lux" },
  });
  expect(spec("lux-fra@lux")).toMatchObject({
    listenPort: 443,
    peer: { publicKey: keyOf(2), endpoint: "203.0.0.3:20001" },
  });
  const hub = JSON.parse(spec("hub@hkg"));
  expect(hub).toMatchObject({ device: "wg0", listenPort: 51_820 });
  expect(hub.peers.at(-1)).toMatchObject({ name: "fra", endpoint: "203.0.0.3:20002" });
  expect(made.find(({ name }) => name === "lux")?.inputs.spec.relay).toMatchObject([
    { a: { name: "tub" }, b: { name: "van" } },
  ]);
  expect(made.find(({ name }) => name === "hkg")?.inputs.connection).toMatchObject({ host: "hkg.example" });
});
