import {
  type Layer,
  leastMtu,
  mtu,
  mtuChain,
  mtuObjection,
  narrowest,
  OVERHEAD,
  underlayChain,
  underlayFor,
  type Way,
  wireguardMtu,
} from "../../../sdk/network/mtu";

test("WireGuard adds 60 bytes over IPv4 and 80 over IPv6, VXLAN 50 and 70", () => {
  expect([OVERHEAD.WireGuard("inet"), OVERHEAD.WireGuard("inet6")]).toEqual([60, 80]);
  expect([OVERHEAD.VXLAN("inet"), OVERHEAD.VXLAN("inet6")]).toEqual([50, 70]);
});

test.each<[Layer, number]>([
  [{ layer: "PPPoE" }, 8],
  [{ layer: "VLAN tag" }, 4],
  [{ layer: "464XLAT" }, 20],
  [{ layer: "MACsec" }, 32],
  [{ layer: "ESP transport" }, 56],
  [{ layer: "ESP transport in UDP" }, 64],
  [{ layer: "ESP tunnel", outer: "inet" }, 72],
  [{ layer: "ESP tunnel", outer: "inet6" }, 92],
  [{ layer: "GRE", outer: "inet" }, 24],
  [{ layer: "GRE", outer: "inet6" }, 44],
])("%j takes %i bytes", (layer, bytes) => {
  expect(1500 - mtu(1500, [layer])).toBe(bytes);
});

test("a WireGuard device is made for the worst endpoint, unless all are IPv4", () => {
  expect(wireguardMtu()).toBe(1420);
  expect(wireguardMtu({ family: "inet" })).toBe(1440);
  expect(wireguardMtu({ underlay: 1280 })).toBe(1200);
});

const layers: Layer[] = [
  { layer: "WireGuard", outer: "inet6" },
  { layer: "VXLAN", outer: "inet" },
];

test("layers add up, and the sum can be shown", () => {
  expect(mtu(1500, layers)).toBe(1370);
  expect(mtuChain(1500, layers)).toBe("underlay 1500 - WireGuard over IPv6 80 - VXLAN over IPv4 50 = 1370");
  expect(mtuChain(1300, layers.slice(0, 1))).toBe("underlay 1300 - WireGuard over IPv6 80 = 1220 < 1280");
});

test("a home behind DSL, without IPv4 in its provider's network", () => {
  const home: Layer[] = [{ layer: "PPPoE" }, { layer: "464XLAT" }, { layer: "WireGuard", outer: "inet" }];
  expect(mtuChain(1500, home)).toBe("underlay 1500 - PPPoE 8 - 464XLAT 20 - WireGuard over IPv4 60 = 1412");
});

test.each([
  ["inet", "inet", 1390],
  ["inet", "inet6", 1370],
  ["inet6", "inet", 1370],
  ["inet6", "inet6", 1350],
] as const)("a segment over WireGuard over %s between VTEPs of %s has %i bytes", (wireguard, vxlan, bytes) => {
  const segment: Layer[] = [
    { layer: "WireGuard", outer: wireguard },
    { layer: "VXLAN", outer: vxlan },
  ];
  expect(mtu(1500, segment)).toBe(bytes);
  expect(underlayFor(bytes, segment)).toBe(1500);
});

test("what an Ethernet inside needs below", () => {
  expect(underlayFor(1500, layers)).toBe(1630);
  expect(underlayChain(1500, layers)).toBe("1500 + VXLAN over IPv4 50 + WireGuard over IPv6 80 = underlay 1630");
});

test("of several ways the narrowest counts, whichever layer makes it so", () => {
  const over = (underlay: number, outer: "inet" | "inet6"): Way => ({ underlay, layers: [{ layer: "VXLAN", outer }] });
  expect(narrowest([over(1500, "inet"), over(1492, "inet"), over(9000, "inet6")]).underlay).toBe(1492);
  expect(narrowest([over(1500, "inet"), over(1510, "inet6")]).underlay).toBe(1510);
});

describe("what somebody wants", () => {
  const way: Way = { underlay: 1500, layers };
  test.each([[undefined], [1280], [1370]])("%p fits", (wanted) => {
    expect(mtuObjection(wanted, way)).toBeUndefined();
  });
  test("1500 inside is told the underlay that it needs", () => {
    expect(mtuObjection(1500, way)).toEqual({
      code: "input/mtu",
      legal: "1280 to 1370 bytes (underlay 1500 - WireGuard over IPv6 80 - VXLAN over IPv4 50 = 1370)",
      cure: "leave it out, or have 1630 bytes below (1500 + VXLAN over IPv4 50 + WireGuard over IPv6 80 = underlay 1630)",
    });
    expect(mtuObjection(1500, { ...way, underlay: 1630 })).toBeUndefined();
  });
  test("too little for IPv6 is enough for IPv4 alone", () => {
    expect(mtuObjection(1000, way)).toEqual({
      code: "input/mtu",
      legal: "1280 to 1370 bytes (underlay 1500 - WireGuard over IPv6 80 - VXLAN over IPv4 50 = 1370)",
      cure: 'leave it out; with family: "v4", which carries no IPv6, 576 will do',
    });
    expect(mtuObjection(1000, way, leastMtu("v4"))).toBeUndefined();
    expect(mtuObjection(575, way, leastMtu("v4"))?.legal).toMatch(/^576 to 1370 bytes /);
  });
  test("an underlay that leaves too little says so, whatever is wanted", () => {
    const small = { ...way, underlay: 1400, name: "device wg0" };
    expect(mtuObjection(undefined, small)).toEqual({
      code: "input/mtu",
      legal:
        "at least 1280 bytes for IPv6 (RFC 8200), and device wg0 1400 - WireGuard over IPv6 80 - VXLAN over IPv4 50 = 1270 < 1280",
      cure: 'have 1410 bytes below (1280 + VXLAN over IPv4 50 + WireGuard over IPv6 80 = device wg0 1410); with family: "v4", which carries no IPv6, 576 will do',
    });
    expect(mtuObjection(undefined, small, leastMtu("v4"))).toBeUndefined();
    expect(mtuObjection(undefined, { ...small, underlay: 700 })?.cure).toMatch(/\(.* = device wg0 1410\)$/);
    expect(mtuObjection(undefined, { ...small, underlay: 700 }, leastMtu("v4"))?.legal).toBe(
      "at least 576 bytes for IPv4 (RFC 791), and device wg0 700 - WireGuard over IPv6 80 - VXLAN over IPv4 50 = 570 < 576",
    );
  });
});
