/** An SVG as a test reads it: strictly, and where in the picture each of its texts, cards and lines is. */
import { textWidth } from "../../../sdk/cli/topology/text";

export interface Element {
  name: string;
  attributes: Record<string, string>;
  children: Element[];
  text: string;
}

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"' };
function unescaped(text: string): string {
  if (/&(?!(amp|lt|gt|quot);)|[<>]|\p{Cc}(?<!\n)/u.test(text))
    throw new Error(`not well-formed: ${text.slice(0, 200)}`);
  return text.replace(/&(\w+);/g, (_, name: string) => ENTITIES[name] ?? "");
}

/** What of XML there is in our pictures; throws an Error at all else. */
export function parsed(svg: string): Element {
  const root: Element = { name: "", attributes: {}, children: [], text: "" };
  const open = [root];
  let rest = svg;
  while (rest !== "") {
    const [token = ""] = /^[^<]+|^<[^>]*>/.exec(rest) ?? [];
    if (token === "") throw new Error(`not well-formed: ${rest.slice(0, 200)}`);
    rest = rest.slice(token.length);
    const parent = open.at(-1) as Element;
    const [, close, name = "", written = "", alone] =
      /^<(\/?)([a-z]+)((?: [\w:-]+="[^"<]*")*)(\/?)>$/.exec(token) ?? [];
    if (!token.startsWith("<")) parent.text += unescaped(token);
    else if (name === "") throw new Error(`not well-formed: ${token.slice(0, 200)}`);
    else if (close) {
      if (open.pop()?.name !== name) throw new Error(`</${name}> closes another element`);
    } else {
      const pairs = [...written.matchAll(/ ([\w:-]+)="([^"]*)"/g)].map(([, key = "", value = ""]) => [
        key,
        unescaped(value),
      ]);
      const element = { name, attributes: Object.fromEntries(pairs), children: [], text: "" };
      if (Object.keys(element.attributes).length < pairs.length) throw new Error(`an attribute twice: ${token}`);
      parent.children.push(element);
      if (!alone) open.push(element);
    }
  }
  if (open.length !== 1 || root.children.length !== 1)
    throw new Error("there is not one element with all others in it");
  return root.children[0] as Element;
}

type Point = readonly [x: number, y: number];
type Place = (point: Point) => Point;

function placeOf(transform = ""): Place {
  const [, x = "0", y = "0"] = /translate\((\S+) (\S+)\)/.exec(transform) ?? [];
  const angle = (Number(/rotate\((\S+)\)/.exec(transform)?.[1] ?? 0) * Math.PI) / 180;
  return ([px, py]) => [
    Number(x) + px * Math.cos(angle) - py * Math.sin(angle),
    Number(y) + px * Math.sin(angle) + py * Math.cos(angle),
  ];
}

/** Four corners, one after the other. */
export type Area = Point[];

export interface Seen {
  width: number;
  height: number;
  /** What is written, and how much room it takes. */
  texts: { text: string; area: Area }[];
  /** Cards and dots of nodes, by the class that is theirs. */
  nodes: { node: string; area: Area }[];
  /** Points along each link, and the classes of its nodes. */
  links: { nodes: string[]; points: Point[] }[];
}

const classes = ({ attributes }: Element): string[] => (attributes.class ?? "").split(" ");

/** Pixels, as the picture's own style has them. */
function fontOf(all: string[], spoken: boolean): { size: number; mono: boolean } {
  if (all.includes("title")) return { size: 18, mono: false };
  if (all.includes("name")) return { size: spoken ? 13 : 15, mono: false };
  if (all.includes("small")) return { size: 12, mono: false };
  if (all.includes("address")) return { size: spoken ? 11 : 12, mono: true };
  return { size: 11, mono: all.includes("in") };
}

const rectangle = (x: number, y: number, width: number, height: number, place: Place): Area =>
  (
    [
      [x, y],
      [x + width, y],
      [x + width, y + height],
      [x, y + height],
    ] as Area
  ).map(place);

export function seen(svg: string): Seen {
  const root = parsed(svg);
  const found: Seen = {
    width: Number(root.attributes.width),
    height: Number(root.attributes.height),
    texts: [],
    nodes: [],
    links: [],
  };
  const look = (element: Element, outer: Place, around: string[]): void => {
    const own = placeOf(element.attributes.transform);
    const place: Place = (point) => outer(own(point));
    const within = [...around, ...classes(element)];
    const number = (name: string): number => Number(element.attributes[name] ?? 0);
    const node = around.find((it) => /^n\d+$/.test(it)) ?? "";
    if (element.name === "text") {
      const { size, mono } = fontOf(classes(element), around.includes("spoken"));
      const width = textWidth(element.text, size, mono ? "mono" : "sans");
      const start = classes(element).some((it) => ["title", "start"].includes(it));
      const area = rectangle(number("x") - (start ? 0 : width / 2), number("y") - size * 0.75, width, size, place);
      found.texts.push({ text: element.text, area });
    }
    if (element.name === "rect" && classes(element).includes("card") && node) {
      found.nodes.push({ node, area: rectangle(number("x"), number("y"), number("width"), number("height"), place) });
    }
    if (element.name === "circle") {
      found.nodes.push({ node, area: rectangle(number("cx") - 4, number("cy") - 4, 8, 8, place) });
    }
    if (element.name === "path" && around.includes("link") && classes(element).includes("line")) {
      const numbers = (element.attributes.d ?? "").match(/-?[\d.]+/g)?.map(Number) ?? [];
      const [ax = 0, ay = 0, bx = 0, by = 0, cx = 0, cy = 0] = numbers;
      if (numbers.length === 6) {
        const points = Array.from({ length: 41 }, (_, step): Point => {
          const [t, u] = [step / 40, 1 - step / 40];
          return place([u * u * ax + 2 * u * t * bx + t * t * cx, u * u * ay + 2 * u * t * by + t * t * cy]);
        });
        found.links.push({ nodes: around.filter((it) => /^n\d+$/.test(it)), points });
      }
    }
    for (const child of element.children) look(child, place, within);
  };
  look(root, (point) => point, []);
  return found;
}

const least = (area: Area, axis: 0 | 1): number => Math.min(...area.map((point) => point[axis]));
const most = (area: Area, axis: 0 | 1): number => Math.max(...area.map((point) => point[axis]));
/** Whether one has a side beyond which all of the other is. */
const apart = (one: Area, other: Area): boolean =>
  one.some((from, index) => {
    const [x, y] = one[(index + 1) % one.length] as Point;
    const length = Math.hypot(x - from[0], y - from[1]) || 1;
    return other.every((it) => ((it[0] - from[0]) * (y - from[1]) - (it[1] - from[1]) * (x - from[0])) / length > -0.3);
  });

/** Whether two have something in common. */
export function overlap(a: Area, b: Area): boolean {
  if (([0, 1] as const).some((axis) => least(a, axis) > most(b, axis) || least(b, axis) > most(a, axis))) return false;
  return !apart(a, b) && !apart(b, a);
}

/** Of an area that is not turned. */
export const holds = (area: Area, [x, y]: Point): boolean => {
  const [[left, top], , [right, bottom]] = area as [Point, Point, Point];
  return x > left && x < right && y > top && y < bottom;
};
