/** The lifecycle on hosts in memory: whatever fails on the way, the next run ends it, and nothing is forgotten. */
import fc from "fast-check";
import { type Code, marked } from "../../../sdk/codes";
import { type Before, converge } from "../../../sdk/provider/converge";
import { check } from "../../../sdk/provider/inputs";
import { diff, type Operation, preview, read, remove } from "../../../sdk/provider/lifecycle";
import { HalfApplied } from "../../../sdk/provider/outcome";
import { type ResourceType, resourceType } from "../../../sdk/provider/registry";
import { UNKNOWN, type Values } from "../../../sdk/provider/wire";
import { ModelMachine } from "./model-machine";

const KEYS = ["Z/nQ151/XO7fH+SlX5Ri5Uf10wssuR5ZNx5DfPaOJiM=", "Al8FNScSowRXLvqnUgci3oxTQKBOsCTHqtRJkw3P82s="];
const connection = { host: "203.0.113.5" };

const typeOf = (token: string): ResourceType => resourceType(token) as ResourceType;
const HOST = typeOf("overlay:node:Host");
const NODE_KEY = typeOf("overlay:node:Key");
const INTERFACE = typeOf("overlay:wireguard:Interface");

function inputs(type: ResourceType, spec: Values): Values {
  const checked = check(type, { connection, ...(type === INTERFACE && { machine: "m" }), spec }, "name");
  if ("faults" in checked) throw new Error(JSON.stringify(checked.faults));
  return checked.inputs;
}

const operation = (type: ResourceType, machine: ModelMachine, name = "name"): Operation => ({
  type,
  machine,
  stack: "net/renamed",
  resource: `${type.technology.token}::${name}`,
  status: () => undefined,
  warn: () => undefined,
});

/** As the engine does it: what is half applied stays in state. */
async function up(doing: Operation, news: Values, before?: Before): Promise<{ state: Before; reasons: string[] }> {
  try {
    const { id, outputs } = await converge(doing, news, before);
    return { state: { id, outputs, inputs: news }, reasons: [] };
  } catch (error) {
    if (!(error instanceof HalfApplied)) throw error;
    const { id, outputs, reasons } = error;
    // The engine keeps the old inputs of an update that fails half-way.
    return { state: { id, outputs, inputs: before?.inputs ?? news }, reasons };
  }
}

const host = fc.record({
  node: fc.constant("fra"),
  owner: fc.constant("net/test"),
  id: fc.constant(2),
  packages: fc.constant("install"),
  prefixes: fc.subarray(["10.255.0.0/24", "fd00:6f::/48"]),
  underlay: fc.constantFrom([], ["wan"]),
  sysctls: fc.constantFrom({}, { "net/ipv4/ip_forward": "1" }),
});
const HOST_SPEC = { node: "fra", owner: "net/test", id: 2, packages: "install" };

const side = fc.record({
  node: fc.constant("fra"),
  owner: fc.constant("net/test"),
  link: fc.constant("fra-lux"),
  device: fc.constantFrom("inter-lux", "to-lux"),
  id: fc.constant(2),
  mtu: fc.constantFrom(1380, 1420),
  listenPort: fc.constantFrom(11001, 11005),
  // Rules whose form in JSON was seen: the model knows no others.
  alsoPorts: fc.constantFrom([], [443], [53, 443]),
  addresses: fc.subarray(["10.255.0.2", "fd00:6f::2"]),
  forwards: fc.boolean(),
  peer: fc.record({
    name: fc.constant("lux"),
    id: fc.constant(1),
    publicKey: fc.constantFrom(...KEYS),
    endpoint: fc.option(fc.constantFrom("203.0.113.5:11002", "[2001:db8::5]:11002"), { nil: undefined }),
    keepalive: fc.option(fc.constant(25), { nil: undefined }),
    addresses: fc.subarray(["10.255.0.1", "fd00:6f::1"]),
  }),
});

/** Changes one after the other, some of which fail at some step. */
const history = (spec: fc.Arbitrary<Values>) =>
  fc.array(fc.tuple(spec, fc.option(fc.nat(25), { nil: undefined, freq: 2 })), { minLength: 1, maxLength: 5 });
const wireguard = fc.constantFrom("kernel" as const, "userspace" as const);

async function play(type: ResourceType, machine: ModelMachine, steps: [Values, number | undefined][]): Promise<Before> {
  let before: Before | undefined;
  for (const [spec, failAfter] of steps) {
    machine.failAfter = failAfter;
    before = (await up(operation(type, machine), inputs(type, spec), before)).state;
  }
  const last = await up(operation(type, machine), inputs(type, steps.at(-1)?.[0] ?? {}), before);
  expect(last.reasons).toEqual([]);
  return last.state;
}

const lines = (config: unknown): string[] => String(config).split("\n");

test("a host: after any failures the next run makes it as it should be, and does nothing more", async () => {
  await fc.assert(
    fc.asyncProperty(history(host), wireguard, async (steps, flavour) => {
      const machine = new ModelMachine({ wireguard: flavour });
      const state = await play(HOST, machine, steps);
      expect(state.outputs.config).toBe(state.inputs.config);
      expect(state.outputs.former).toBeUndefined();
      const seen = await read(operation(HOST, machine), state.inputs, state.outputs);
      expect(lines(seen?.config)).toEqual(lines(state.inputs.config));
      const before = machine.changes.length;
      await converge(operation(HOST, machine), state.inputs, state);
      expect(machine.changes).toHaveLength(before);
    }),
    { numRuns: 40 },
  );
});

test("a node's key by itself is the one that its host has, and goes with the last of the two", async () => {
  const machine = new ModelMachine();
  const there = async () => {
    const { boot, keys } = await machine.look();
    return [Object.keys(boot), Object.keys(keys)];
  };
  const news = inputs(NODE_KEY, { node: "fra", owner: "net/test", packages: "install" });
  const KEY = "/etc/overlay/keys/wireguard.key";
  const make = async () => (await up(operation(NODE_KEY, machine), news)).state;
  const first = await make();
  expect(first.outputs).toMatchObject({ config: `apt-get install wireguard-tools\nwg genkey > ${KEY}\n` });
  expect(await there()).toEqual([["11-key"], [KEY]]);
  await remove(operation(NODE_KEY, machine), news, first.outputs);
  expect(await there()).toEqual([[], []]);

  const again = await make();
  const host = inputs(HOST, HOST_SPEC);
  const { outputs } = await converge(operation(HOST, machine), host);
  expect(machine.changes.flat().filter((command) => command.startsWith("genkey "))).toHaveLength(2);
  await remove(operation(NODE_KEY, machine), news, again.outputs);
  expect(await there()).toEqual([["10-node"], [KEY]]);
  expect((await read(operation(HOST, machine), host, outputs))?.config).toBe(host.config);
  const last = await make();
  await remove(operation(HOST, machine), host, outputs);
  expect(await there()).toEqual([[], []]);
  await remove(operation(NODE_KEY, machine), news, last.outputs);
});

test("an interface: the same, and when it is removed at any time nothing of it is left", async () => {
  await fc.assert(
    fc.asyncProperty(history(side), wireguard, fc.boolean(), async (steps, flavour, whole) => {
      const machine = new ModelMachine({ wireguard: flavour });
      await converge(operation(HOST, machine), inputs(HOST, HOST_SPEC));
      const bare = machine.model.snapshot();
      let state: Before;
      if (whole) {
        state = await play(INTERFACE, machine, steps);
        expect(state.outputs.config).toBe(state.inputs.config);
        const seen = await read(operation(INTERFACE, machine), state.inputs, state.outputs);
        expect(lines(seen?.config)).toEqual(lines(state.inputs.config));
        const { device, forwards } = steps.at(-1)?.[0] ?? {};
        expect(machine.model.snapshot().sysctls[`net/ipv4/conf/${device}/forwarding`]).toBe(forwards ? "1" : "0");
      } else {
        let before: Before | undefined;
        for (const [spec, failAfter] of steps) {
          machine.failAfter = failAfter;
          before = (await up(operation(INTERFACE, machine), inputs(INTERFACE, spec), before)).state;
        }
        state = before as Before;
      }
      machine.failAfter = undefined; // where the last step had nothing to change
      await remove(operation(INTERFACE, machine), state.inputs, state.outputs);
      expect(machine.model.snapshot()).toEqual(bare);
      expect(await read(operation(INTERFACE, machine), state.inputs, state.outputs)).toBeUndefined();
    }),
    { numRuns: 40 },
  );
});

test("a setting of a half-applied update is not forgotten by a refresh: it goes with its host", async () => {
  const machine = new ModelMachine();
  const doing = operation(HOST, machine);
  const before = { ...(await converge(doing, inputs(HOST, HOST_SPEC))), inputs: inputs(HOST, HOST_SPEC) };
  const forwarding = inputs(HOST, { ...HOST_SPEC, sysctls: { "net/ipv4/ip_forward": "1" } });
  machine.failAfter = 1; // the boot file, after the setting
  const { state, reasons } = await up(doing, forwarding, before);
  expect((await machine.look()).sysctls["net/ipv4/ip_forward"]).toBe("1");
  expect(reasons).toEqual([
    expect.stringMatching(/ \[provider\/failed\]$/),
    expect.stringMatching(/^What was done stays(.|\n)*\n\[provider\/failed\]$/),
  ]);
  const refreshed = (await read(doing, state.inputs, state.outputs)) as Values;
  expect(diff(HOST, refreshed, state.inputs, state.inputs)).toEqual(
    diff(HOST, { ...refreshed, former: undefined }, state.inputs, state.inputs),
  );
  await remove(doing, state.inputs, refreshed);
  expect((await machine.look()).sysctls["net/ipv4/ip_forward"]).toBe("0");
});

test("a link forwards no more, also where another run was quicker with what comes before that", async () => {
  const machine = new ModelMachine();
  await converge(operation(HOST, machine), inputs(HOST, HOST_SPEC));
  const spec = (forwards: boolean, addresses: string[]): Values => ({
    node: "fra",
    owner: "net/test",
    link: "fra-lux",
    device: "inter-lux",
    id: 2,
    mtu: 1420,
    listenPort: 11001,
    addresses: ["10.255.0.2"],
    forwards,
    peer: { name: "lux", id: 1, publicKey: KEYS[0], addresses },
  });
  const forwarding = async () => (await machine.look()).sysctls["net/ipv4/conf/inter-lux/forwarding"];
  const relay = inputs(INTERFACE, spec(true, ["10.255.0.1", "10.255.0.11"]));
  const doing = operation(INTERFACE, machine);
  const { state } = await up(doing, relay);
  expect(await forwarding()).toBe("1");

  const change = machine.change.bind(machine);
  machine.change = async (wanted) => {
    machine.change = change;
    const command = wanted.commands[0] ?? "";
    machine.model.run([command]);
    return { failed: { command, code: 2, stderr: "no", message: "no" }, snapshot: await machine.look() };
  };
  const news = inputs(INTERFACE, spec(false, ["10.255.0.1"]));
  expect((await up(doing, news, { ...state, inputs: relay })).reasons).toEqual([]);
  expect(await forwarding()).toBe("0");
});

test("a host takes with it what its interfaces left, and a second removal finds nothing", async () => {
  await fc.assert(
    fc.asyncProperty(host, side, wireguard, async (node, link, flavour) => {
      const machine = new ModelMachine({ wireguard: flavour });
      const [hostInputs, sideInputs] = [inputs(HOST, node), inputs(INTERFACE, link)];
      const { outputs } = await converge(operation(HOST, machine), hostInputs);
      await converge(operation(INTERFACE, machine), sideInputs);
      await remove(operation(HOST, machine), hostInputs, outputs);
      const left = await machine.look();
      expect(left).toMatchObject({ links: [], nft: {}, rules4: [], rules6: [], boot: {}, files: {} });
      expect([left.owner, left.sysctls["net/ipv4/ip_forward"]]).toEqual([undefined, "0"]);
      machine.changes.length = 0;
      await remove(operation(HOST, machine), hostInputs, outputs);
      // A setting has a value always; to restore what was restored is nothing.
      expect(machine.changes.flat().filter((command) => !command.startsWith("restore "))).toEqual([]);
    }),
    { numRuns: 40 },
  );
});

test("a link that goes in the run in which its machine gets the stack's new name goes from the host too", async () => {
  const machine = new ModelMachine();
  const link = { ...{ node: "fra", owner: "net/test", link: "l", device: "inter-lux", id: 2 }, mtu: 1420 };
  const peer = { name: "lux", id: 1, publicKey: KEYS[0] };
  const spec = inputs(INTERFACE, { ...link, listenPort: 11001, peer });
  await converge(operation(HOST, machine), inputs(HOST, HOST_SPEC));
  const { outputs } = await converge(operation(INTERFACE, machine), spec);
  const renamed = { ...HOST_SPEC, owner: "net/renamed", formerly: ["net/test"] };
  await converge(operation(HOST, machine), inputs(HOST, renamed));
  await remove(operation(INTERFACE, machine), spec, outputs);
  expect((await machine.look()).links).toEqual([]);
});

test("an endpoint that is moved in the spec is moved on the host, though the link lives where it was", async () => {
  const machine = new ModelMachine();
  await converge(operation(HOST, machine), inputs(HOST, HOST_SPEC));
  const at = (endpoint: string) =>
    inputs(INTERFACE, {
      ...{ node: "fra", owner: "net/test", link: "l", device: "inter-lux", id: 2, mtu: 1420, listenPort: 11001 },
      peer: { name: "lux", id: 1, publicKey: KEYS[0], endpoint },
    });
  const first = at("203.0.113.5:11002");
  const { id, outputs } = await converge(operation(INTERFACE, machine), first);
  const alive = machine.model.snapshot;
  machine.model.snapshot = function living(this: typeof machine.model) {
    const seen = alive.call(this);
    for (const { peers } of seen.wg) for (const peer of peers) peer.latestHandshake = seen.now - 10;
    return seen;
  };
  await converge(operation(INTERFACE, machine), at("203.0.113.6:11002"), { id, outputs, inputs: first });
  expect(machine.changes.at(-1)).toEqual([`wg set inter-lux peer ${KEYS[0]} endpoint 203.0.113.6:11002`]);
});

test.each([
  [
    "without a refresh is told, with its cost",
    false,
    [
      "link inter-lux cannot change in place and is made again: no packet passes by it until its next handshake, about a second. [warning/remade]",
    ],
  ],
  ["after a refresh was told by the preview", true, []],
])("what is found to be made again %s", async (_, refresh, told) => {
  const machine = new ModelMachine({ wireguard: "userspace" });
  await converge(operation(HOST, machine), inputs(HOST, HOST_SPEC));
  const at = (mtu: number) =>
    inputs(INTERFACE, {
      ...{ node: "fra", owner: "net/test", link: "l", device: "inter-lux", id: 2, mtu, listenPort: 11001 },
      peer: { name: "lux", id: 1, publicKey: KEYS[0] },
    });
  const warned: string[] = [];
  const doing = {
    ...operation(INTERFACE, machine),
    warn: (code: Code, message: string) => warned.push(marked(code, message)),
  };
  const before = { ...(await converge(doing, at(1420))), inputs: at(1420) };
  machine.model.host.wireguard = "kernel";
  const outputs = refresh ? ((await read(doing, before.inputs, before.outputs)) as Values) : before.outputs;
  await converge(doing, at(1380), { ...before, outputs });
  expect(machine.changes.at(-1)).toContain("ip link add dev inter-lux group 28417 type wireguard");
  expect(warned).toEqual(told);
});

describe("diff", () => {
  const olds = { config: "a\n", machine: "1" };
  const old = { connection: { host: "a", port: 22 }, config: "a\n" };

  test.each<[string, ResourceType, Values, string[]]>([
    ["nothing", INTERFACE, { ...old, machine: "1" }, []],
    ["the text", INTERFACE, { ...old, config: "b\n" }, ["config"]],
    ["a text not yet known", INTERFACE, { ...old, config: UNKNOWN }, ["config"]],
    ["another machine", INTERFACE, { ...old, machine: "2" }, ["machine"]],
    ["a machine not yet known", INTERFACE, { ...old, machine: UNKNOWN }, []],
    ["the connection of a part", INTERFACE, { ...old, connection: { host: "b", port: 22 } }, []],
    ["the connection of a host", HOST, { ...old, connection: { host: "b", port: 22 } }, ["connection"]],
    ["the same connection in another order", HOST, { ...old, connection: { port: 22, host: "a" } }, []],
    ["a connection not yet known", HOST, { ...old, connection: { host: UNKNOWN, port: 22 } }, ["connection"]],
  ])("of %s", (_, type, news, expected) => {
    expect(diff(type, olds, old, news)).toEqual(expected);
  });
});

test("a preview shows what it knows and makes nobody believe a placeholder", () => {
  const news = { config: "wg set peer <known after lux is created>\n", machine: UNKNOWN };
  expect(preview(INTERFACE, "r", {}, news)).toEqual({
    config: UNKNOWN,
    machine: UNKNOWN,
    resource: "r",
    pathMtu: UNKNOWN,
  });
  expect(preview(HOST, "r", {}, { config: "x\n" })).toEqual({
    config: "x\n",
    machine: UNKNOWN,
    publicKey: UNKNOWN,
    wireguard: UNKNOWN,
    resource: "r",
  });
  expect(preview(HOST, "r", { machine: "1", publicKey: "k", wireguard: "kernel" }, { config: "x\n" })).toMatchObject({
    machine: "1",
    publicKey: "k",
  });
});
