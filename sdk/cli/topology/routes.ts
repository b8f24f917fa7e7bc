/** How lines go between boxes, and where there is room for what is said of them. Pure. */
import { along, at, type Box, type Curve, exit, holds, middle, overlap, type Point, part, reversed } from "./geometry";

/** Pixels that a line stays away from boxes that it does not belong to. */
const CLEAR = 7;

/** How far the middle of a line is drawn towards the middle of the picture, and then aside, in the order of preference. */
const PULLS = [0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8];
const ASIDE = [40, -40, 80, -80, 130, -130, 190, -190];

function* candidates(from: Point, to: Point, centre: Point, first: readonly number[]): Generator<Curve> {
  const half = middle(from, to);
  for (const pull of [...first, ...PULLS]) {
    yield [from, { x: half.x + (centre.x - half.x) * pull, y: half.y + (centre.y - half.y) * pull }, to];
  }
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  for (const aside of ASIDE) {
    const towards = {
      x: half.x - ((to.y - from.y) / length) * aside * 2,
      y: half.y + ((to.x - from.x) / length) * aside * 2,
    };
    yield [from, towards, to];
  }
}

const hits = (curve: Curve, boxes: readonly Box[]): number => {
  const points = along(curve);
  return boxes.filter((box) => points.some((point) => holds(box, point, CLEAR))).length;
};

/**
 * From the edge of one box to the edge of another, round those of `others`. `pulls`: how far it is drawn to the centre
 * if nothing is in its way.
 */
export function route(from: Box, to: Box, others: readonly Box[], centre: Point, pulls: readonly number[] = []): Curve {
  let best: { curve: Curve; hit: number } | undefined;
  for (const curve of candidates(from, to, centre, pulls)) {
    const hit = hits(curve, others);
    if (!best || hit < best.hit) best = { curve, hit };
    if (hit === 0) break;
  }
  const { curve } = best as { curve: Curve };
  const [start, end] = [exit(curve, from, 2), 1 - exit(reversed(curve), to, 2)];
  return start < end ? part(curve, start, end) : curve;
}

/** Shares of a line at which a label may be. */
const PLACES = [0.5, 0.42, 0.58, 0.35, 0.65, 0.28, 0.72, 0.2, 0.8];

/**
 * Boxes for labels on their lines, none over another or over a box; undefined where a line has no room. Where there is
 * a choice, the fewest other lines are covered.
 */
export function labelled(
  lines: readonly { curve: Curve; width: number; height: number }[],
  others: readonly Curve[],
  boxes: readonly Box[],
): (Box | undefined)[] {
  const points = [...lines.map(({ curve }) => curve), ...others].map(along);
  const taken: Box[] = [];
  return lines.map(({ curve, width, height }, index) => {
    let best: { box: Box; covered: number } | undefined;
    for (const place of PLACES) {
      const box = { ...at(curve, place), width, height };
      if ([...boxes, ...taken].some((other) => overlap(box, other, 4))) continue;
      const covered = points.filter((all, other) => other !== index && all.some((point) => holds(box, point))).length;
      if (!best || covered < best.covered) best = { box, covered };
    }
    if (best) taken.push(best.box);
    return best?.box;
  });
}
