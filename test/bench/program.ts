/** The Pulumi program that is measured: the network of network.json, see network.ts. */
import { readFileSync } from "node:fs";
import { OverlayNode, VxlanSegment, WgLink, WgMesh } from "../../components";
import type { Network } from "./network";

const { nodes, links, mesh, segment } = JSON.parse(readFileSync("network.json", "utf8")) as Network;

const made = new Map(Object.entries(nodes).map(([name, args]) => [name, new OverlayNode(name, args)]));

const node = (name: string): OverlayNode => {
  const found = made.get(name);
  if (!found) throw new Error(`no node ${name}`);
  return found;
};

for (const [name, { a, b, ...more }] of Object.entries(links)) {
  new WgLink(name, { a: node(a), ...(b !== undefined && { b: node(b) }), ...more });
}
if (segment) {
  const members = segment.members.map((member) => ({ ...member, node: node(member.node) }));
  new VxlanSegment("lan", { ...segment, members });
}
if (mesh) new WgMesh("mesh", { ...mesh, nodes: mesh.nodes.map(node) });
