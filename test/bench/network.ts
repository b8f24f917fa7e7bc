/** Networks as data, so that a measurement can change any field of one. */
import type { OverlayNodeArgs, VxlanSegmentArgs, WgLinkArgs, WgMeshArgs } from "../../components";
import type { Lab } from "../lab";
import { publicKeys } from "../sdk/publicKeys";

export type Link = Omit<WgLinkArgs, "a" | "b"> & { a: string; b?: string };

export type Mesh = Omit<WgMeshArgs, "nodes"> & { nodes: string[] };

export type Segment = Omit<VxlanSegmentArgs, "members"> & {
  members: (Omit<VxlanSegmentArgs["members"][number], "node"> & { node: string })[];
};

export interface Network {
  nodes: Record<string, OverlayNodeArgs>;
  links: Record<string, Link>;
  mesh?: Mesh;
  segment?: Segment;
}

const PREFIXES = ["10.255.0.0/24", "fd00:6f::/48"];

/** The addresses of node N in the overlay. */
export const overlayAddresses = (id: number): [v4: string, v6: string] => [`10.255.0.${id}`, `fd00:6f::${id}`];

/** The hosts of a lab as nodes, in the order of its topology from id 1. */
export function nodesOf(lab: Lab): Record<string, OverlayNodeArgs> {
  const nodes = Object.entries(lab.json.hosts).map(
    ([name, { addresses, hostKey }], index): [string, OverlayNodeArgs] => [
      name,
      {
        id: index + 1,
        connection: { host: addresses[0] ?? name, hostKey },
        addresses: overlayAddresses(index + 1),
        endpoints: addresses,
        prefixes: PREFIXES,
      },
    ],
  );
  return Object.fromEntries(nodes);
}

/** The hosts of a lab with a link between each two of them. */
export function fullMesh(lab: Lab): Network {
  const nodes = nodesOf(lab);
  const names = Object.keys(nodes);
  const pairs = names.flatMap((a, index) => names.slice(index + 1).map((b) => ({ a, b })));
  return { nodes, links: Object.fromEntries(pairs.map((pair) => [`${pair.a}-${pair.b}`, pair])) };
}

/** All links between three hosts, and so many more on the first of them that it has 50; with machines that call nobody. */
export function crowded(lab: Lab): Network {
  const { nodes, links } = fullMesh(lab);
  const more = publicKeys(48).map((publicKey, index): [string, Link] => {
    const peer = { name: `p${index}`, id: index + 100, publicKey, addresses: [`10.254.0.${index + 1}`] };
    return [`lux-p${index}`, { a: "lux", peer }];
  });
  return { nodes, links: { ...links, ...Object.fromEntries(more) } };
}

/** A segment of nodes of a lab: 10.100.0.N and fd00:100::N of the N-th. */
export const segmentOf = (variant: Segment["variant"], nodes: string[]): Segment => ({
  vni: 100,
  variant,
  members: nodes.map((node, index) => ({ node, addresses: [`10.100.0.${index + 1}/24`, `fd00:100::${index + 1}/64`] })),
});

/** Nodes as one WgMesh. */
export const meshOf = (nodes: Network["nodes"]): Network => ({ nodes, links: {}, mesh: { nodes: Object.keys(nodes) } });

export const withLink = (network: Network, name: string, change: Partial<Link>): Network => {
  const link = network.links[name];
  if (!link) throw new Error(`no link ${name}`);
  return { ...network, links: { ...network.links, [name]: { ...link, ...change } } };
};

export const withoutLink = (network: Network, name: string): Network => {
  const { [name]: _, ...links } = network.links;
  return { ...network, links };
};

export const withNode = (network: Network, name: string, change: Partial<OverlayNodeArgs>): Network => {
  const node = network.nodes[name];
  if (!node) throw new Error(`no node ${name}`);
  return { ...network, nodes: { ...network.nodes, [name]: { ...node, ...change } } };
};

/** So many nodes that no lab has. */
export const meshNodes = (count: number): Record<string, OverlayNodeArgs> =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index): [string, OverlayNodeArgs] => {
      const id = index + 1;
      const last = `${Math.floor(id / 250)}.${(id % 250) + 1}`;
      const address = `203.${last}.1`;
      return [
        `node${id}`,
        {
          id,
          connection: { host: address, hostKey: `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"A".repeat(43)}` },
          addresses: [`10.255.${last}`, `fd00:6f::${id.toString(16)}`],
          endpoints: [address],
          prefixes: ["10.255.0.0/16", "fd00:6f::/48"],
        },
      ];
    }),
  );
