/** A network as a picture that a browser shows as it is, on light and on dark: SVG 1.1 and CSS. Pure. */
import type { StackEnd, StackLink, StackMesh, StackNetwork } from "../stack";
import { arranged, type Edge, placed, type Room, type Vertex } from "./arrange";
import { type Card, label, meshPill, n, nodeCard, spoke, title } from "./card";
import { type Bounds, type Box, boundsOf, type Curve, type Point } from "./geometry";
import { legend } from "./legend";
import { listing } from "./listing";
import { DECLARED, type Live } from "./live";
import { labelled, route } from "./routes";
import { style } from "./style";
import { shortened, xml } from "./text";
import { called, keys, linkLines, linkWords, mtu, nodeLines, summary } from "./words";

/** Nodes beyond which each of the ring is a line of text, and no card. */
const CARDS = 24;
/** Links beyond which nothing is written on them. */
const LABELS = 60;

const CENTRE: Point = { x: 0, y: 0 };
const CENTRE_BOX: Box = { ...CENTRE, width: 0, height: 0 };
/** How far long lines of a ring are drawn to the middle. */
const CURVED = 0.3;

/** What is drawn of one node or mesh. */
interface Figure extends Vertex {
  className: string;
  draw(box: Box): string;
  /** Pixels that it takes beyond its box. */
  beyond: number;
  lines: readonly string[];
}

const meshId = (name: string): string => `mesh ${name}`;
const nodeId = (name: string): string => `node ${name}`;

/** `n3`, by which style and mouse know a node. */
type ClassOf = (node: string) => string;

function figures(network: StackNetwork, classOf: ClassOf, live: Live): Figure[] {
  const inSegments = (node: string): string[] => network.segments.flatMap(({ name }) => live.member(name, node).words);
  const nodes = network.nodes.map((node): Figure => {
    const trouble = live.node(node.name);
    const className = [
      "node",
      classOf(node.name),
      ...(node.foreign ? ["foreign"] : []),
      ...(trouble ? ["bad"] : []),
    ].join(" ");
    const { width, height, draw } = nodeCard(node, network, live);
    return {
      id: nodeId(node.name),
      width,
      height,
      draw,
      beyond: 0,
      className,
      lines: [...nodeLines(node, network), ...inSegments(node.name)],
    };
  });
  const meshes = network.meshes.map((mesh): Figure => {
    const pill = meshPill(mesh.name, [["mesh", ...mtu(mesh.ends)].join(", "), ...keys(mesh)]);
    const lines = linkLines(mesh, []);
    return { id: meshId(mesh.name), hub: true, ...pill, beyond: 0, className: "mesh", lines };
  });
  return [...meshes, ...nodes];
}

/** The same, but for the middle, as dots with a line of text each. */
const asSpokes = (all: Figure[], ring: ReadonlySet<string>, network: StackNetwork, live: Live): Figure[] =>
  all.map((figure) => {
    const node = network.nodes.find(({ name }) => nodeId(name) === figure.id);
    if (!node || !ring.has(figure.id)) return figure;
    const { length, draw } = spoke(node, network, live);
    return { ...figure, className: `${figure.className} spoken`, width: 0, height: 0, beyond: length, draw };
  });

/** Pixels; few nodes have room for what is written on their links. */
function room(network: StackNetwork, wide: boolean): Room {
  if (wide) return { aspect: 1, gap: Math.max(17, 1000 / network.nodes.length), inside: 110 };
  const nodes = network.nodes.length;
  const linked = network.links.length > 0 && network.links.length <= LABELS;
  if (linked && nodes <= 4) return { aspect: 1.3, gap: 230, inside: 170 };
  if (linked && nodes <= 10) return { aspect: 1.3, gap: 70, inside: 130 };
  return { aspect: 1.3, gap: 26, inside: 80 };
}

/** A line between two figures, and what belongs to it. */
interface Line {
  className: string;
  curve: Curve;
  tips: string;
  lines: readonly string[];
}

/** Who is called has the tip of an arrow. Of many links, those alone of which one end is. */
function tips([from, towards, to]: Curve, [a, b]: readonly [StackEnd, StackEnd], many: boolean): string {
  if (many && (a.called === undefined) === (b.called === undefined)) return "";
  return (a.called === undefined ? "" : tip(from, towards)) + (b.called === undefined ? "" : tip(to, towards));
}

function tip(at: Point, from: Point): string {
  const length = Math.hypot(at.x - from.x, at.y - from.y) || 1;
  const [x, y] = [(at.x - from.x) / length, (at.y - from.y) / length];
  const [back, side] = [9, 4.5];
  const corner = (way: 1 | -1) => `${n(at.x - x * back - y * side * way)} ${n(at.y - y * back + x * side * way)}`;
  return `<path class="tip" d="M${n(at.x)} ${n(at.y)}L${corner(1)}L${corner(-1)}Z"/>`;
}

interface Places {
  box(id: string): Box;
  /** All but these. */
  others(...ids: string[]): Box[];
}

function placesOf(boxes: ReadonlyMap<string, Box>): Places {
  // The dot of a node in a large ring.
  const solid = ({ x, y, width, height }: Box): Box => ({ x, y, width: width || 8, height: height || 8 });
  return {
    box: (id) => solid(boxes.get(id) ?? CENTRE_BOX),
    others: (...ids) => [...boxes].flatMap(([id, box]) => (ids.includes(id) ? [] : [solid(box)])),
  };
}

interface Drawing {
  classOf: ClassOf;
  live: Live;
  /** Whether there are so many links that lines are thin and nothing is written on them. */
  many: boolean;
  /** How far a line between two is drawn to the middle. */
  pull(a: string, b: string): number;
}

/** By how far apart two are in the ring. Neighbours' cards have a straight line, their dots a bow beside both. */
function pulled(ring: readonly string[], wide: boolean): Drawing["pull"] {
  const places = new Map(ring.map((id, place) => [id, place]));
  return (a, b) => {
    const [one, other] = [places.get(a), places.get(b)];
    if (one === undefined || other === undefined || ring.length < 7) return 0;
    const apart = Math.min(Math.abs(one - other), ring.length - Math.abs(one - other));
    const share = wide ? 1.2 * Math.sin((Math.PI * apart) / ring.length) : (apart - 1) / ring.length;
    return CURVED * Math.min(1, 2 * share);
  };
}

function linkLine(link: StackLink, { box, others }: Places, { classOf, live, pull, many }: Drawing): Line {
  const [a, b] = link.ends.map(({ node }) => nodeId(node)) as [string, string];
  const curve = route(box(a), box(b), others(a, b), CENTRE, [pull(a, b)]);
  const nodes = link.ends.map(({ node }) => classOf(node)).join(" ");
  const { state, words } = live.line(link.name);
  const className = `link ${state}${link.postQuantum ? " pq" : ""} ${nodes}`;
  return { className, curve, tips: tips(curve, link.ends, many), lines: [...linkLines(link), ...words] };
}

function meshLines(mesh: StackMesh, { box, others }: Places, { classOf, live }: Drawing): Line[] {
  const hub = meshId(mesh.name);
  return mesh.ends.map((end) => {
    const id = nodeId(end.node);
    const curve = route(box(hub), box(id), others(hub, id), CENTRE);
    const at = end.called === undefined ? "" : tip(curve[2], curve[1]);
    const { state, words } = live.line(mesh.name, end.node);
    const lines = [...linkLines(mesh, [end]), ...words];
    return { className: `mesh spoke ${state} ${classOf(end.node)}`, curve, tips: at, lines };
  });
}

/** Pixels that the way by a relay stays away from the relay itself. */
const BESIDE = 0.72;

/** Drawn from one to the other, and towards who forwards between them. */
function wayLine(relay: StackNetwork["relays"][number], { box, others }: Places, { classOf, live }: Drawing): Line {
  const { a, b, by } = relay;
  const [from, to, between] = [box(nodeId(a)), box(nodeId(b)), box(nodeId(by))];
  const towards = { x: between.x * BESIDE, y: between.y * BESIDE };
  const curve = route(from, to, others(nodeId(a), nodeId(b)), towards, [0.75, 0.6, 0.9]);
  const nodes = [a, b, by].map(classOf).join(" ");
  const { state, words } = live.relay(relay);
  return { className: `way ${state} ${nodes}`, curve, tips: "", lines: [`${a} and ${b} by way of ${by}`, ...words] };
}

const drawLine = ({ className, curve: [from, towards, to], tips, lines }: Line): string =>
  `<g class="${className}">${title(lines)}<path class="line" d="M${n(from.x)} ${n(from.y)}Q${n(towards.x)} ${n(towards.y)} ${n(to.x)} ${n(to.y)}"/>${tips}</g>`;

/** What is written on links, from the most to the least. */
const SAID: ((link: StackLink) => string[])[] = [
  (link) => [...linkWords(link), ...called(link)],
  linkWords,
  (link) => [[...mtu(link.ends), ...keys(link)].join(", ")],
];

/** The same is written on all links: as much as there is room for. Nothing, where there is none. */
function labels(
  links: readonly StackLink[],
  lines: readonly Line[],
  others: readonly Line[],
  boxes: readonly Box[],
): [Card, Box][] {
  for (const said of SAID) {
    const cards = links.map((link) => label(said(link)));
    const found = labelled(
      lines.map(({ curve }, index) => ({ curve, width: cards[index]?.width ?? 0, height: cards[index]?.height ?? 0 })),
      others.map(({ curve }) => curve),
      boxes,
    );
    const all = found.flatMap((box, index): [Card, Box][] => {
      const card = cards[index];
      return box && card ? [[card, box]] : [];
    });
    if (all.length === links.length) return all;
  }
  return [];
}

interface Drawn {
  lines: Line[];
  /** What is written on lines. */
  labels: string[];
  figures: string[];
  bounds: Bounds;
  many: boolean;
  unsaid: boolean;
}

function draw(network: StackNetwork, classOf: ClassOf, live: Live): Drawn {
  const edges: Edge[] = [
    ...network.links.map(({ ends }): Edge => [nodeId(ends[0].node), nodeId(ends[1].node)]),
    ...network.meshes.flatMap(({ name, ends }) => ends.map(({ node }): Edge => [meshId(name), nodeId(node)])),
  ];
  const cards = figures(network, classOf, live);
  const order = arranged(cards, edges);
  const wide = order.ring.length > CARDS;
  const all = wide ? asSpokes(cards, new Set(order.ring), network, live) : cards;
  const places = placesOf(placed(all, order, room(network, wide)));
  const drawing: Drawing = {
    classOf,
    live,
    many: wide || network.links.length > LABELS,
    pull: pulled(order.ring, wide),
  };
  const links = network.links.map((link) => linkLine(link, places, drawing));
  const ways = network.relays.map((relay) => wayLine(relay, places, drawing));
  const said = drawing.many ? [] : labels(network.links, links, ways, places.others());
  return {
    lines: [...network.meshes.flatMap((mesh) => meshLines(mesh, places, drawing)), ...links, ...ways],
    labels: said.map(([card, box]) => card.draw(box)),
    figures: all.map(({ id, className, lines, draw }) => {
      return `<g class="${className}">${title(lines)}${draw(places.box(id))}</g>`;
    }),
    bounds: boundsOf([
      ...all.map(({ id, beyond }) => grown(places.box(id), beyond)),
      ...said.map(([, box]) => box),
      CENTRE_BOX,
    ]),
    many: drawing.many,
    unsaid: said.length < network.links.length,
  };
}

/** By what it takes outwards, which is more than what it takes to its sides. */
function grown({ x, y, width, height }: Box, beyond: number): Box {
  const length = Math.hypot(x, y) || 1;
  const [dx, dy] = [(x / length) * beyond, (y / length) * beyond];
  return { x: x + dx / 2, y: y + dy / 2, width: width + Math.abs(dx), height: height + Math.abs(dy) };
}

const PAGE = 28;
/** Pixels for the stack's name and what there is of it. */
const TITLE = 58;
const LEAST = 520;

/** `<svg>` and what is in it, with a newline at its end. `live`: what a look at the hosts has shown. */
export function svg(network: StackNetwork, live: Live = DECLARED): string {
  const classes = new Map(network.nodes.map(({ name }, index) => [name, `n${index}`]));
  const { lines, labels, figures, bounds, many, unsaid } = draw(network, (node) => classes.get(node) ?? "", live);
  const inside = Math.max(bounds.right - bounds.left, LEAST);
  const said = summary(network);
  const list = unsaid ? listing(network.links, live, inside) : undefined;
  const members = network.segments.flatMap(({ name, members }) => members.map(({ node }) => live.member(name, node)));
  const states = [
    ...lines.flatMap(({ className }) => className.match(/\b(idle|down|unknown)\b/)?.[0] ?? []),
    ...members.flatMap(({ state }) => (state === "up" ? [] : [state])),
  ];
  const signs = legend(network, inside, {
    tips: lines.some(({ tips }) => tips !== ""),
    unsaid,
    states: [...new Set(states)].sort(),
  });
  const below = list ? list.height + PAGE : 0;
  const width = Math.max(inside, signs.width, list?.width ?? 0) + 2 * PAGE;
  const height = bounds.bottom - bounds.top + TITLE + below + signs.height + 3 * PAGE;
  const [x, y] = [(width - bounds.right - bounds.left) / 2, PAGE + TITLE - bounds.top];
  const size = `viewBox="0 0 ${n(width)} ${n(height)}" width="${n(width)}" height="${n(height)}"`;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-label="${xml(`${network.stack}: ${said}`)}">`,
    `<style>${style([...classes.values()])}</style>`,
    `<rect class="page" x="0.5" y="0.5" width="${n(width - 1)}" height="${n(height - 1)}" rx="12"/>`,
    `<text class="title" x="${PAGE}" y="${PAGE + 14}">${xml(shortened(network.stack, 40))}</text>`,
    `<text class="quiet small start" x="${PAGE}" y="${PAGE + 34}">${xml(said)}</text>`,
    `<g${many ? ' class="many"' : ""} transform="translate(${n(x)} ${n(y)})">`,
    ...lines.map(drawLine),
    ...labels,
    ...figures,
    "</g>",
    ...(list ? [`<g transform="translate(${PAGE} ${n(height - PAGE - signs.height - below)})">${list.svg}</g>`] : []),
    `<g transform="translate(${PAGE} ${n(height - PAGE - signs.height)})">${signs.svg}</g>`,
    "</svg>",
  ].join("\n")}\n`;
}
