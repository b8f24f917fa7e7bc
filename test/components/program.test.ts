/** What programs register with the engine. */
import * as pulumi from "@pulumi/pulumi";
import { OverlayNode, WgLink } from "../../components";
import { eachSecret } from "../../components/input";
import { linkArgs } from "../../components/linkArgs";
import { Network } from "../../components/network";
import { sideSpec } from "../../components/side";
import { Interface } from "../../sdk/provider/resources";
import { reference, registered } from "./declare";

const lux = { id: 1, connection: { host: "lux.example" }, addresses: ["10.255.0.1"], endpoints: ["203.0.113.5"] };
const fra = { id: 2, connection: { host: "fra.example", port: 2222 }, addresses: ["10.255.0.2"] };

test("a host a node, an interface a side; each knows how its own machine is reached", async () => {
  const made = await registered(() => {
    const a = new OverlayNode("lux", lux);
    const b = new OverlayNode("fra", fra);
    new WgLink("lux-fra", { a, b });
  });
  expect(made.map(({ type, name }) => `${type} ${name}`)).toEqual([
    "overlay:node:Host fra",
    "overlay:node:Host lux",
    "overlay:wireguard:Interface lux-fra@fra",
    "overlay:wireguard:Interface lux-fra@lux",
  ]);
  const [host, , onFra, onLux] = made;
  expect(host?.inputs.spec).toMatchObject({ node: "fra", owner: "net/prod", id: 2, packages: "expect" });
  expect(onFra?.inputs).toMatchObject({
    connection: { host: "fra.example", port: 2222 },
    machine: "machine-of-fra",
    spec: { owner: "net/prod", peer: { name: "lux", publicKey: "key-of-lux", endpoint: "203.0.113.5:11002" } },
  });
  expect(onLux?.inputs).toMatchObject({ connection: { host: "lux.example", port: 22 }, machine: "machine-of-lux" });
});

test("a program's own stack traces are as long as they were", async () => {
  const { stackTraceLimit } = Error;
  const limits: number[] = [];
  await registered(() => {
    const a = new OverlayNode("lux", lux);
    limits.push(Error.stackTraceLimit);
    // The SDK refuses a name that is empty.
    expect(() => new Interface("", { connection: lux.connection, machine: "", spec: "{}" })).toThrow(
      "Missing resource name",
    );
    new WgLink("lux-fra", { a, b: new OverlayNode("fra", fra) });
    limits.push(Error.stackTraceLimit);
  });
  expect([stackTraceLimit > 0, ...limits]).toEqual([true, stackTraceLimit, stackTraceLimit]);
});

test("outputs of components", async () => {
  const outputs: unknown[] = [];
  await registered(() => {
    const a = new OverlayNode("lux", { ...lux, endpoints: ["203.0.113.5", { address: "2001:DB8::5", ports: [443] }] });
    const link = new WgLink("lux-fra", { a, b: new OverlayNode("fra", fra) });
    const { machine, publicKey, nodeId, endpoints, portBase, underlay } = a;
    pulumi.all([{ machine, publicKey, nodeId, endpoints, portBase, underlay }, link.sideA, link.sideB]).apply((all) => {
      outputs.push(...all);
    });
  });
  expect(outputs).toEqual([
    {
      machine: "machine-of-lux",
      publicKey: "key-of-lux",
      nodeId: 1,
      endpoints: [{ address: "203.0.113.5" }, { address: "2001:db8::5", ports: [443] }],
      portBase: 11000,
      underlay: { mtu: 1500, devices: [] },
    },
    { node: "lux", device: "inter-fra", listenPort: 11002, mtu: 1420 },
    { node: "fra", device: "inter-lux", listenPort: 11001, mtu: 1420, endpoint: "203.0.113.5:11002" },
  ]);
});

test("the MTU of a link's way is the declared one, or the least of what either side has found", async () => {
  const pathMtu = async (found: Record<string, object>): Promise<number[]> => {
    const outputs: number[] = [];
    await registered(
      () => {
        const a = new OverlayNode("lux", lux);
        const both = new WgLink("lux-fra", { a, b: new OverlayNode("fra", fra) });
        const publicKey = "Z/nQ151/XO7fH+SlX5Ri5Uf10wssuR5ZNx5DfPaOJiM=";
        const peer = { name: "phone", id: 50, publicKey, addresses: ["10.255.0.50"] };
        const one = new WgLink("lux-phone", { a, peer, mtu: 1400 });
        pulumi.all([both.pathMtu, one.pathMtu]).apply((all) => outputs.push(...all));
      },
      false,
      Object.fromEntries(Object.entries(found).map(([name, pathMtu]) => [name, { pathMtu }])),
    );
    return outputs;
  };
  expect(await pathMtu({})).toEqual([1420, 1400]);
  expect(await pathMtu({ "lux-fra@lux": {}, "lux-fra@fra": { lux: 1380 } })).toEqual([1380, 1400]);
  expect(await pathMtu({ "lux-fra@lux": { fra: 1340 }, "lux-fra@fra": { lux: 1380 } })).toEqual([1340, 1400]);
  expect(await pathMtu({ "lux-phone@lux": { phone: 1280 } })).toEqual([1420, 1280]);
});

test("addresses, ports and MTU may be other resources' outputs", async () => {
  const made = await registered(() => {
    const later = <T>(value: T) => pulumi.output(new Promise<T>((resolve) => setTimeout(() => resolve(value), 20)));
    const a = new OverlayNode("lux", {
      id: 1,
      connection: later({ host: "lux.example" }),
      addresses: [later("10.255.0.1")],
      endpoints: [later("203.0.113.5")],
      portBase: later(20000),
      underlay: { mtu: later(1400) },
    });
    const b = new OverlayNode("fra", { ...fra, endpoints: later(["198.51.100.9"]) });
    new WgLink("lux-fra", { a, b, ports: { b: later(500) } });
  });
  expect(made.map(({ inputs }) => inputs)).toMatchObject([
    { spec: { addresses: ["10.255.0.2"] } },
    { connection: { host: "lux.example" }, spec: { addresses: ["10.255.0.1"] } },
    { spec: { listenPort: 500, mtu: 1320, peer: { addresses: ["10.255.0.1"], endpoint: "203.0.113.5:20002" } } },
    { spec: { listenPort: 20002, mtu: 1320, peer: { endpoint: "198.51.100.9:500", keepalive: 25 } } },
  ]);
});

test("time limits of a component are those of what it makes", async () => {
  const [luxLimits, linkLimits] = [
    { create: "20m", update: "30s" },
    { create: "5m", delete: "10s" },
  ];
  const made = await registered(() => {
    const a = new OverlayNode("lux", lux, { customTimeouts: luxLimits });
    new WgLink("lux-fra", { a, b: new OverlayNode("fra", fra) }, { customTimeouts: linkLimits });
  });
  expect(made.map(({ name, options }) => [name, options.customTimeouts])).toEqual([
    ["fra", undefined],
    ["lux", luxLimits],
    ["lux-fra@fra", linkLimits],
    ["lux-fra@lux", linkLimits],
  ]);
});

test("a node that was called otherwise is known, and so are its sides of links", async () => {
  const made = await registered(() => {
    const a = new OverlayNode("lux", lux, { aliases: [{ name: "luxembourg" }, "urn:pulumi:prod::net::x:y:Z::lxbg"] });
    new WgLink("lux-fra", { a, b: new OverlayNode("fra", fra) });
  });
  const known = made.map(({ name, options }) => [name, options.aliases]);
  expect(Object.fromEntries(known)).toMatchObject({
    "lux-fra@fra": [],
    "lux-fra@lux": [{ name: "lux-fra@luxembourg" }, { name: "lux-fra@lxbg" }],
  });
});

test("two programs in one process do not know of each other", async () => {
  const one = () => {
    new OverlayNode("lux", lux);
  };
  expect(await registered(one)).toHaveLength(1);
  expect(await registered(one)).toHaveLength(1);
});

test("a node that was declared in another process is read by its outputs", async () => {
  const elsewhere = (nodeName: string, nodeId: number, address: string) => {
    const outputs = { nodeId, addresses: [], prefixes: [], endpoints: [{ address, ports: [443] }], portBase: 11000 };
    const all = Object.entries({ ...outputs, ports: undefined, underlay: { mtu: 1400, devices: [] } });
    return { nodeName, ...Object.fromEntries(all.map(([name, value]) => [name, pulumi.output(value)])) } as never;
  };
  const [a, b] = [elsewhere("lux", 1, "203.0.113.5"), elsewhere("fra", 2, "198.51.100.9")];
  const link = { ...linkArgs.parse({ a: reference("lux"), b: reference("fra") }), name: "lux-fra" };
  const spec = new Network().ofNodes([a, b], ([own, peer]) =>
    sideSpec({ side: "a", link, own, peer }, "net/prod", "key"),
  );
  const known = await new Promise((resolve) => pulumi.output(spec).apply(resolve));
  expect(known).toMatchObject({
    node: "lux",
    listenPort: 11002,
    mtu: 1320,
    peer: { id: 2, endpoint: "198.51.100.9:443", keepalive: 25 },
  });
});

test("what the program itself makes a secret is known as such before it is at its end", async () => {
  const secret = pulumi.secret("10.255.0.1");
  const found: string[] = [];
  const end = new Promise(setImmediate);
  eachSecret(
    {
      id: 1,
      connection: { host: pulumi.output("lux.example"), hostKey: secret },
      addresses: [pulumi.output("10.255.0.1"), secret.apply((it) => it)],
      endpoints: pulumi.output([{ address: secret }]),
      underlay: { mtu: Promise.resolve(pulumi.secret(1400)) },
      portBase: pulumi.output(new Promise(() => undefined)),
      prefixes: [pulumi.unsecret(secret)],
    },
    (path) => found.push(path),
  );
  await end;
  expect(found.sort()).toEqual(["addresses[1]", "connection.hostKey", "endpoints", "underlay.mtu"]);
});

test("a secret that another resource gives later is the provider's to refuse: hosts may have been touched by then", async () => {
  const found: string[] = [];
  const later = new Promise<void>((resolve) => setTimeout(resolve, 10));
  eachSecret({ host: pulumi.secret(later.then(() => "lux.example")) }, (path) => found.push(path));
  await later;
  await new Promise(setImmediate);
  expect(found).toEqual([]);
});

test("of hosts and of other technologies a mesh has its program load what it checks arguments by, and nothing else", async () => {
  jest.resetModules();
  const { OverlayNode, WgMesh } = require("../../components");
  // Not by way of declare.ts, which loads more.
  const { runtime }: typeof pulumi = require("@pulumi/pulumi");
  const made: string[] = [];
  const newResource = ({ name, inputs }: pulumi.runtime.MockResourceArgs) => {
    made.push(name);
    return { id: name, state: { ...inputs, machine: "", publicKey: "" } };
  };
  await runtime.setMocks({ newResource, call: () => ({}) }, "net", "prod", false);
  await runtime.runInPulumiStack(async () => {
    const nodes = [new OverlayNode("lux", lux), new OverlayNode("fra", fra)];
    new WgMesh("mesh", { nodes });
  });
  await runtime.disconnect();
  expect(made).toContain("mesh@lux");
  const loaded = Object.keys(require.cache).flatMap(
    (path) => /\/sdk\/((?!network|provider)\w+\/.*)\.ts$/.exec(path)?.[1] ?? [],
  );
  expect(loaded.sort()).toEqual([
    "host/bastions",
    "host/connection",
    "kernel/chains",
    "kernel/later",
    "node/spec",
    "rosenpass/health",
    "rosenpass/spec",
    "wireguard/label",
    "wireguard/publicKey",
    "wireguard/quick",
    "wireguard/spec",
  ]);
});
