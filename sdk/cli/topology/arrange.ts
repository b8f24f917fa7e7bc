/**
 * Who stands where: in a ring, and in its middle those who hold the others together (a mesh, the hub of a star). Nets of
 * links are full meshes, stars, a few of these with some links in between: a layout by forces draws a full mesh as a ball,
 * one by layers as a wall, and a ring shows each link of it. The same net always gets the same picture. Pure.
 */
import { type Box, overlap } from "./geometry";

export interface Vertex {
  id: string;
  width: number;
  height: number;
  /** It stands for what connects others, and belongs into the middle. */
  hub?: boolean;
}

export type Edge = readonly [string, string];

/** The least number of edges for which somebody belongs into the middle. */
const HUB = 3;

type Neighbours = ReadonlyMap<string, readonly string[]>;

function neighboursOf(vertices: readonly Vertex[], edges: readonly Edge[]): Neighbours {
  const all = new Map<string, string[]>(vertices.map(({ id }) => [id, []]));
  for (const [a, b] of edges) {
    all.get(a)?.push(b);
    all.get(b)?.push(a);
  }
  return all;
}

/** A few who together are an end of each edge: those of the middle. Where it takes many there is no middle. */
function hubs(vertices: readonly Vertex[], edges: readonly Edge[]): string[] {
  const given = vertices.filter(({ hub }) => hub).map(({ id }) => id);
  const found = [...given];
  const nodes = vertices.length - given.length;
  for (let left = edges.filter((edge) => !edge.some((id) => given.includes(id))); left.length > 0; ) {
    const degrees = new Map<string, number>();
    for (const id of left.flat()) degrees.set(id, (degrees.get(id) ?? 0) + 1);
    const [best = "", degree = 0] = [...degrees].reduce((a, b) => (b[1] > a[1] ? b : a));
    if (degree < HUB || found.length - given.length + 1 > nodes / 3) return given;
    found.push(best);
    left = left.filter((edge) => !edge.includes(best));
  }
  return vertices.map(({ id }) => id).filter((id) => found.includes(id));
}

/** One after the other, each near those it has an edge with: breadth first, as Cuthill and McKee have it. */
function connected(ids: readonly string[], neighbours: Neighbours): string[] {
  const left = new Set(ids);
  const degree = (id: string): number => neighbours.get(id)?.length ?? 0;
  const order: string[] = [];
  while (left.size > 0) {
    const start = [...left].reduce((a, b) => (degree(b) < degree(a) ? b : a));
    left.delete(start);
    for (let index = order.push(start) - 1; index < order.length; index++) {
      const next = (neighbours.get(order[index] ?? "") ?? []).filter((id) => left.has(id));
      for (const id of next.sort((a, b) => degree(a) - degree(b))) if (left.delete(id)) order.push(id);
    }
  }
  return order;
}

/** Turns of trying all swaps; fewer where there are so many that a person would wait. */
const turns = (n: number): number => Math.max(1, Math.min(12, Math.floor(1e6 / n ** 2)));

/** Swaps places in a ring as long as edges get shorter by it. */
function shortened(start: readonly string[], neighbours: Neighbours, ideal: ReadonlyMap<string, number>) {
  const order = [...start];
  const places = new Map(order.map((id, place) => [id, place]));
  const n = order.length;
  const distance = (a: number, b: number): number => {
    const apart = Math.abs(a - b) % n;
    return Math.min(apart, n - apart) ** 2;
  };
  const costAt = (id: string): number => {
    const place = places.get(id) ?? 0;
    const own = ideal.get(id);
    return (neighbours.get(id) ?? []).reduce(
      (sum, other) => sum + (places.has(other) ? distance(place, places.get(other) ?? 0) : 0),
      own === undefined ? 0 : distance(place, own),
    );
  };
  const swap = (i: number, j: number): void => {
    const [a = "", b = ""] = [order[i], order[j]];
    [order[i], order[j]] = [b, a];
    places.set(b, i).set(a, j);
  };
  let better = true;
  for (let turn = 0; better && turn < turns(n); turn++) {
    better = false;
    for (let i = 0; i < n; i++) {
      for (let j = i + 1; j < n; j++) {
        const before = costAt(order[i] ?? "") + costAt(order[j] ?? "");
        swap(i, j);
        if (costAt(order[i] ?? "") + costAt(order[j] ?? "") < before - 1e-9) better = true;
        else swap(i, j);
      }
    }
  }
  return { order, cost: order.reduce((sum, id) => sum + costAt(id), 0) };
}

/** The places in the ring that are nearest to whom they belong to in the middle. */
function ideals(ring: readonly string[], inner: readonly string[], neighbours: Neighbours): Map<string, number> {
  if (inner.length < 2) return new Map();
  return new Map(
    ring.flatMap((id): [string, number][] => {
      const own = inner.flatMap((hub, index) => (neighbours.get(id)?.includes(hub) ? [index] : []));
      if (own.length !== 1) return [];
      const share = ((own[0] ?? 0) + first(inner.length)) / inner.length;
      return [[id, (((share + 1) % 1) * ring.length - first(ring.length)) % ring.length]];
    }),
  );
}

export interface Arranged {
  /** Clockwise, the first at the top. */
  ring: string[];
  inner: string[];
}

export function arranged(vertices: readonly Vertex[], edges: readonly Edge[]): Arranged {
  const neighbours = neighboursOf(vertices, edges);
  const inner = hubs(vertices, edges);
  const ring = vertices.map(({ id }) => id).filter((id) => !inner.includes(id));
  const ideal = ideals(ring, inner, neighbours);
  // As they are named, unless edges are shorter in another order.
  const byPlace = [...ring].sort((a, b) => (ideal.get(a) ?? 0) - (ideal.get(b) ?? 0));
  const tried = [ring, byPlace, connected(ring, neighbours)].map((order) => shortened(order, neighbours, ideal));
  const best = tried.reduce((a, b) => (b.cost < a.cost - 1e-9 ? b : a));
  return { ring: best.order, inner };
}

export interface Room {
  /** How much wider than high. */
  aspect: number;
  /** Pixels between two in the ring. */
  gap: number;
  /** Pixels between the ring and its middle. */
  inside: number;
}

/** Where the first of so many stands, in places clockwise from the top: two are side by side, four at the corners. */
const first = (n: number): number => (n % 2 === 0 ? -0.5 : 0);

const STEPS = 3600;

/** Angles at which so many stand, so that each has the room that it takes there: more at the top, where they are side by side. */
function angles(n: number, { width, height }: { width: number; height: number }, gap: number): number[] {
  const angleOf = (step: number): number => (2 * Math.PI * step) / STEPS - Math.PI / 2;
  const needed = (angle: number): number =>
    Math.abs(Math.sin(angle)) * width + Math.abs(Math.cos(angle)) * height + gap;
  const sums = [0];
  for (let step = 0; step < STEPS; step++) sums.push((sums[step] ?? 0) + 1 / needed(angleOf(step + 0.5)));
  const whole = sums[STEPS] ?? 1;
  return Array.from({ length: n }, (_, index) => {
    const share = (((index + first(n)) / n + 1) % 1) * whole;
    return angleOf(sums.findIndex((sum) => sum >= share - 1e-9));
  });
}

const crowded = (boxes: readonly Box[], others: readonly Box[], margin: number): boolean =>
  boxes.some((box, index) => [...boxes.slice(index + 1), ...others].some((other) => overlap(box, other, margin)));

/** The middle of each box. */
export function placed(
  vertices: readonly Vertex[],
  { ring, inner }: Arranged,
  { aspect, gap, inside }: Room,
): Map<string, Box> {
  const sizes = new Map(vertices.map((vertex) => [vertex.id, vertex]));
  const box = (id: string, x: number, y: number): Box => {
    const { width = 0, height = 0 } = sizes.get(id) ?? {};
    return { x, y, width, height };
  };
  const circle = (ids: readonly string[], radius: number, all: number[]): Box[] =>
    ids.map((id, index) => {
      const angle = all[index] ?? 0;
      return box(id, Math.cos(angle) * radius * aspect, Math.sin(angle) * radius);
    });
  const grown = (ids: readonly string[], margin: number, others: readonly Box[], apart: number): Box[] => {
    if (ids.length === 1 && others.length === 0) return circle(ids, 0, [0]);
    const most = (side: "width" | "height") => Math.max(0, ...ids.map((id) => sizes.get(id)?.[side] ?? 0));
    const all = angles(ids.length, { width: most("width"), height: most("height") }, margin);
    let radius = 20;
    let boxes = circle(ids, radius, all);
    while (crowded(boxes, [], margin) || boxes.some((one) => others.some((other) => overlap(one, other, apart)))) {
      radius += Math.max(8, radius / 50);
      boxes = circle(ids, radius, all);
    }
    return boxes;
  };
  const middle = grown(inner, inside, [], 0);
  const around = grown(ring, gap, middle, inside);
  return new Map([
    ...inner.map((id, index) => [id, middle[index] as Box] as const),
    ...ring.map((id, index) => [id, around[index] as Box] as const),
  ]);
}
