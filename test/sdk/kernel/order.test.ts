import { type Fact, fact, kinds } from "../../../sdk/kernel";
import { inOrder } from "../../../sdk/kernel/order";

const keys = (facts: Fact[]): string[] => inOrder(facts).map(({ kind, key }) => `${kind} ${key}`);

test("every kind has its place: what nobody knows would come first", () => {
  const facts = Object.keys(kinds).map((kind): Fact => ({ kind, key: "x", value: {} }));
  expect(keys([...facts, { kind: "stranger", key: "x", value: {} }])[0]).toBe("stranger x");
});

test("what stands on something comes behind it, even among its own kind", () => {
  const segment: Fact = { kind: "link", key: "a-segment", value: {}, after: "link z-carrier" };
  const carrier: Fact = { kind: "link", key: "z-carrier", value: {} };
  expect(keys([segment, carrier])).toEqual(["link z-carrier", "link a-segment"]);
});

test("settings: forwarding is the last to go on, and a device's own come when there is a device", () => {
  const sysctl = (name: string, after?: string) => fact("sysctl", { name, value: "1" }, after);
  const facts = [
    sysctl("net/ipv6/conf/all/forwarding"),
    sysctl("net/ipv6/conf/eth0/accept_ra"),
    sysctl("net/ipv4/conf/wan/rp_filter", "link wan"),
    sysctl("net/ipv4/ip_forward"),
    { kind: "link", key: "wan", value: {} },
  ];
  expect(keys(facts)).toEqual([
    "sysctl net/ipv6/conf/eth0/accept_ra",
    "sysctl net/ipv4/ip_forward",
    "sysctl net/ipv6/conf/all/forwarding",
    "link wan",
    "sysctl net/ipv4/conf/wan/rp_filter",
  ]);
});

test("what is not known yet comes last among its like", () => {
  const to = (dst: string) => fact("route", { dst, device: "wan", metric: 1 }, "link wan");
  expect(keys([to("<known after lux is created>"), to("fd00::1/128")])).toEqual([
    "route main fd00::1/128 wan",
    "route main <known after lux is created> wan",
  ]);
});
