/** Links as a table under a picture that has no room to say anything of them: a line each, in columns. Pure. */
import type { StackLink } from "../stack";
import { n } from "./card";
import { type Live, stateWords } from "./live";
import { shortened, textWidth, xml } from "./text";
import { keys, mtu } from "./words";

const NAME = 26;
const SIZE = 11;
const LINE = 16;
/** Pixels between a name and what is said of it, and between columns. */
const GAP = 10;
const APART = 28;

export interface Listing {
  svg: string;
  /** Pixels. */
  width: number;
  height: number;
}

interface Entry {
  name: string;
  said: string;
  ill: string;
}

const widest = (texts: readonly string[]): number => Math.max(0, ...texts.map((it) => textWidth(it, SIZE, "sans")));

/** `MTU 1420` is said of each only where they differ: else it stands under the title. */
function entriesOf(links: readonly StackLink[], live: Live): Entry[] {
  const same = new Set(links.flatMap(({ ends }) => mtu(ends))).size < 2;
  return links.map((link) => {
    const ends = link.ends.map(({ node }) => shortened(node, NAME)).join(" – ");
    const said = [ends, ...(same ? [] : mtu(link.ends)), ...keys(link)].join(", ");
    return { name: shortened(link.name, NAME), said, ill: stateWords(live.line(link.name)).join("") };
  });
}

/** In as many columns as are not wider than `room` together, from the top down. */
export function listing(links: readonly StackLink[], live: Live, room: number): Listing {
  const entries = entriesOf(links, live);
  const name = widest(entries.map((it) => it.name)) + GAP;
  const said = widest(entries.map((it) => it.said)) + GAP;
  const ill = widest(entries.map((it) => it.ill));
  const column = name + said + ill + APART;
  const columns = Math.max(1, Math.floor((room + APART) / column));
  const rows = Math.ceil(entries.length / columns);
  const svg = entries.map((it, index) => {
    const [x, y] = [Math.floor(index / rows) * column, (index % rows) * LINE + LINE * 0.75];
    const text = (className: string, at: number, text: string): string =>
      text === "" ? "" : `<text class="${className} start" x="${n(x + at)}" y="${n(y)}">${xml(text)}</text>`;
    return text("said first", 0, it.name) + text("said", name, it.said) + text("ill", name + said, it.ill);
  });
  return {
    svg: svg.join(""),
    width: Math.ceil(entries.length / Math.max(rows, 1)) * column - APART,
    height: rows * LINE,
  };
}
