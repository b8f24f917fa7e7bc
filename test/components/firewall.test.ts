/** What a node says of its firewall reaches its links; and which of their ends are called. */

import type { OverlayNodeArgs } from "../../components";
import { meshNode, meshPeers } from "../../components/mesh";
import { Network } from "../../components/network";
import { sideSpec } from "../../components/side";
import { formatWithCodes } from "../../sdk/faults";
import { reference } from "./declare";

let network: Network;
const node = (name: string, id: number, more: Partial<OverlayNodeArgs> = {}) =>
  network.addNode(name, { id, connection: { host: name }, addresses: [`10.255.0.${id}`], ...more });
const value = <T>(checked: { value: T } | { faults: object[] }): T => (checked as { value: T }).value;

const chain = "inet filter input";
beforeEach(() => {
  network = new Network();
  node("lux", 1, { endpoints: ["203.0.113.5"], firewall: "nftables", firewallChain: chain });
  node("fra", 2, { firewall: "ufw" });
  node("hkg", 3, { endpoints: ["2001:db8::7"] });
});

const peer = {
  name: "phone",
  id: 50,
  publicKey: "uHmhAC1YycGGHZM+2jay84Rf+cUcB78Rulu/uUTpeFk=",
  addresses: ["10.255.0.50"],
  endpoint: "192.0.2.50:51820",
};

function sides(a: string, b: string | undefined, more: object = {}) {
  const ends = b === undefined ? { peer } : { b: reference(b) };
  const link = value(network.addLink(`${a}-${b}`, { a: reference(a), ...ends, ...more }));
  return network.ofNodes([reference(a), reference(b ?? a)], ([one, other]) =>
    (["a", "b"] as const).map((side) =>
      sideSpec({ side, link, own: side === "a" ? one : other, peer: side === "a" ? other : one }, "net/prod", ""),
    ),
  ) as ReturnType<typeof sideSpec>[];
}

test("a link is told of its node's firewall, and whether it is called at all", () => {
  const [lux, fra] = sides("lux", "fra");
  expect(lux).toMatchObject({ called: true, firewall: "nftables", firewallChain: [chain] });
  expect(fra).toMatchObject({ called: false, firewall: "ufw" });
  expect(fra?.peer).not.toHaveProperty("foreign");
  const [, hkg] = sides("fra", "hkg");
  expect(hkg?.called).toBe(true);
  expect(hkg).not.toHaveProperty("firewall");
});

test("a mesh too, and somebody else's machine is known for one", () => {
  const mesh = value(network.addMesh("mesh", { nodes: [reference("lux"), reference("fra")], peers: [peer] }));
  network.ofNodes(mesh.nodes, (nodes) => {
    const [lux, fra] = nodes.map((own) => meshNode(mesh, own, "net/prod", 1420));
    expect(lux).toMatchObject({ called: true, firewall: "nftables", firewallChain: [chain] });
    expect(fra).toMatchObject({ called: false, firewall: "ufw" });
    expect(meshPeers(mesh, nodes, ["", ""]).map((one) => "foreign" in one)).toEqual([false, false, true]);
  });
});

test("what lies behind a node its own host is told, because it has to forward it", () => {
  const [lux, fra] = sides("lux", "fra", { routes: { b: ["192.168.7.0/24"] } });
  expect([lux?.behind, fra?.behind]).toEqual([[], ["192.168.7.0/24"]]);
  const routes = { lux: ["192.168.8.0/24"] };
  const mesh = value(network.addMesh("mesh", { nodes: [reference("lux"), reference("hkg")], routes }));
  network.ofNodes(mesh.nodes, (nodes) => {
    const behind = nodes.map((own) => meshNode(mesh, own, "net/prod", 1420).behind);
    expect(behind).toEqual([["192.168.8.0/24"], []]);
  });
});

test("a chain for each family, each once", () => {
  const both = ["ip filter input", "ip6 filter input", "ip filter input"];
  node("nrt", 5, { endpoints: ["203.0.113.9"], firewall: "nftables", firewallChain: both });
  expect(sides("fra", "nrt")[1]).toMatchObject({ firewallChain: ["ip filter input", "ip6 filter input"] });
  const faulty = node("ams", 4, { firewall: "nftables", firewallChain: ["ip filter input", "input"] });
  expect("faults" in faulty && formatWithCodes(faulty.faults)).toBe(
    'firewallChain[1]: found "input", legal is family, table and chain, such as inet filter input; correct it; `nft list chains` shows them. [input/value]',
  );
});

test("a relay's chains reach its links, and are nftables' alone", () => {
  const forwardChain = "inet filter forward";
  node("nrt", 5, { endpoints: ["203.0.113.9"], firewall: "nftables", firewallChain: chain, forwardChain });
  expect(sides("fra", "nrt")[1]).toMatchObject({ firewallChain: [chain], forwardChain: [forwardChain] });
  const faulty = node("ams", 4, { firewall: "ufw", forwardChain });
  expect("faults" in faulty && formatWithCodes(faulty.faults)).toBe(
    'forwardChain: found "inet filter forward", legal is absent where firewall is not "nftables"; leave it out, or correct `firewall`. [input/firewall]',
  );
});

test("a chain without nftables is a fault of the node", () => {
  const faulty = node("ams", 4, { firewall: "ufw", firewallChain: chain });
  expect("faults" in faulty && formatWithCodes(faulty.faults)).toBe(
    'firewallChain: found "inet filter input", legal is absent where firewall is not "nftables"; leave it out, or correct `firewall`. [input/firewall]',
  );
});
