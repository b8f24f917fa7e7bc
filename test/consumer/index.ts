import { OverlayNode, VxlanSegment, WgLink, WgMesh } from "pulumi-overlay";
import { Server, Subnet } from "./cloud";

// What was there before: servers and networks of another package.
const servers = {
  lux: new Server("lux", { at: "203.0.113.5" }),
  fra: new Server("fra", { at: "198.51.100.9" }),
  hkg: new Server("hkg", { at: "192.0.2.7" }),
};
const office = new Subnet("office", { at: "192.168.7.0/24" });
const branch = new Subnet("branch", { at: "192.168.8.0/24" });
const storage = new Subnet("storage", { at: "192.168.9.0/24" });
const partner = new Server("partner", { at: "192.0.2.80" });

// What is new: each server is a node, and whatever is known only later goes through as an Output.
const node = (name: keyof typeof servers, id: number) => {
  const { address, sshPort, hostKey } = servers[name];
  return new OverlayNode(name, {
    id,
    connection: { host: address, port: sshPort, hostKey },
    addresses: [`10.255.0.${id}`],
    prefixes: ["10.255.0.0/24"],
    endpoints: [address],
  });
};
const [lux, fra, hkg] = [node("lux", 1), node("fra", 2), node("hkg", 3)];

export const { sideA } = new WgLink("lux-fra", { a: lux, b: fra, routes: { b: [office.cidr] } });
export const { wgQuick } = new WgLink("lux-partner", {
  a: lux,
  peer: {
    name: "partner",
    id: 50,
    publicKey: "Z/nQ151/XO7fH+SlX5Ri5Uf10wssuR5ZNx5DfPaOJiM=",
    addresses: ["10.255.0.50"],
    endpoint: partner.gateway,
  },
});
export const { devices } = new WgMesh("mesh", { nodes: [fra, hkg], routes: { hkg: branch.cidrs } });
new VxlanSegment("lan", {
  vni: 100,
  variant: "static-flood",
  members: [
    { node: lux, addresses: ["10.100.0.1/24"] },
    { node: fra, addresses: ["10.100.0.2/24"], routes: storage.cidrs },
  ],
});
