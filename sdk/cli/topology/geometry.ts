/** Points, boxes and curves of a picture. Pixels, y downwards; pure. */

export interface Point {
  x: number;
  y: number;
}

/** By its middle. */
export interface Box extends Point {
  width: number;
  height: number;
}

/** A quadratic Bézier curve: from, what it is drawn towards, to. */
export type Curve = [Point, Point, Point];

export const middle = (a: Point, b: Point): Point => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });

/** The point at a share of the way from one to another. */
export const between = (a: Point, b: Point, share: number): Point => ({
  x: a.x + (b.x - a.x) * share,
  y: a.y + (b.y - a.y) * share,
});

export const at = ([from, towards, to]: Curve, t: number): Point =>
  between(between(from, towards, t), between(towards, to, t), t);

/** The part of it between two values of its parameter (de Casteljau). */
export function part(curve: Curve, start: number, end: number): Curve {
  const [from, towards, to] = curve;
  const control = between(between(from, towards, start), between(towards, to, start), end);
  return [at(curve, start), control, at(curve, end)];
}

/** `margin`: how far they have to be from each other. */
export const overlap = (a: Box, b: Box, margin = 0): boolean =>
  Math.abs(a.x - b.x) < (a.width + b.width) / 2 + margin && Math.abs(a.y - b.y) < (a.height + b.height) / 2 + margin;

export const holds = (box: Box, { x, y }: Point, margin = 0): boolean =>
  Math.abs(box.x - x) < box.width / 2 + margin && Math.abs(box.y - y) < box.height / 2 + margin;

const STEPS = 32;
/** Points along it, as many as a picture needs. */
export const along = (curve: Curve): Point[] => Array.from({ length: STEPS + 1 }, (_, n) => at(curve, n / STEPS));

/** Where a curve that begins in the middle of a box leaves it: its parameter. */
export function exit(curve: Curve, box: Box, margin: number): number {
  let [inside, outside] = [0, 1];
  for (let n = 1; n <= STEPS; n++) {
    if (holds(box, at(curve, n / STEPS), margin)) continue;
    [inside, outside] = [(n - 1) / STEPS, n / STEPS];
    break;
  }
  for (let n = 0; n < 12; n++) {
    const half = (inside + outside) / 2;
    if (holds(box, at(curve, half), margin)) inside = half;
    else outside = half;
  }
  return outside;
}

export const reversed = ([from, towards, to]: Curve): Curve => [to, towards, from];

export interface Bounds {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** Of one box at least. */
export const boundsOf = (boxes: readonly Box[]): Bounds => ({
  left: Math.min(...boxes.map(({ x, width }) => x - width / 2)),
  right: Math.max(...boxes.map(({ x, width }) => x + width / 2)),
  top: Math.min(...boxes.map(({ y, height }) => y - height / 2)),
  bottom: Math.max(...boxes.map(({ y, height }) => y + height / 2)),
});
