import fc from "fast-check";
import {
  address,
  contains,
  endpoint,
  host,
  notAnEndpoint,
  overlaps,
  parseEndpoint,
  prefix,
  unusable,
} from "../../../sdk/network/address";

test.each([
  ["10.255.0.1", "10.255.0.1"],
  ["FD00:006F:0:0:0:0:0:1", "fd00:6f::1"],
  ["2001:db8:0:1:0:0:0:1", "2001:db8:0:1::1"],
  ["::ffff:203.0.113.5", "203.0.113.5"],
  ["10.255.0", undefined],
  ["010.0.0.1", undefined],
  ["0x7f.1", undefined],
  ["10.0.0.256", undefined],
  ["10.0.0.1/32", undefined],
  ["fe80::1%eth0", undefined],
  ["lux", undefined],
  ["", undefined],
])("address %s is %s", (text, canonical) => {
  expect(address(text)).toBe(canonical);
});

test("the canonical form of an IPv6 address is the one that ip(8) prints: its own canonical form", () => {
  fc.assert(
    fc.property(fc.ipV6(), (text) => {
      const once = address(text) ?? "";
      expect(address(once)).toBe(once);
    }),
  );
});

test.each([
  ["10.255.0.7/24", "10.255.0.0/24"],
  ["fd00:6f::1/48", "fd00:6f::/48"],
  ["10.0.0.1/32", "10.0.0.1/32"],
  ["0.0.0.0/0", "0.0.0.0/0"],
  ["10.0.0.0/33", undefined],
  ["fd00::/129", undefined],
  ["10.0.0.0", undefined],
  ["10.0.0.0/", undefined],
  ["10.0.0.0/8/8", undefined],
])("prefix %s is %s", (text, canonical) => {
  expect(prefix(text)).toBe(canonical);
});

test("an address is in the prefix that is only itself", () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
      const canonical = address(text) ?? "";
      expect(contains(host(canonical), canonical)).toBe(true);
      expect(overlaps(host(canonical), host(canonical))).toBe(true);
    }),
  );
});

test("contains and overlaps keep the families apart", () => {
  expect(contains("10.255.0.0/24", "10.255.0.200")).toBe(true);
  expect(contains("10.255.0.0/24", "10.255.1.0")).toBe(false);
  expect(contains("10.255.0.0/24", "::ffff:10.255.0.200")).toBe(true);
  expect(contains("::/0", "10.255.0.1")).toBe(false);
  expect(overlaps("10.0.0.0/8", "10.255.0.0/24")).toBe(true);
  expect(overlaps("10.255.0.0/24", "10.0.0.0/8")).toBe(true);
  expect(overlaps("10.255.0.0/24", "10.255.1.0/24")).toBe(false);
});

test.each([
  ["203.0.113.5:11002", { address: "203.0.113.5", port: 11002 }],
  ["[2001:DB8::5]:1", { address: "2001:db8::5", port: 1 }],
  ["[::ffff:203.0.113.5]:1", { address: "203.0.113.5", port: 1 }],
  ["2001:db8::5:11002", undefined],
  ["[203.0.113.5]:11002", undefined],
  ["203.0.113.5", undefined],
  ["203.0.113.5:0", undefined],
  ["203.0.113.5:65536", undefined],
  ["lux.example.org:11002", undefined],
])("endpoint %s", (text, parsed) => {
  expect(parseEndpoint(text)).toEqual(parsed);
});

test("an endpoint is written as wg(8) prints it, and read back", () => {
  expect(endpoint("203.0.113.5", 1)).toBe("203.0.113.5:1");
  expect(endpoint("2001:db8::5", 1)).toBe("[2001:db8::5]:1");
});

test.each([
  ["0.0.0.0", "unspecified"],
  ["::", "unspecified"],
  ["127.1.2.3", "loopback"],
  ["::1", "loopback"],
  ["::ffff:127.0.0.1", "loopback"],
  ["169.254.169.254", "link-local"],
  ["fe80::1", "link-local"],
  ["224.0.0.1", "multicast"],
  ["ff02::1", "multicast"],
  ["255.255.255.255", "reserved"],
  ["100.64.0.1", "Tailscale"],
  ["100.127.255.255", "Tailscale"],
  ["::ffff:100.100.100.100", "Tailscale"],
  ["10.255.0.9", "overlay prefix 10.255.0.0/24"],
  ["::ffff:10.255.0.9", "overlay prefix 10.255.0.0/24"],
  ["fd00:6f::9", "overlay prefix fd00:6f::/48"],
])("%s is no endpoint: %s", (text, why) => {
  expect(notAnEndpoint(text, ["10.255.0.0/24", "fd00:6f::/48"])).toContain(why);
});

test.each(["203.0.113.5", "192.168.1.5", "10.254.0.1", "100.63.255.255", "100.128.0.0", "2001:db8::5", "fd00:70::1"])(
  "%s is an endpoint",
  (text) => {
    expect(notAnEndpoint(text, ["10.255.0.0/24", "fd00:6f::/48"])).toBeUndefined();
    expect(unusable(text)).toBeUndefined();
  },
);
