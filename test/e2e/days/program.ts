/** What the stacks of these tests run: the network that network.json in the current folder declares. */
import { readFileSync } from "node:fs";
import type { Alias } from "@pulumi/pulumi";
import {
  OverlayNode,
  type OverlayNodeArgs,
  RosenpassPeer,
  type RosenpassPeerArgs,
  star,
  VxlanSegment,
  type VxlanSegmentArgs,
  WgLink,
  type WgLinkArgs,
  WgMesh,
  type WgMeshArgs,
} from "../../../components";
import { Provider, type ProviderArgs } from "../../../sdk/provider/resources";

export type Segment = Omit<VxlanSegmentArgs, "members"> & {
  members: Record<string, Omit<VxlanSegmentArgs["members"][number], "node">>;
};

export interface Declared {
  provider: ProviderArgs & { identities?: string[] };
  nodes: Record<string, OverlayNodeArgs & { connection: { host: string } & Record<string, unknown> }>;
  links: Record<string, Omit<WgLinkArgs, "a" | "b"> & { a: string; b?: string }>;
  /** Nodes that have a link with a hub, by its name. */
  stars?: Record<string, string[]>;
  meshes?: Record<string, Omit<WgMeshArgs, "nodes"> & { nodes: string[] }>;
  segments?: Record<string, Segment>;
  /** Post-quantum keys, by the name of the link, which is their own by default. */
  rosenpass?: Record<string, Omit<RosenpassPeerArgs, "link"> & { name?: string }>;
  /** What a node or a link was called before, where its `aliases` say so. */
  aliases?: Record<string, string>;
  /** How long a node may take to be created. */
  seconds?: Record<string, number>;
}

/**
 * Returns the stack's outputs: of each link and mesh what somebody else's machines must be told, and how their post-quantum
 * keys are.
 */
export function program(): Record<string, unknown> {
  const {
    provider: how,
    nodes,
    links,
    stars = {},
    meshes = {},
    segments = {},
    rosenpass = {},
    aliases = {},
    seconds = {},
  } = JSON.parse(readFileSync("network.json", "utf8")) as Declared;
  const providers = [new Provider("lab", how)];
  const formerly = (name: string): Alias[] => (aliases[name] === undefined ? [] : [{ name: aliases[name] }]);
  const made = new Map<string, OverlayNode>();
  for (const [name, args] of Object.entries(nodes)) {
    const customTimeouts = seconds[name] === undefined ? {} : { create: `${seconds[name]}s` };
    made.set(name, new OverlayNode(name, args, { providers, aliases: formerly(name), customTimeouts }));
  }
  const known = (name: string): OverlayNode => {
    const node = made.get(name);
    if (!node) throw new Error(`there is no node ${name}`);
    return node;
  };
  const outputs: Record<string, unknown> = {};
  for (const [name, { a, b, ...args }] of Object.entries(links)) {
    const ends = { a: known(a), ...(b !== undefined && { b: known(b) }) };
    const link = new WgLink(name, { ...ends, ...args }, { providers, aliases: formerly(name) });
    if (args.peer) outputs[name] = link.wgQuick;
    const keys = rosenpass[name];
    if (keys) {
      const { name: its = name, ...how } = keys;
      const { health, peerConfig } = new RosenpassPeer(its, { link, ...how }, { providers });
      Object.assign(outputs, { [`${name} health`]: health, ...(args.peer && { [`${name} rosenpass`]: peerConfig }) });
    }
  }
  for (const [hub, nodes] of Object.entries(stars)) star(known(hub), nodes.map(known), {}, { providers });
  for (const [name, { nodes, ...args }] of Object.entries(meshes)) {
    const made = new WgMesh(name, { nodes: nodes.map(known), ...args }, { providers, aliases: formerly(name) });
    outputs[name] = made.wgQuick;
    if (args.postQuantum) outputs[`${name} health`] = made.health;
  }
  for (const [name, { members, ...args }] of Object.entries(segments)) {
    const all = Object.entries(members).map(([node, member]) => ({ node: known(node), ...member }));
    new VxlanSegment(name, { ...args, members: all }, { providers, aliases: formerly(name) });
  }
  return outputs;
}
