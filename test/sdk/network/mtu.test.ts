import { mtu, mtuChain, OVERHEAD, wireguardMtu } from "../../../sdk/network/mtu";

test("WireGuard adds 60 bytes over IPv4 and 80 over IPv6, VXLAN 50 and 70", () => {
  expect([OVERHEAD.WireGuard("inet"), OVERHEAD.WireGuard("inet6")]).toEqual([60, 80]);
  expect([OVERHEAD.VXLAN("inet"), OVERHEAD.VXLAN("inet6")]).toEqual([50, 70]);
});

test("a WireGuard device is made for the worst endpoint, unless all are IPv4", () => {
  expect(wireguardMtu()).toBe(1420);
  expect(wireguardMtu({ family: "inet" })).toBe(1440);
  expect(wireguardMtu({ underlay: 1280 })).toBe(1200);
});

test("layers add up, and the sum can be shown", () => {
  const layers = [
    { layer: "WireGuard", outer: "inet6" },
    { layer: "VXLAN", outer: "inet" },
  ] as const;
  expect(mtu(1500, layers)).toBe(1370);
  expect(mtuChain(1500, layers)).toBe("underlay 1500 - WireGuard over IPv6 80 - VXLAN over IPv4 50 = 1370");
  expect(mtuChain(1300, layers.slice(0, 1))).toBe("underlay 1300 - WireGuard over IPv6 80 = 1220 < 1280");
});
