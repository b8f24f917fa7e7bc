/** What an update says at preview that it costs. */
import { impact } from "../../../sdk/provider/impact";
import { check } from "../../../sdk/provider/inputs";
import { type ResourceType, resourceType } from "../../../sdk/provider/registry";
import type { Values } from "../../../sdk/provider/wire";

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
