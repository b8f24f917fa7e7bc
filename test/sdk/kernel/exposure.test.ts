/** Which changes may cut off the session that makes them. */
import { type Changed, exposedBeyond, exposure, type Fact, fact, LINK_GROUP, type Snapshot } from "../../../sdk/kernel";
import type { LinkJson, SshWay } from "../../../sdk/kernel/snapshot";
import { KernelModel } from "../../kernel-model";
import { planned } from "../planned";

const KEY = "Z/nQ151/XO7fH+SlX5Ri5Uf10wssuR5ZNx5DfPaOJiM=";

const OTHER = "Al8FNScSowRXLvqnUgci3oxTQKBOsCTHqtRJkw3P82s=";

const link = (index: number): Fact[] =>
  planned({
    resource: "overlay:wireguard:Interface",
    node: "fra",
    owner: "net/prod",
    link: `link-${index}`,
    device: `inter-${index}`,
    id: 2,
    mtu: 1420,
    listenPort: 11000 + index,
    alsoPorts: [443],
    addresses: ["10.255.0.2"],
    peer: {
      name: `peer-${index}`,
      id: 10 + index,
      publicKey: KEY,
      endpoint: `203.0.113.${index}:11002`,
      addresses: [`10.255.0.1${index}`],
    },
  });
const node = (spec: object = {}): Fact[] =>
  planned({ resource: "overlay:node:Host", node: "fra", owner: "net/prod", id: 2, ...spec });

const added = (facts: Fact[]): Changed[] => facts.map((to) => ({ to }));
const removed = (facts: Fact[]): Changed[] => facts.map((from) => ({ from }));

/** A host with links 1 and 2 that is reached in some way. */
function seen(ssh: SshWay | undefined, more: Partial<Snapshot> = {}): Snapshot {
  const device = (ifname: string, group: number): LinkJson => ({
    ifindex: 1,
    ifname,
    mtu: 1420,
    flags: ["UP"],
    group: String(group),
  });
  const peer = { publicKey: KEY, presharedKey: false, endpoint: "203.0.113.1:11002", allowedIps: [], keepalive: 0 };
  return {
    ...new KernelModel({ wireguard: "kernel" }).snapshot(),
    links: [device("eth0", 0), device("inter-1", LINK_GROUP), device("inter-2", LINK_GROUP)],
    wg: [
      {
        device: "inter-1",
        publicKey: KEY,
        listenPort: 11001,
        fwmark: 111,
        peers: [{ ...peer, latestHandshake: 0, rxBytes: 0, txBytes: 0 }],
      },
    ],
    ...(ssh && { ssh }),
    ...more,
  };
}

const underlay: SshWay = { client: "198.51.100.7", server: "192.0.2.2", device: "eth0" };
const overlay: SshWay = { client: "10.255.0.11", server: "10.255.0.2", device: "inter-1" };

test("a link, or a whole node, while SSH runs on the underlay: not exposed", () => {
  for (const facts of [link(1), node({ prefixes: ["10.255.0.0/24", "fd00:6f::/48"] })]) {
    expect(exposure(seen(underlay), added(facts))).toBeUndefined();
    expect(exposure(seen(underlay), removed(facts))).toBeUndefined();
  }
});

test("the link that carries the session, not another one beside it", () => {
  expect(exposure(seen(overlay), removed(link(1)))).toBe("link inter-1");
  const other = link(2).filter(({ kind }) => kind !== "address" && kind !== "nftElement");
  expect(exposure(seen(overlay), removed(other))).toBeUndefined();
  const [peer] = link(1).filter(({ kind }) => kind === "wgPeer");
  expect(exposure(seen(overlay), [{ from: peer as Fact, to: peer as Fact }])).toBe(`wgPeer inter-1 ${KEY}`);
});

const route = (dst: string, more: object = {}) => fact("route", { dst, metric: 4096, ...more });

test.each<[string, SshWay, Fact, boolean]>([
  ["a route that holds the client", underlay, route("198.51.100.0/24", { device: "inter-1" }), true],
  ["a default route in our table", underlay, route("0.0.0.0/0", { device: "inter-1", table: "111" }), true],
  ["an unreachable prefix around the client", underlay, route("198.51.0.0/16", { type: "unreachable" }), true],
  ["a route elsewhere", underlay, route("203.0.113.0/24", { device: "inter-1" }), false],
  ["a route of the other family", underlay, route("::/0", { device: "inter-1" }), false],
  ["the way to the peer of the link", overlay, route("203.0.113.0/24", { device: "inter-2" }), true],
  ["the server's address", overlay, fact("address", { device: "inter-2", address: "10.255.0.2/32" }), true],
  ["a prefix around the client", underlay, fact("address", { device: "inter-1", address: "198.51.100.1/24" }), true],
  ["forwarding of all", underlay, fact("sysctl", { name: "net/ipv6/conf/all/forwarding", value: "1" }), true],
  ["a setting of the underlay", underlay, fact("sysctl", { name: "net/ipv4/conf/eth0/rp_filter", value: "1" }), true],
  ["a setting of no network", underlay, fact("sysctl", { name: "kernel/panic", value: "1" }), false],
  ["a client with a zone", { ...underlay, client: "fe80::9%eth0" }, route("fe80::/10", { device: "inter-1" }), false],
])("%s", (_, ssh, one, exposed) => {
  for (const changed of [added([one]), removed([one])]) {
    expect(exposure(seen(ssh), changed)).toBe(exposed ? `${one.kind} ${one.key}` : undefined);
  }
});

test("the rule for our table, when that table has a way to the client", () => {
  const [rule] = node().filter(({ kind }) => kind === "rule") as [Fact];
  const inTable = (dst: string) => [{ dst, dev: "inter-1", table: "111", protocol: "111", type: "unicast" }];
  expect(exposure(seen(underlay, { routes4: inTable("198.51.0.0/16") }), removed([rule]))).toBe("rule inet 5111");
  expect(exposure(seen(underlay, { routes4: inTable("10.0.0.0/8") }), removed([rule]))).toBeUndefined();
});

test("the guard, when SSH runs through one of our links; a link's own redirect never", () => {
  const [guard] = node().filter(({ kind }) => kind === "nftTable") as [Fact];
  const [redirect] = link(2).filter(({ kind }) => kind === "nftTable") as [Fact];
  expect(exposure(seen(overlay), added([guard]))).toBe("nftTable inet overlay");
  expect(exposure(seen(underlay), added([guard]))).toBeUndefined();
  expect(exposure(seen(overlay), added([redirect]))).toBeUndefined();
});

test("a host that does not say whence the session comes: any route, rule or setting counts", () => {
  expect(exposure(seen(undefined), added(node()))).toBe("rule inet 5111");
  expect(exposure(seen(undefined), added(link(1)))).toBe("route main 10.255.0.11/32 inter-1");
});

describe("the far half: a host at 10.255.0.11, by the address to which link 1 leads", () => {
  const KEEPALIVE = { keepalive: 25 };
  const one = (facts: Fact[], kind: string): Fact => facts.find((it) => it.kind === kind) as Fact;
  const with_ = (fact: Fact, more: object): Changed => ({
    from: fact,
    to: { ...fact, value: { ...(fact.value as object), ...more } },
  });
  const mine = link(1);
  const [made, device, peer, way, own] = ["link", "wgDevice", "wgPeer", "route", "address"].map((kind) =>
    one(mine, kind),
  ) as [Fact, Fact, Fact, Fact, Fact];
  const led = (changed: Changed[], ...addresses: string[]) => exposedBeyond(addresses, mine, changed);
  const far = { address: "10.255.0.11", device: "inter-1" };

  test.each<[string, Changed]>([
    ["the link goes", { from: made }],
    ["another port", with_(device, { listenPort: 1 })],
    ["another peer", { from: peer }],
    ["another endpoint", with_(peer, { endpoint: "203.0.113.9:1" })],
    ["its allowed IPs no more", with_(peer, { allowedIps: ["10.255.0.12/32"] })],
    ["no route", { from: way }],
    ["no own address", { from: own }],
  ])("%s: exposed", (_, one) => {
    expect(led([one], "10.255.0.11")).toEqual([far]);
    expect(led([one], "198.51.100.9", "10.255.0.12", "2001:db8::1")).toEqual([]);
  });

  test.each<[string, Changed]>([
    ["keepalive", with_(peer, KEEPALIVE)],
    ["MTU", with_(made, { mtu: 1400 })],
    ["another source", with_(way, { src: "10.255.0.3" })],
    ["one more peer", { to: peer }],
    ["a setting", { from: one(mine, "sysctl") }],
  ])("%s: not exposed", (_, one) => expect(led([one], "10.255.0.11")).toEqual([]));

  test("a link that is still to be made, and another one beside it, lead nowhere yet", () => {
    expect(exposedBeyond(["10.255.0.11"], [], added(mine))).toEqual([]);
    expect(led(removed(link(2)), "10.255.0.11")).toEqual([]);
  });

  test("a host that the device's own packets go to is there without it, whatever lies behind the peer", () => {
    const behind = ["203.0.113.0/24", "0.0.0.0/0"].map((dst) => route(dst, { device: "inter-1", table: "111" }));
    const addresses = ["203.0.113.1", "203.0.113.2", "198.51.100.9"];
    expect(exposedBeyond(addresses, [...mine, ...behind], removed(mine))).toEqual([{ ...far, address: "203.0.113.2" }]);
  });

  test("of a mesh, the peer that changes and no other", () => {
    const [a, b] = ["a", "b"].map((name, index) => ({
      name,
      id: 10 + index,
      publicKey: index ? OTHER : KEY,
      addresses: [`10.255.0.1${index}`],
    }));
    const mesh = planned({
      resource: "overlay:wireguard:Interface",
      node: "fra",
      owner: "net/prod",
      link: "mesh",
      device: "mesh",
      id: 2,
      mtu: 1420,
      listenPort: 11002,
      addresses: ["10.255.0.2"],
      peers: [a, b],
    });
    const gone = mesh.filter(({ kind, key }) => kind === "wgPeer" && key === `mesh ${KEY}`);
    expect(exposedBeyond(["10.255.0.10", "10.255.0.11"], mesh, removed(gone))).toEqual([
      { address: "10.255.0.10", device: "mesh" },
    ]);
  });
});
