/** What a stack says of its nodes, and of the links and meshes that it has declared between them. */
import * as pulumi from "../sdk/provider/pulumi";
import type { TruthPartArgs } from "../sdk/provider/resources";
import type { Way } from "./network";
import type { OverlayNode } from "./OverlayNode";
import { program } from "./program";
import type { TruthData } from "./truthArgs";
import { pairName } from "./truthRelays";

type Spec = Exclude<TruthPartArgs["spec"], pulumi.Input<string>>;
function nodeSaid({ nodeName, ...node }: OverlayNode, { endpoints: more, connections }: TruthData) {
  const { nodeId: id, publicKey, addresses, portBase, ports } = node;
  // Its family is for an address that is known later; this one is known.
  const endpoints = node.endpoints.apply((all) => [
    ...all.map(({ address, ports }) => ({ address, ...(ports && { ports }) })),
    ...(more[nodeName] ?? []),
  ]);
  const connection = node.connection.apply(({ connectTimeout: _, ...it }) => it);
  return { id, publicKey, addresses, endpoints, portBase, ports, ...(connections && { connection }) };
}

/** A link or a mesh with those of its ends that are in the source of truth; nothing where these are less than two. */
function waySaid(
  name: string,
  { ends, others, family, mtu }: Way,
  nodes: ReadonlySet<string>,
  peers: ReadonlySet<string>,
) {
  const { devices, keys } = program();
  const own = ends.filter(({ node }) => nodes.has(node) && !others.includes(node));
  const foreign = others.filter((node) => peers.has(node));
  if (own.length === 0 || own.length + foreign.length < 2) return [];
  const said = own.map(({ node, device, listenPort: port, alsoPorts = [] }) => {
    const made = devices.get(`${name}@${node}`);
    const publicKey = keys.get(`${name}@${node}`);
    // By way of the URN: others are told of a device when it is there.
    const there = made ? made.urn.apply(() => device) : device;
    return { node, device: there, port, alsoPorts: [...alsoPorts], ...(publicKey && { publicKey }) };
  });
  return [{ ends: [...said, ...foreign.map((node) => ({ node }))], ...(family && { family }), mtu }];
}

export function said(data: TruthData, peers: ReadonlySet<string>): Spec {
  const { nodes, relays, choosers } = data;
  const names = new Set(nodes.map(({ nodeName }) => nodeName));
  return {
    prefixes: pulumi.all(nodes.map(({ prefixes }) => prefixes)).apply((all) => [...new Set(all.flat())]),
    nodes: Object.fromEntries(nodes.map((node) => [node.nodeName, nodeSaid(node, data)])),
    links: Object.fromEntries([
      ...[...program().network.ways].flatMap(([name, way]) =>
        waySaid(name, way, names, peers).map((link) => {
          const plain = name.replace(/^\w+ /, "");
          return [plain, { ...link, ...(choosers[plain] !== undefined && { chooser: choosers[plain] }) }];
        }),
      ),
      ...relays.map((pair) => [
        pairName(pair),
        { ends: [{ node: pair.a }, { node: pair.b }], relay: pair.by, allowPlaintext: pair.allowPlaintext },
      ]),
    ]),
  } as Spec;
}
