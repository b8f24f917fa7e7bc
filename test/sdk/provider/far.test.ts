/** Hosts that are reached by way of another: what is done there is done only as long as they are. */
import { HostError } from "../../../sdk/host";
import { converge } from "../../../sdk/provider/converge";
import { FarHosts } from "../../../sdk/provider/far";
import { check } from "../../../sdk/provider/inputs";
import { type Operation, remove } from "../../../sdk/provider/lifecycle";
import type { Machine } from "../../../sdk/provider/machine";
import { type ResourceType, resourceType } from "../../../sdk/provider/registry";
import type { Values } from "../../../sdk/provider/wire";
import { ModelMachine } from "./model-machine";

const NODE = resourceType("overlay:node:Host") as ResourceType;
const type = resourceType("overlay:wireguard:Interface") as ResourceType;
const FRA = "10.255.0.2";

const inputsOf = (type: ResourceType, spec: Values): Values => {
  const checked = check(
    type,
    { connection: { host: "203.0.113.5" }, ...(type.machine ? {} : { machine: "m" }), spec },
    "it",
  );
  if ("faults" in checked) throw new Error("the test's own spec has faults");
  return checked.inputs;
};
function inputs(more: Values = {}, peer: Values = {}): Values {
  const spec = {
    ...{ node: "lux", owner: "net/prod", link: "lux-fra", device: "inter-fra", id: 1, mtu: 1420, listenPort: 11002 },
    addresses: ["10.255.0.1"],
    peer: { name: "fra", id: 2, publicKey: "Z/nQ151/XO7fH+SlX5Ri5Uf10wssuR5ZNx5DfPaOJiM=", addresses: [FRA], ...peer },
    ...more,
  };
  return inputsOf(type, spec);
}

/** lux with its side of the link, and fra behind it: `client`: whence fra's session comes; nothing: it does not answer. */
async function lux(client: string | undefined, host = FRA, spec: Values = {}) {
  const asked: string[] = [];
  const fra = (name: string): Machine => ({
    ...new ModelMachine(),
    name: `root@${name}`,
    look: async () => {
      asked.push(name);
      if (client === undefined) throw new HostError("unreachable", "it cannot be reached.");
      return { ...(await new ModelMachine().look()), ssh: { client, server: FRA, device: "inter-lux" } };
    },
    login: async () => void asked.push(`login ${name}`),
    change: () => Promise.reject(new Error("nobody changes fra")),
    unanswered: async () => new Map(),
    callAgain: async () => undefined,
    probe: async () => ({ answered: [], endpoints: new Map(), fragmented: [] }),
    publicKey: async () => Buffer.alloc(0),
  });
  const machine = new ModelMachine();
  const far = new FarHosts(({ host }) => fra(host));
  for (const at of [host, "203.0.113.5", "fra.example"]) far.learn({ connection: { host: at } });
  const changes: Parameters<Machine["change"]>[0][] = [];
  const change = machine.change.bind(machine);
  machine.change = (it) => {
    changes.push(it);
    return change(it);
  };
  const said = () => undefined;
  const operation: Operation = { type, machine, stack: "net/prod", resource: "it", far, status: said, warn: said };
  const before = inputs(spec);
  const node = inputsOf(NODE, { node: "lux", owner: "net/prod", id: 1, packages: "install" });
  await converge({ ...operation, type: NODE }, node);
  const { id, outputs } = await converge(operation, before);
  expect(asked).toEqual([]); // of a link that is still to be made
  changes.length = 0;
  return {
    asked,
    /** Whether what it did was to be taken back unless new logins work. */
    update: async (more: Values, peer?: Values) => {
      await converge(operation, inputs({ ...spec, ...more }, peer), { id, outputs, inputs: before });
      await changes[0]?.others?.();
      return changes[0]?.undo !== undefined;
    },
    remove: () => remove(operation, before, outputs),
  };
}

test("a change of lux's side is confirmed by a login to fra", async () => {
  const { update, asked } = await lux("10.255.0.1");
  expect(await update({ listenPort: 11003 })).toBe(true);
  expect(asked).toEqual([FRA, `login ${FRA}`]);
});

test("what cannot hurt asks nobody", async () => {
  const { update, asked } = await lux("10.255.0.1");
  expect(await update({ mtu: 1400 }, { keepalive: 25 })).toBe(false);
  expect(asked).toEqual([]);
});

test.each([
  ["is reached by the underlay", "10.255.0.1", "198.51.100.9", []],
  ["is reached by another host's way", "10.255.0.7", FRA, [FRA]],
  ["does not answer anyway", undefined, FRA, [FRA]],
])("a host that %s keeps nobody from anything", async (_, client, host, expected) => {
  const one = await lux(client, host);
  expect(await one.update({ listenPort: 11003 })).toBe(false);
  await one.remove();
  expect(one.asked).toEqual([...expected, ...expected]);
});

test("one that is reached through a relay of lux's counts, wherever its session comes from", async () => {
  const { update } = await lux("10.255.0.7", FRA, { forwards: true });
  expect(await update({ listenPort: 11003 })).toBe(true);
});

test("the removal of lux's side is refused with the cure, unless it is forced", async () => {
  const { remove } = await lux("10.255.0.1");
  await expect(remove()).rejects.toThrow(
    /^root@model: root@10\.255\.0\.2 is reached by inter-fra of this host, .*connection\.host.*OVERLAY_FORCE=on\.$/,
  );
  process.env.OVERLAY_FORCE = "on";
  try {
    await remove();
  } finally {
    delete process.env.OVERLAY_FORCE;
  }
});
