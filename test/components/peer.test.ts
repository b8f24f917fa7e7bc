/** A link with somebody else's machine. */
import { OverlayNode, WgLink, type WgLinkArgs } from "../../components";
import { Network } from "../../components/network";
import { formatWithCodes } from "../../sdk/faults";
import { reference, registered } from "./declare";

const lux = {
  id: 1,
  connection: { host: "lux.example" },
  addresses: ["10.255.0.1", "fd00:6f::1"],
  prefixes: ["10.255.0.0/24", "fd00:6f::/48"],
  endpoints: ["203.0.113.5"],
};
const office = {
  name: "office",
  id: 50,
  publicKey: "Z/nQ151/XO7fH+SlX5Ri5Uf10wssuR5ZNx5DfPaOJiM=",
  addresses: ["10.255.0.50"],
  endpoint: "192.0.2.7:51820",
  routes: ["192.168.9.0/24"],
};

test("one side is made, and the other is told by a file of wg-quick", async () => {
  const files: unknown[] = [];
  const made = await registered(() => {
    const link = new WgLink("lux-office", {
      ...{ a: new OverlayNode("lux", lux), peer: office, routes: { a: ["192.168.7.0/24"] } },
    });
    link.wgQuick.apply((it) => files.push(it));
    link.sideA.apply((it) => files.push(it));
    link.sideB.apply((it) => files.push(it));
  });
  expect(made.map(({ name }) => name)).toEqual(["lux", "lux-office@lux"]);
  expect(made[1]?.inputs.spec).toMatchObject({
    device: "inter-office",
    listenPort: 11050,
    peer: { name: "office", endpoint: office.endpoint, addresses: office.addresses, routes: office.routes },
  });
  expect(files).toContainEqual({
    node: "lux",
    device: "inter-office",
    listenPort: 11050,
    mtu: 1420,
    endpoint: office.endpoint,
  });
  expect(files).toContain(undefined);
  expect(files.find((it) => typeof it === "string")).toMatchInlineSnapshot(`
"# office
[Interface]
PrivateKey = <the private key of office>
Address = 10.255.0.50/32
ListenPort = 51820
MTU = 1420

# lux
[Peer]
PublicKey = key-of-lux
AllowedIPs = 10.255.0.1/32, fd00:6f::1/128, 192.168.7.0/24
Endpoint = 203.0.113.5:11050
PersistentKeepalive = 25
"
`);
});

test("of a link that carries IPv4 alone the other is told IPv4 alone", async () => {
  const files: string[] = [];
  const peer = { ...office, addresses: ["10.255.0.50", "fd00:6f::50"] };
  await registered(() => {
    const link = new WgLink("lux-office", { a: new OverlayNode("lux", lux), peer, family: "v4", mtu: 1000 });
    link.wgQuick.apply((it) => files.push(it ?? ""));
  });
  expect(files[0]?.split("\n").filter((line) => /^(Address|AllowedIPs|MTU)/.test(line))).toEqual([
    "Address = 10.255.0.50/32",
    "MTU = 1000",
    "AllowedIPs = 10.255.0.1/32",
  ]);
  const network = new Network();
  network.addNode("lux", lux);
  const six = { ...peer, addresses: ["fd00:6f::50"], routes: ["fd00:9::/64"] };
  const checked = network.addLink("lux-office", { a: reference("lux"), peer: six, family: "v4" });
  expect("faults" in checked ? formatWithCodes(checked.faults) : "").toMatchInlineSnapshot(`
"peer.routes[0]: found "fd00:9::/64", legal is one of IPv4, because family is "v4"; leave it out, or leave out \`family\`. [input/family]
peer.addresses: legal is at least one of IPv4, because family is "v4" and nothing else goes by the link; give one, or leave out \`family\`. [input/family]"
`);
});

test("a key of the link's own is what the other is told", async () => {
  const files: string[] = [];
  const made = await registered(() => {
    const link = new WgLink("lux-office", { a: new OverlayNode("lux", lux), peer: office, rotate: "2026-11" });
    link.wgQuick.apply((it) => files.push(it ?? ""));
  });
  const name = "lux-office@lux/inter-office.2026-11";
  expect(made.map(({ name }) => name)).toEqual(["lux", "lux-office@lux", name]);
  expect(made[2]?.inputs.spec).toEqual({
    ...{ node: "lux", owner: "net/prod", device: "inter-office", label: "2026-11", adopt: false },
  });
  expect(files[0]).toContain(`PublicKey = key-of-${name}\n`);
});

test("a link has one other end, and the machine is no node's double", () => {
  const said = (args: Partial<WgLinkArgs>): string => {
    const network = new Network();
    network.addNode("lux", lux);
    const result = network.addLink("link", { a: reference("lux"), ...args });
    return "faults" in result ? formatWithCodes(result.faults) : "";
  };
  expect(said({ peer: office })).toBe("");
  expect(
    [
      said({}),
      said({ b: reference("fra"), peer: office }),
      said({
        peer: { ...office, id: 1, addresses: ["10.255.0.1"], endpoint: "10.255.0.9:51820" },
      }),
      said({ peer: office, routes: { b: ["10.9.0.0/16"] } }),
      said({ peer: office, routes: { a: ["::/0"] } }),
      said({ peer: { ...office, publicKey: "lux", endpoint: "office.example:51820", addresses: [] } }),
    ].join("\n"),
  ).toMatchInlineSnapshot(`
"b: legal is an OverlayNode of this program, where \`peer\` is not given; add it. [input/missing]
peer: legal is absent where \`b\` is given; leave one of them out. [input/conflict]
a.peer.id: found 1, legal is another id than the node's own, 1; give each node an id of its own. [input/duplicate]
a.peer.addresses[0]: found "10.255.0.1", legal is an address that the node itself has not; give each node addresses of its own. [input/duplicate]
b.peer.id: found 1, legal is another id than the node's own, 1; give each node an id of its own. [input/duplicate]
b.peer.addresses[0]: found "10.255.0.1", legal is an address that the node itself has not; give each node addresses of its own. [input/duplicate]
link.office.endpoints[0]: found "10.255.0.9", legal is an address on the underlay, and this is inside the overlay prefix 10.255.0.0/24, so the tunnel would carry its own packets; name the peer's address on the underlay, or leave the endpoint out and let the peer call. [input/underlay]
office.id: found 1, legal is id 1 once, and node lux has it already; give each node an id of its own, and never change it. [input/duplicate]
office.addresses[0]: found "10.255.0.1", legal is address 10.255.0.1 once, and node lux has it already; give each node its own addresses. [input/duplicate]
office.endpoint: found "10.255.0.9", legal is an address on the underlay, and this is inside the overlay prefix 10.255.0.0/24, so the tunnel would carry its own packets; name the peer's address on the underlay, or leave the endpoint out and let the peer call. [input/underlay]
routes.b: legal is absent where \`peer\` is given; name them in peer.routes. [input/conflict]
routes.a[0]: found "::/0", legal is a prefix of a family that whoever gets the route has an address of, and office has none of IPv6; give office an overlay address of IPv6 in \`addresses\`, or leave the route out. [input/family]
peer.publicKey: legal is a WireGuard public key: 32 bytes in base64, 44 characters; give what \`wg pubkey\` prints, and if this was a private key, make a new one. [input/value]
peer.addresses: legal is at least 1; correct the value. [input/range]
peer.endpoint: found "office.example:51820", legal is an address and a port, such as 203.0.113.5:11002 or [2001:db8::5]:11002; correct the endpoint; a host name is not one, because it may change. [input/value]"
`);
});
