/** The Pulumi program that is measured: the nodes and links of network.json, see network.ts. */
import { readFileSync } from "node:fs";
import { OverlayNode, WgLink } from "../../components";
import type { Network } from "./network";

const { nodes, links } = JSON.parse(readFileSync("network.json", "utf8")) as Network;

const made = new Map(Object.entries(nodes).map(([name, args]) => [name, new OverlayNode(name, args)]));

const node = (name: string): OverlayNode => {
  const found = made.get(name);
  if (!found) throw new Error(`no node ${name}`);
  return found;
};

for (const [name, { a, b, ...more }] of Object.entries(links)) new WgLink(name, { a: node(a), b: node(b), ...more });
