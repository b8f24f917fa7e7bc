/** What only the live host can tell, on what a real one printed. */
import { marked } from "../../../sdk/codes";
import { formatWithCodes, parse } from "../../../sdk/faults";
import { wireguard } from "../../../sdk/wireguard";
import { captured } from "../kernel/captured";

const host = captured("fresh");

type Written = { peer?: object; [field: string]: unknown };

const said = (written: Written, snapshot = host): string =>
  formatWithCodes(wireguard.faults?.(spec(written), snapshot) ?? []);

function spec({ peer: more, ...spec }: Written) {
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
  if ("faults" in result) throw new Error(formatWithCodes(result.faults));
  return result.value;
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
      "listenPort: found 11003, legal is a port that nothing else listens on, and the host's device inter-hkg listens on this one; give the link another port in `ports`. [input/duplicate]",
    );
  });
});

test("an address of the peer that is a neighbour of the host is a fault: its route would take the neighbour away", () => {
  const at = (...addresses: string[]) => said({ peer: { addresses } });
  expect(at("10.255.0.1", "203.0.113.77")).toBe(
    'peer.addresses[1]: found "203.0.113.77", legal is an address that the host is not connected to, and its device eth0 is in 203.0.113.0/24; give the other node another address. [input/overlap]',
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
      'peer.endpoint: found "198.51.100.9:11002", legal is an address that is not behind a tunnel, and the way to it leaves fra by vpn0, a tun tunnel, where the guard against loops drops all packets; give it a route by another device; or, if vpn0 does not itself run over this network, name it in `underlay.devices` of fra. [input/underlay]',
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

describe("what lies behind a node", () => {
  const behind = ["192.168.7.0/24", "fd00:7::/64"];
  const look = (sysctls: Record<string, string>, lines: string[] = []) => {
    const [by, family, table, chain, ...verdict] = (lines[0] ?? "").split(" ") as ["nftables", ...string[]];
    const closed = lines.length > 0 ? [{ by, chain: `${family} ${table} ${chain}`, verdict: verdict.join(" ") }] : [];
    return { ...host, sysctls, hooks: { "forward inter-lux": closed } };
  };
  const warned = (written: Written, snapshot: ReturnType<typeof look>) =>
    wireguard.warnings?.(spec(written), snapshot).map(({ code, text }) => marked(code, text)) ?? [];
  const on = { "net/ipv4/ip_forward": "1", "net/ipv6/conf/all/forwarding": "1" };
  const own = "net/ipv4/conf/inter-lux/forwarding";

  test("is asked about where there is something, and with whom nobody declares a firewall", () => {
    expect(wireguard.observes?.(spec({}))).toEqual([]);
    const sysctls = [...Object.keys(on), own].map((name) => `sysctl ${name}`);
    expect(wireguard.observes?.(spec({ behind }))).toEqual(["hook forward inter-lux", ...sysctls]);
    expect(wireguard.observes?.(spec({ behind, firewall: "none" }))).toEqual(sysctls);
  });
  test("is not reached where nothing is forwarded, family by family", () => {
    expect(warned({ behind }, look({ "net/ipv4/ip_forward": "0", "net/ipv6/conf/all/forwarding": "0" }))).toEqual([
      'fra forwards nothing to 192.168.7.0/24 behind it: net/ipv4/ip_forward is 0 there. If it is to, say sysctls: { "net/ipv4/ip_forward": "1" } on node fra, which switches forwarding on for all its devices. [warning/forwarding]',
      'fra forwards nothing to fd00:7::/64 behind it: net/ipv6/conf/all/forwarding is 0 there. If it is to, say sysctls: { "net/ipv6/conf/all/forwarding": "1" } on node fra, which switches forwarding on for all its devices. [warning/forwarding]',
    ]);
    expect(warned({ behind }, look({ ...on, [own]: "0" }))).toEqual([
      `fra forwards nothing to 192.168.7.0/24 behind it: ${own} is 0 there. If it is to, run \`sysctl -w ${own}=1\` there, and see that it is so after a reboot. [warning/forwarding]`,
    ]);
    expect(warned({ behind }, look({ ...on, "net/ipv4/ip_forward": "0", [own]: "1" }))).toEqual([]);
    expect(warned({ behind }, look(on))).toEqual([]);
    expect(warned({}, look({ "net/ipv4/ip_forward": "0" }))).toEqual([]);
  });
  test("is not reached where a chain drops it, both ways", () => {
    const closed = look(on, ["iptables ip filter FORWARD policy drop"]);
    expect(warned({ behind: ["192.168.7.0/24"] }, closed)).toEqual([
      'fra drops what it is to forward and no rule lets through: ip filter FORWARD (policy drop). For 192.168.7.0/24 behind it, run `iptables -I FORWARD -i inter-lux -j ACCEPT` and `iptables -I FORWARD -o inter-lux -j ACCEPT` there, or let less through by rules of your own for inter-lux, and see that it is so after a reboot. Not said where the node has firewall: "none". [warning/forwarding]',
    ]);
    expect(warned({ behind, firewall: "none" }, closed)).toEqual([]);
  });
});
