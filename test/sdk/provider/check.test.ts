/** What somebody wrote: every fault at once, no secret shown, and a preview of what is not known yet. */

import { formatWithCodes } from "../../../sdk/faults";
import { check, parseSpec, same } from "../../../sdk/provider/inputs";
import { type ResourceType, resourceType } from "../../../sdk/provider/registry";
import { Secret, UNKNOWN, type Values } from "../../../sdk/provider/wire";
import { publicKeys } from "../publicKeys";

const PUBLIC = "Z/nQ151/XO7fH+SlX5Ri5Uf10wssuR5ZNx5DfPaOJiM=";
const type = resourceType("overlay:wireguard:Interface") as ResourceType;
const host = resourceType("overlay:node:Host") as ResourceType;

const peer = { name: "lux", id: 1, publicKey: PUBLIC, endpoint: "203.0.113.5:11002", addresses: ["10.255.0.1"] };
const spec = {
  ...{ node: "fra", owner: "net/test", link: "lux-fra", device: "inter-lux", id: 2, mtu: 1420, listenPort: 11001 },
  addresses: ["10.255.0.2"],
  peer,
};
const connection = { host: "198.51.100.9" };
const written: Values = { connection, machine: "m", spec };

const inputs = (news: Values) => {
  const checked = check(type, news, "lux-fra-fra");
  if ("faults" in checked) throw new Error(formatWithCodes(checked.faults));
  return checked.inputs;
};
const faults = (news: Values, of = type): string => {
  const checked = check(of, news, "lux-fra-fra");
  return "faults" in checked ? formatWithCodes(checked.faults) : "";
};

test("inputs are few and flat, with every default, and a second check changes nothing", () => {
  const first = inputs(written);
  expect(Object.keys(first)).toEqual(["connection", "machine", "spec", "config"]);
  expect(first.connection).toMatchObject({ host: "198.51.100.9", port: 22, connectTimeout: 10 });
  expect(first.config).toMatch(/^ip link add dev inter-lux type wireguard\n(.+\n)+$/);
  expect(inputs({ ...first })).toEqual(first);
});

test("a long spec is kept short, and what it says is the same", () => {
  const { peer, ...mesh } = spec;
  const peers = publicKeys(40).map((publicKey, index) => ({
    ...peer,
    name: `n${index}`,
    id: index + 10,
    publicKey,
    addresses: [`10.255.1.${index}`],
    routes: [],
  }));
  const long = inputs({ ...written, spec: { ...mesh, peers } });
  expect(long.spec.length).toBeLessThan(JSON.stringify(peers).length / 2);
  expect(inputs({ ...written, spec: long.spec })).toEqual(long);
  expect((parseSpec(type, long.spec) as { peers: unknown[] }).peers).toMatchObject(peers);
});

test("a spec may be JSON", () => {
  expect(inputs({ ...written, spec: JSON.stringify(spec) })).toEqual(inputs(written));
});

test("what may be known later is shown by what it waits for", () => {
  const later = { ...written, spec: { ...spec, peer: { ...peer, publicKey: UNKNOWN, addresses: UNKNOWN } } };
  expect(inputs(later).config).toMatch(/wg set inter-lux peer <known after lux is created> allowed-ips/);
  expect(inputs(later).spec).toMatch(/<known after lux is created>/);
});

test("what else is unknown makes the text unknown, and no fault", () => {
  expect(inputs({ ...written, spec: { ...spec, mtu: UNKNOWN } })).toMatchObject({ spec: UNKNOWN, config: UNKNOWN });
  expect(inputs({ ...written, spec: UNKNOWN })).toMatchObject({ spec: UNKNOWN, config: UNKNOWN });
  expect(inputs({ ...written, machine: UNKNOWN }).machine).toBe(UNKNOWN);
});

test("faults of what is known are told beside what is unknown", () => {
  const text = faults({ ...written, spec: { ...spec, mtu: UNKNOWN, device: "a-name-that-is-too-long" } });
  expect(text).toMatch(/^spec\.device: found "a-name-that-is-too-long", legal is at most 15 bytes/);
  expect(text).not.toMatch(/mtu/);
});

test("a connection that is not known yet is kept as it is", () => {
  const unknown = { host: UNKNOWN, hostKey: new Secret("ssh-ed25519 AAAA") };
  expect(inputs({ ...written, connection: unknown }).connection).toEqual(unknown);
});

test("all faults at once, each with its path, what was found, what is legal, and a cure", () => {
  const text = faults({
    connection: { ...connection, pasword: "hunter2" },
    machine: "m",
    retries: 3,
    spec: { ...spec, mtu: 1200, addresses: ["10.255.0.300"], peer: { ...peer, publicKey: `${PUBLIC}x` } },
  });
  expect(text.split("\n").map((line) => line.split(":")[0])).toEqual([
    "retries",
    "connection.pasword",
    "spec.addresses[0]",
    "spec.peer.publicKey",
    "spec.mtu",
  ]);
  expect(text).not.toMatch(/hunter2|Z\/nQ/);
});

describe("secrets", () => {
  test.each<[string, Values]>([
    ["spec", { spec: new Secret(spec) }],
    ["spec.peer.publicKey", { spec: { ...spec, peer: { ...peer, publicKey: new Secret(PUBLIC) } } }],
    ["spec.addresses[0]", { spec: { ...spec, addresses: [new Secret("10.255.0.2")] } }],
    ["connection", { connection: new Secret(connection) }],
    ["connection.host", { connection: { host: new Secret("198.51.100.9") } }],
    ["machine", { machine: new Secret("m") }],
  ])("where it would be shown is a fault that does not show it: %s", (path, change) => {
    const text = faults({ ...written, ...change });
    expect(text.startsWith(`${path}: legal is a value that is no secret`)).toBe(true);
    expect(text).toMatch(/pulumi\.unsecret/);
    expect(text).not.toMatch(/198\.51|10\.255|Z\/nQ/);
  });

  test("a host key stays one in state", () => {
    const hostKey = new Secret("ssh-ed25519 AAAA");
    expect(inputs({ ...written, connection: { ...connection, hostKey } }).connection).toMatchObject({ hostKey });
  });
});

test("a machine has no machine, it is one", () => {
  const own = { node: "fra", owner: "net/test", id: 2 };
  expect(faults({ connection, machine: "m", spec: own }, host)).toMatch(/^machine: legal is one of connection, spec/);
  expect(faults({ connection, spec: own }, host)).toBe("");
});

test("what is said of the stack is kept, and is no part of what the host is told", () => {
  const told = { ...written, removable: 3, canary: true };
  expect(inputs(told)).toEqual({ ...inputs(written), removable: 3, canary: true });
});

test("equal is equal whatever the order, secret or not", () => {
  expect(same({ a: 1, b: [new Secret(2)] }, { b: [2], a: 1 })).toBe(true);
  expect(same({ a: 1 }, { a: 2 })).toBe(false);
});
