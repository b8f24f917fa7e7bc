/** What stands in a picture as text: cards of nodes, pills of meshes, labels of links, and lines of text in a large ring. */
import type { StackNetwork, StackNode } from "../stack";
import type { Box } from "./geometry";
import type { LineState, Live } from "./live";
import { SEGMENTS } from "./style";
import { type Font, shortened, textWidth, xml } from "./text";

/** A line of text. */
interface Row {
  text: string;
  /** Pixels, as the style has them for its class. */
  size: number;
  font: Font;
  className: string;
  /** Class of the background that it alone has. */
  chip?: string;
}

export interface Card {
  width: number;
  height: number;
  /** SVG of it in a place. */
  draw(box: Box): string;
}

/** Characters of a node's name that are shown. */
const NAME = 26;
/** Rows of a kind in a card. */
const MOST = 4;
const LINE = 17;
const CHIP_LINE = 21;
const PAD = 11;

export const n = (value: number): string => `${Math.round(value * 10) / 10}`;

/** What appears under the mouse. */
export const title = (lines: readonly string[]): string => `<title>${lines.map(xml).join("\n")}</title>`;

const rect = (className: string, { x, y, width, height }: Box, round: number): string =>
  `<rect class="${className}" x="${n(x - width / 2)}" y="${n(y - height / 2)}" width="${n(width)}" height="${n(height)}" rx="${n(round)}"/>`;

const some = (rows: Row[]): Row[] => {
  if (rows.length <= MOST) return rows;
  const more: Row = { text: `and ${rows.length - MOST + 1} more`, size: 11, font: "sans", className: "quiet" };
  return [...rows.slice(0, MOST - 1), more];
};

/** One that is not as it should be has a dashed edge; where something is not there, a red one. */
const marked = (state: LineState): string => (state === "up" ? "" : ` ${state}`);

/** Segments that a node is a member of, with the classes of each one's colour and state. */
const memberships = (node: string, { segments }: StackNetwork, live: Live) =>
  segments.flatMap(({ name, vni, members }, index) =>
    members
      .filter((member) => member.node === node)
      .map(({ addresses }) => {
        const chip = `s${index % SEGMENTS}${marked(live.member(name, node).state)}`;
        return { name, vni, address: addresses[0], chip };
      }),
  );

function rowsOf(node: StackNode, network: StackNetwork, live: Live): Row[] {
  const trouble = live.node(node.name);
  const relays = network.relays.filter(({ by }) => by === node.name);
  return [
    { text: shortened(node.name, NAME), size: 15, font: "sans", className: "name" },
    ...(node.foreign ? [{ text: "not of this stack", size: 11, font: "sans", className: "quiet" } as const] : []),
    ...(trouble === undefined ? [] : [{ text: trouble, size: 11, font: "sans", className: "ill" } as const]),
    ...some(
      node.addresses.map((text) => ({ text: shortened(text, 40), size: 12, font: "mono", className: "address" })),
    ),
    ...some(
      relays.map(({ a, b }) => {
        const text = `relay of ${shortened(a, 14)} and ${shortened(b, 14)}`;
        return { text, size: 11, font: "sans", className: "by" };
      }),
    ),
    ...some(
      memberships(node.name, network, live).map(({ name, vni, address, chip }) => {
        const text = `${shortened(name, 14)} ${shortened(address ?? `VNI ${vni}`, 40)}`;
        return { text, size: 11, font: "mono", className: `in ${chip}`, chip };
      }),
    ),
  ];
}

const lineOf = ({ chip }: Row): number => (chip === undefined ? LINE : CHIP_LINE);
const widthOf = ({ text, size, font, chip }: Row): number =>
  textWidth(text, size, font) + (chip === undefined ? 0 : 14);

const sizeOf = (rows: readonly Row[], line: (row: Row) => number, pad: number) => ({
  width: Math.max(...rows.map(widthOf)) + 2 * pad,
  height: rows.reduce((sum, row) => sum + line(row), 0) + 2 * pad - 4,
});

/** Lines of text under each other in a box. */
function rowsIn(rows: readonly Row[], { x, y, height }: Box, line: (row: Row) => number, pad: number): string {
  let top = y - height / 2 + pad - 2;
  const drawn = rows.map((row) => {
    const { text, size, className, chip } = row;
    const centre = top + line(row) / 2;
    top += line(row);
    const back = chip === undefined ? "" : rect(`chip ${chip}`, { x, y: centre, width: widthOf(row), height: 18 }, 9);
    return `${back}<text class="${className}" x="${n(x)}" y="${n(centre + size * 0.36)}">${xml(text)}</text>`;
  });
  return drawn.join("");
}

export function nodeCard(node: StackNode, network: StackNetwork, live: Live): Card {
  const rows = rowsOf(node, network, live);
  const { width, height } = sizeOf(rows, lineOf, PAD);
  return {
    width: Math.max(width, 96),
    height,
    draw: (box) => rect("card", box, 8) + rowsIn(rows, box, lineOf, PAD),
  };
}

export function meshPill(name: string, said: readonly string[]): Card {
  const rows: Row[] = [
    { text: shortened(name, NAME), size: 15, font: "sans", className: "name" },
    ...said.map((text): Row => ({ text, size: 11, font: "sans", className: "quiet" })),
  ];
  const { width, height } = sizeOf(rows, lineOf, PAD);
  return {
    width: width + height / 2,
    height,
    draw: (box) => rect("hub", box, box.height / 2) + rowsIn(rows, box, lineOf, PAD),
  };
}

const LABEL_PAD = 5;
const LABEL_LINE = 14;

/** On a line; the first of several is the name. */
export function label(lines: readonly string[]): Card {
  const rows = lines.map((text, index): Row => {
    const first = index === 0 && lines.length > 1;
    return { text: shortened(text, 60), size: 11, font: "sans", className: first ? "said first" : "said" };
  });
  return {
    ...sizeOf(rows, () => LABEL_LINE, LABEL_PAD),
    draw: (box) => rect("label", box, 4) + rowsIn(rows, box, () => LABEL_LINE, LABEL_PAD),
  };
}

/** Pixels between the middle of a node in a large ring and its text. */
const DOT = 10;

export interface Spoke {
  /** Pixels outwards that it takes. */
  length: number;
  draw(box: Box): string;
}

/** A node of a large ring: a dot, and a line of text that leads outwards. */
export function spoke(node: StackNode, network: StackNetwork, live: Live): Spoke {
  const trouble = live.node(node.name) ?? "";
  const name = shortened(node.name, NAME);
  const address = shortened(node.addresses[0] ?? "", 40);
  const relay = network.relays.some(({ by }) => by === node.name) ? "relay" : "";
  const chips = some(
    memberships(node.name, network, live).map(({ vni, chip }): Row => {
      return { text: `${vni}`, size: 11, font: "mono", className: `in ${chip}`, chip };
    }),
  );
  const words = [
    { text: name, width: textWidth(name, 13, "sans"), className: "name" },
    { text: address, width: textWidth(address, 11, "mono"), className: "address" },
    { text: trouble, width: textWidth(trouble, 11, "sans"), className: "ill" },
    { text: relay, width: textWidth(relay, 11, "sans"), className: "by" },
    ...chips.map((row) => ({ text: row.text, width: widthOf(row), className: row.className, chip: row.chip })),
  ].filter(({ text }) => text !== "");
  const length = words.reduce((sum, { width }) => sum + width + 8, DOT);
  const draw = ({ x, y }: Box): string => {
    const left = x < -0.01;
    const angle = (Math.atan2(y, x) * 180) / Math.PI + (left ? 180 : 0);
    let out = DOT;
    const drawn = words.map((word) => {
      const middle = (left ? -1 : 1) * (out + word.width / 2);
      out += word.width + 8;
      const chip = "chip" in word && word.chip !== undefined ? word.chip : undefined;
      const back =
        chip === undefined ? "" : rect(`chip ${chip}`, { x: middle, y: 0, width: word.width, height: 16 }, 8);
      return `${back}<text class="${word.className}" x="${n(middle)}" y="4">${xml(word.text)}</text>`;
    });
    return `<circle class="dot" cx="${n(x)}" cy="${n(y)}" r="4"/><g class="spoken" transform="translate(${n(x)} ${n(y)}) rotate(${n(angle)})">${drawn.join("")}</g>`;
  };
  return { length, draw };
}
