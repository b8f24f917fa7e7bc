/** What a picture says of a network, in whatever format. Pure. */
import type { StackEnd, StackLink, StackMesh, StackNetwork, StackNode, StackSegment } from "../stack";

/** `MTU 1420`, `MTU 1380 to 1420`; nothing where nobody knows. */
export function mtu(ends: readonly StackEnd[]): string[] {
  const all = ends.flatMap((end) => end.mtu ?? []);
  if (all.length === 0) return [];
  const [least, most] = [Math.min(...all), Math.max(...all)];
  return [least === most ? `MTU ${least}` : `MTU ${least} to ${most}`];
}

export const keys = ({ postQuantum }: Pick<StackLink, "postQuantum">): string[] =>
  postQuantum ? [`post-quantum ${postQuantum}`] : [];

/** `lux 203.0.113.5:11002`, of those that are called. */
export const called = ({ ends }: StackLink): string[] =>
  ends.flatMap(({ node, called }) => (called === undefined ? [] : [`${node} ${called}`]));

/** `VNI 100, MTU 1370, static-flood` */
export const segment = ({ vni, mtu, variant, port, encrypted }: StackSegment): string =>
  [
    `VNI ${vni}`,
    `MTU ${mtu}`,
    variant,
    ...(port === 4789 ? [] : [`port ${port}`]),
    ...(encrypted ? [] : ["in clear"]),
  ].join(", ");

// Of each what Mermaid and Graphviz have room for.
export const nodeWords = ({ name, foreign, addresses }: StackNode): string[] => [
  name,
  ...(foreign ? ["not of this stack"] : []),
  ...addresses,
];
export const linkWords = (link: StackLink): string[] =>
  [link.name, [...mtu(link.ends), ...keys(link)].join(", ")].filter(Boolean);
export const meshWords = (mesh: StackMesh): string[] => [
  mesh.name,
  ["mesh", ...mtu(mesh.ends), ...keys(mesh)].join(", "),
];
export const segmentWords = (it: StackSegment): string[] => [it.name, segment(it)];

/** `3 nodes, 3 links, 1 segment` */
export function summary({ nodes, links, meshes, segments }: StackNetwork): string {
  const foreign = nodes.filter((it) => it.foreign).length;
  const all = [
    [nodes.length - foreign, "node"],
    [links.length, "link"],
    [meshes.length, "mesh"],
    [segments.length, "segment"],
    [foreign, "machine of others"],
  ] as const;
  const known = all.filter(([number]) => number > 0).map(([number, what]) => plural(number, what));
  return [...known, ...mtu([...links, ...meshes].flatMap(({ ends }) => ends))].join(", ");
}

const plural = (number: number, what: string): string =>
  number === 1 ? `1 ${what}` : `${number} ${what === "mesh" ? "meshes" : what.replace(/^\w+/, "$&s")}`;

const endWords = ({ node, device, mtu, port, called }: StackEnd): string => {
  const known = [
    ...(device === undefined ? [] : [device]),
    ...(mtu === undefined ? [] : [`MTU ${mtu}`]),
    ...(port === undefined ? [] : [`UDP port ${port}`]),
    called === undefined ? "is called by nobody" : `is called at ${called}`,
  ];
  return `${node}: ${known.join(", ")}`;
};

/** All that is known of a link or a mesh, or of those of its ends. */
export const linkLines = (link: StackLink | StackMesh, ends: readonly StackEnd[] = link.ends): string[] => [
  [link.name, ...keys(link)].join(", "),
  ...ends.map(endWords),
];

/** All that is known of a node. */
export const nodeLines = (node: StackNode, { segments, relays }: StackNetwork): string[] => [
  node.name,
  ...(node.foreign ? ["not of this stack"] : []),
  ...node.addresses,
  ...relays.flatMap(({ a, b, by }) => (by === node.name ? [`relay of ${a} and ${b}`] : [])),
  ...segments.flatMap(({ name, vni, members }) =>
    members
      .filter((it) => it.node === node.name)
      .map(({ device, bridge, addresses }) =>
        [`${name} (VNI ${vni}):`, device, ...(bridge === undefined ? [] : [bridge]), ...addresses].join(" "),
      ),
  ),
];
