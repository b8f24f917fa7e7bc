/** What only the live host can tell, on what a real one printed. */
import { format, parse } from "../../../sdk/faults";
import { wireguard } from "../../../sdk/wireguard";
import { captured } from "../kernel/captured";

const host = captured("fresh");

function said({ peer: more, ...spec }: { peer?: object; [field: string]: unknown }, snapshot = host): string {
  const whole = {
    node: "fra",
    owner: "net/prod",
    link: "lux-fra",
    device: "inter-lux",
    id: 2,
    mtu: 1420,
    listenPort: 11001,
  };
  const peer = { name: "lux", id: 1, publicKey: "Z/nQ151/XO7fH+SlX5Ri5Uf10wssuR5ZNx5DfPaOJiM=", ...more };
  const result = parse(wireguard.spec, { ...whole, peer, ...spec });
  if ("faults" in result) throw new Error(format(result.faults));
  return format(wireguard.faults?.(result.value, snapshot) ?? []);
}

test("a link on a machine of its stack has no faults, and the same machine is no other stack's", () => {
  expect(said({})).toBe("");
  expect(said({ owner: "net/other" })).toContain("a machine that belongs to the stack net/prod");
});

describe("a port that a WireGuard device listens on", () => {
  test("is free again when the device is ours: it may be about to go", () => {
    expect(said({ listenPort: 11003 })).toBe("");
  });
  test("is a fault when the device is somebody else's", () => {
    const links = host.links.map((link) => {
      const { ifalias: _, ...foreign } = link;
      return link.ifname === "inter-hkg" ? { ...foreign, group: "0" } : link;
    });
    expect(said({ listenPort: 11003 }, { ...host, links })).toBe(
      "listenPort: found 11003, legal is a port that nothing else listens on, and the host's device inter-hkg listens on this one; give the link another port in `ports`.",
    );
  });
});

test("an address of the peer that is a neighbour of the host is a fault: its route would take the neighbour away", () => {
  const at = (...addresses: string[]) => said({ peer: { addresses } });
  expect(at("10.255.0.1", "203.0.113.77")).toBe(
    'peer.addresses[1]: found "203.0.113.77", legal is an address that the host is not connected to, and its device eth0 is in 203.0.113.0/24; give the other node another address.',
  );
  expect(at("2001:db8:1::77")).toContain("its device eth0 is in 2001:db8:1::/64");
  expect(at("10.255.0.1", "fd00:6f::1", "203.0.114.1")).toBe("");
});

describe("a peer whom the way to leads by a tunnel", () => {
  const endpoint = "198.51.100.9:11002";
  const vpn = { ifindex: 9, ifname: "vpn0", mtu: 1400, flags: ["UP"], group: "0", linkinfo: { info_kind: "tun" } };
  const by = (device: string | undefined, spec: object = {}) =>
    said({ peer: { endpoint }, ...spec }, { ...host, links: [...host.links, vpn], ways: { "198.51.100.9": device } });

  test("is a fault, because the guard against loops drops what leaves there", () => {
    expect(by("vpn0")).toBe(
      'peer.endpoint: found "198.51.100.9:11002", legal is an address that is not behind a tunnel, and the way to it leaves fra by vpn0, a tun tunnel, where the guard against loops drops all packets; give it a route by another device; or, if vpn0 does not itself run over this network, name it in `underlay.devices` of fra.',
    );
  });
  test("is none where the tunnel is named, or another device is on the way, or nothing is known of it", () => {
    expect(by("vpn0", { underlay: ["vpn0"] })).toBe("");
    expect(by("eth0")).toBe("");
    expect(by(undefined)).toBe("");
  });
  test("is none where the tunnel is ours: its link may be about to go", () => {
    expect(by("inter-hkg")).toBe("");
  });
});
