/** What an update says at preview that it costs. */
import { impact } from "../../../sdk/provider/impact";
import { check } from "../../../sdk/provider/inputs";
import { type ResourceType, resourceType } from "../../../sdk/provider/registry";
import { foretold } from "../../../sdk/provider/safeguard";
import type { Values } from "../../../sdk/provider/wire";
import { vxlan, vxlanBridge } from "../../../sdk/vxlan";

const type = resourceType("overlay:wireguard:Interface") as ResourceType;
const inputs = (change: Values = {}): Values => {
  const spec = {
    ...{ node: "fra", owner: "net/test", link: "lux-fra", device: "inter-lux", id: 2, mtu: 1420, listenPort: 11001 },
    addresses: ["10.255.0.2"],
    peer: { name: "lux", id: 1, publicKey: "Z/nQ151/XO7fH+SlX5Ri5Uf10wssuR5ZNx5DfPaOJiM=", addresses: ["10.255.0.1"] },
    ...change,
  };
  const checked = check(type, { connection: { host: "198.51.100.9" }, machine: "m", spec }, "lux-fra-fra");
  if ("faults" in checked) throw new Error("the test's own spec has faults");
  return checked.inputs;
};
const before = inputs();
const known = String(before.config);
const remade = (device: string) =>
  `link ${device} cannot change in place and is made again: no packet passes by it until its next handshake, about a second.`;

test("what changes in place costs nothing", () => {
  expect(impact(type, before, known, inputs({ mtu: 1380, listenPort: 11009 }))).toEqual([]);
});

test("another name for the device: the old one goes", () => {
  expect(impact(type, before, known, inputs({ device: "to-lux" }))).toEqual([
    "link inter-lux is removed: no packet passes by it until its next handshake, about a second.",
  ]);
});

test("a device that was seen to be of another kind is made again, as where WireGuard leaves user space", () => {
  expect(impact(type, before, known.replace("type wireguard", "type tun"), before)).toEqual([remade("inter-lux")]);
});

test("one that was seen to be gone has nothing to lose", () => {
  expect(impact(type, before, "", before)).toEqual([]);
});

test("another key, the peer's with it: one sentence, for neither is lost for longer than that", () => {
  const peer = {
    name: "lux",
    id: 1,
    publicKey: "Al8FNScSowRXLvqnUgci3oxTQKBOsCTHqtRJkw3P82s=",
    addresses: ["10.255.0.1"],
  };
  expect(impact(type, before, known, inputs({ key: "2026-11", peer }))).toEqual([
    expect.stringMatching(/^wgDevice inter-lux gets another key: until the other side is told of it, about 0.2 s/),
  ]);
  expect(impact(type, before, known, inputs({ peer }))).toEqual([
    expect.stringMatching(/^wgPeer inter-lux \S+ is removed/),
  ]);
});

test("a member of a segment that is made again loses what is inside for a moment, not a handshake", () => {
  const type = { technology: vxlan } as unknown as ResourceType;
  const member = (change: object): Values => ({
    spec: JSON.stringify({
      ...{ node: "fra", owner: "net/test", segment: "lan", device: "vx-lan", id: 2, vni: 100, variant: "static-flood" },
      ...{ mtu: 1370, local: "10.255.0.2", mac: "02:00:00:64:00:02" },
      ...change,
    }),
  });
  expect(impact(type, member({}), "", member({ ttl: 1 }))).toEqual([]);
  expect(impact(type, member({}), "", member({ variant: "static-arp-nd" }))).toEqual([
    "link vx-lan cannot change in place and is made again: packets inside are lost for about 30 ms, at one member after the other in the order of their names.",
  ]);
  const port = { bridge: "br-lan" };
  expect(impact(type, member(port), "", member({ ...port, variant: "static-arp-nd" }))).toEqual([
    "link vx-lan cannot change in place and is made again: packets inside are lost for about 30 ms, at one member after the other in the order of their names; where its bridge has stp, for 30 s, and the next member does not wait for that.",
  ]);
});

test("a bridge that is gone, with stp for as long as it takes to find loops; to switch that on costs nothing", () => {
  const type = { technology: vxlanBridge } as unknown as ResourceType;
  const bridge = (change: object = {}): Values => ({
    spec: JSON.stringify({
      ...{ node: "fra", owner: "net/test", device: "br-lan", id: 2, mtu: 1370, mac: "02:00:00:64:00:02" },
      ...change,
    }),
  });
  const gone = (unit: string) => [
    `link br-lan is removed: packets between its ports are lost until they are back, about 30 ${unit}.`,
  ];
  expect(impact(type, bridge(), "", bridge({ device: "br" }))).toEqual(gone("ms"));
  expect(impact(type, bridge({ stp: true }), "", bridge({ stp: true, device: "br" }))).toEqual(gone("s"));
  expect(impact(type, bridge(), "", bridge({ stp: true }))).toEqual([]);
});

describe("what may cut off the run's own SSH is told", () => {
  const at = (host: string, change: Values = {}): Values => ({ ...inputs(change), connection: { host } });
  const told = (to: string, device: string) => [
    `${device} may carry this run's own SSH to ${to}: the change is taken back after 15 s unless a new login works.`,
  ];

  test("an address of the device that changes", () => {
    expect(foretold(type, before, at("10.255.0.2", { mtu: 1380 }))).toEqual(told("10.255.0.2", "link inter-lux"));
    expect(foretold(type, before, at("10.255.0.2"))).toEqual([]);
    expect(foretold(type, before, at("198.51.100.9", { mtu: 1380 }))).toEqual([]);
    expect(foretold(type, before, at("fra.example", { mtu: 1380 }))).toEqual([]);
  });

  test("a setting of the whole network", () => {
    const host = resourceType("overlay:node:Host") as ResourceType;
    const node = (sysctls: Values): Values => ({
      connection: { host: "198.51.100.9" },
      spec: { node: "fra", owner: "net/test", id: 2, sysctls },
    });
    const setting = "sysctl net/ipv4/ip_forward";
    expect(foretold(host, node({}), node({ "net/ipv4/ip_forward": "1" }))).toEqual(told("198.51.100.9", setting));
    expect(foretold(host, node({}), node({ "kernel/panic": "1" }))).toEqual([]);
  });
});
