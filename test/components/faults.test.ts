/** Every fault of a program, in the words that its author reads. */
import * as pulumi from "@pulumi/pulumi";
import type { OverlayNodeArgs } from "../../components";
import { Declared } from "./declare";

const lux = { id: 1, addresses: ["10.255.0.1"], endpoints: ["203.0.113.5"] };
const fra = { id: 2, addresses: ["10.255.0.2"], endpoints: ["198.51.100.9"] };
const both = () => new Declared().node("lux", lux).node("fra", fra);

test("all faults of a program, each once", () => {
  const network = both()
    .node("hkg", { id: 2, addresses: ["10.255.0.1", "10.255.0.3/24"], conection: "hunter2" } as never)
    .node("ams", { id: 4, endpoints: ["100.100.1.1", "ams.example"], connection: { host: "-oProxyCommand=x" } })
    .node("far-away", { id: 5, addresses: ["10.255.0.5"], underlay: { mtu: 1300 } })
    .node("nas", { id: 6 })
    .node("tv", { id: 7, prefixes: ["203.0.113.0/24"] });
  network.link("lux", "lux");
  network.link("lux", "far-away");
  network.link("nas", "tv");
  network.link("lux", "fra", { mtu: 1500, ports: { a: 0 }, alsoPorts: { b: [11001] } });
  network.link("lux", "tv");
  network.link("tv", "lux");
  expect(network.faults).toMatchInlineSnapshot(`
[
  "hkg: addresses[1]: found "10.255.0.3/24", legal is an IPv4 or IPv6 address without a prefix length, such as 10.255.0.1 or fd00:6f::1; leave out the \`/\` and what follows. [input/value]",
  "hkg: conection: legal is one of addresses, clampMss, connection, endpoints, firewall, firewallChain, formerly, forwardChain, id, packages, portBase, ports, prefixes, prepare, relay, sysctls, underlay; remove it, or correct its spelling. [input/unknownField]",
  "hkg: hkg.id: found 2, legal is id 2 once, and node fra has it already; give each node an id of its own, and never change it. [input/duplicate]",
  "hkg: hkg.addresses[0]: found "10.255.0.1", legal is address 10.255.0.1 once, and node lux has it already; give each node its own addresses. [input/duplicate]",
  "ams: connection.host: found "-oProxyCommand=x", legal is a host name, an address, or a Host of ssh_config; write it as on ssh's command line, without quotes and white space. [input/value]",
  "ams: endpoints[0].address: found "100.100.1.1", legal is an address on the underlay, such as 203.0.113.5 or 2001:db8::5, and this is an address of carriers' NAT and of Tailscale (100.64.0.0/10); name the peer's address on the underlay, or leave the endpoint out and let the peer call. [input/value]",
  "ams: endpoints[1].address: found "ams.example", legal is an address on the underlay, such as 203.0.113.5 or 2001:db8::5; correct the address; a host name is not one, because what it stands for may change. [input/value]",
  "lux-lux: b: found "lux", legal is another node than a; name the two nodes that the link is between. [input/conflict]",
  "lux-far-away: mtu: legal is at least 1280 bytes for IPv6 (RFC 8200), and underlay 1300 - WireGuard over IPv6 80 = 1220 < 1280; raise the MTU of the underlay between lux and far-away, and say it in underlay.mtu; with family: "v4", which carries no IPv6, 576 will do. [input/mtu]",
  "lux-far-away: lux-far-away.lux.endpoints[0]: found "203.0.113.5", legal is an address on the underlay, and this is inside the overlay prefix 203.0.113.0/24, so the tunnel would carry its own packets; name the peer's address on the underlay, or leave the endpoint out and let the peer call. [input/underlay]",
  "nas-tv: a.endpoints: legal is an endpoint on one of the two nodes at least, and neither nas nor tv has one; give \`endpoints\` to the node that can be reached. [input/endpoint]",
  "lux-fra: ports.a: found 0, legal is at least 1; correct the value. [input/range]",
  "lux-fra: mtu: found 1500, legal is 1280 to 1420 bytes (underlay 1500 - WireGuard over IPv6 80 = 1420); leave it out, or say in underlay.mtu of both nodes what the underlay carries. [input/mtu]",
  "lux-fra: b.alsoPorts[0]: found 11001, legal is another port than listenPort; leave it out; the device listens there anyway. [input/duplicate]",
  "lux-fra: lux-fra.lux.endpoints[0]: found "203.0.113.5", legal is an address on the underlay, and this is inside the overlay prefix 203.0.113.0/24, so the tunnel would carry its own packets; name the peer's address on the underlay, or leave the endpoint out and let the peer call. [input/underlay]",
  "lux-fra: lux-fra.fra.ports: found 11001, legal is UDP port 11001 on fra once, and link lux-fra has it already; set \`ports\` on one of the links. [input/duplicate]",
  "lux-tv: lux-tv.lux.endpoints[0]: found "203.0.113.5", legal is an address on the underlay, and this is inside the overlay prefix 203.0.113.0/24, so the tunnel would carry its own packets; name the peer's address on the underlay, or leave the endpoint out and let the peer call. [input/underlay]",
  "tv-lux: tv-lux: found "lux and tv", legal is link between lux and tv once, and link lux-tv has it already; remove one; a link has several endpoints, not twins. [input/duplicate]",
]
`);
});

test("ports that are had twice name both links", () => {
  const network = new Declared()
    .node("lux", { ...lux, ports: [443, 4500] })
    .node("fra", fra)
    .node("hkg", { id: 4, endpoints: ["192.0.2.7"] });
  network.link("lux", "fra");
  network.link("lux", "hkg");
  expect(network.faults).toMatchInlineSnapshot(`
[
  "lux-hkg: lux-hkg.lux.ports: found 443, legal is UDP port 443 on lux once, and link lux-fra has it already; set \`ports\` on one of the links. [input/duplicate]",
]
`);
});

test("outside ports that are had twice name both links", () => {
  const network = new Declared()
    .node("nas", { id: 5, endpoints: [{ address: "203.0.113.5", ports: [443, 4500] }] })
    .node("lux", { id: 1 })
    .node("fra", { id: 3 })
    .node("hkg", { id: 4 });
  for (const peer of ["lux", "fra", "hkg"]) network.link("nas", peer);
  expect(network.faults).toEqual([
    'nas-fra: nas-fra.nas.endpoints: found "203.0.113.5:4500", legal is the outside port 203.0.113.5:4500 once, and link nas-lux has it already; give that endpoint more `ports`, or set `ports` on one of the links. [input/duplicate]',
  ]);
});

test("a machine is one node's; behind another bastion the same address is another machine", () => {
  const at = (connection: OverlayNodeArgs["connection"]) =>
    new Declared().node("lux", { ...lux, connection: { host: "10.0.0.5" } }).node("fra", { ...fra, connection }).faults;
  expect(at({ host: "10.0.0.5", port: 22 })).toEqual([
    'fra: fra.connection.host: found "10.0.0.5", legal is the machine at 10.0.0.5 once, and node lux has it already; give each node a machine of its own. [input/duplicate]',
  ]);
  expect(at({ host: "10.0.0.5", port: 2222 })).toEqual([]);
  expect(at({ host: "10.0.0.5", proxyJump: "bastion" })).toEqual([]);
  expect(at(pulumi.output({ host: "10.0.0.5" }))).toEqual([]);
});

test("an MTU that IPv6 cannot use, and one that the underlay cannot carry", () => {
  const network = both();
  network.link("lux", "fra", { mtu: 1279 });
  expect(network.faults).toMatchInlineSnapshot(`
[
  "lux-fra: mtu: found 1279, legal is 1280 to 1420 bytes (underlay 1500 - WireGuard over IPv6 80 = 1420); leave it out, or say in underlay.mtu of both nodes what the underlay carries; with family: "v4", which carries no IPv6, 576 will do. [input/mtu]",
]
`);
  const jumbo = both();
  jumbo.link("lux", "fra", { mtu: 1441, family: "inet" });
  expect(jumbo.faults).toMatchInlineSnapshot(`
[
  "lux-fra: mtu: found 1441, legal is 1280 to 1440 bytes (underlay 1500 - WireGuard over IPv4 60 = 1440); leave it out, or say in underlay.mtu of both nodes what the underlay carries. [input/mtu]",
]
`);
});

test("values of unknown fields are never shown, nor are keys", () => {
  const key = "4AgmKV+uo0QU5wj5VmGGyzTgfYb9ebEs3bhHoUOyL2k=";
  const network = new Declared().node("lux", {
    id: 1,
    addresses: [key],
    connection: { host: "lux", privateKey: "-----BEGIN", hostKey: key } as never,
    token: "hunter2",
  } as never);
  expect(network.faults.join("\n")).not.toMatch(/hunter2|BEGIN|4AgmKV/);
  expect(network.faults).toHaveLength(4);
});

test("arguments that are not there at all", () => {
  const network = new Declared();
  network.node("lux", undefined as never);
  network.node("fra", { id: "2", endpoints: "203.0.113.5" } as never);
  expect(network.faults).toMatchInlineSnapshot(`
[
  "lux: id: legal is a number; add it. [input/missing]",
  "fra: id: found "2", legal is a number; correct the value. [input/type]",
  "fra: endpoints: found "203.0.113.5", legal is a list; correct the value. [input/type]",
]
`);
});
