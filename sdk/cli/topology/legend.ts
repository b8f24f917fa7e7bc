/** What the signs of a picture mean: of those that are in it. Pure. */
import type { StackNetwork } from "../stack";
import { n } from "./card";
import { UNUSED } from "./live";
import { SEGMENTS } from "./style";
import { shortened, textWidth, xml } from "./text";
import { segment } from "./words";

interface Entry {
  sign: string;
  /** Pixels. */
  width: number;
  text: string;
}

const line = (className: string, text: string): Entry => ({
  sign: `<g class="${className}"><path class="line" d="M0 0H34"/></g>`,
  width: 34,
  text,
});

const CARD = '<g class="foreign"><rect class="card" x="0" y="-8" width="34" height="16" rx="4"/></g>';
const TIP = '<path class="tip" d="M22 0L11 5L11 -5Z"/>';

export interface Used {
  /** Arrows. */
  tips: boolean;
  /** Some of the links have nothing written on them: there is a table of all. */
  unsaid: boolean;
  /** Of lines by which nothing goes. */
  states: string[];
}

const STATES: Record<string, string> = {
  down: "not on the host",
  idle: "no session",
  unknown: "not known: no host of it was reached",
};

function entries({ nodes, links, meshes, segments, relays }: StackNetwork, { tips, unsaid, states }: Used): Entry[] {
  const all: [boolean, Entry][] = [
    [links.some(({ postQuantum }) => !postQuantum), line("link", "link")],
    [links.some(({ postQuantum }) => postQuantum), line("link pq", "link with post-quantum keys")],
    [meshes.length > 0, line("mesh", "mesh: each with all others")],
    [relays.length > 0, line("way", "by way of a relay")],
    ...states.map((state): [boolean, Entry] => {
      const more = state === "idle" && relays.length > 0 ? `; of a relay: ${UNUSED}` : "";
      return [true, line(`link ${state}`, `${STATES[state] ?? state}${more}`)];
    }),
    [tips, { sign: TIP, width: 34, text: "can be called" }],
    [nodes.some(({ foreign }) => foreign), { sign: CARD, width: 34, text: "not of this stack" }],
    ...segments.map((it, index): [boolean, Entry] => [true, chip(it, index)]),
    [unsaid, { sign: "", width: -8, text: "links: in the table; all of each: under the mouse" }],
  ];
  return all.flatMap(([used, entry]) => (used ? [entry] : []));
}

function chip(it: StackNetwork["segments"][number], index: number): Entry {
  const name = shortened(it.name, 20);
  const width = textWidth(name, 11, "mono") + 14;
  const colour = `s${index % SEGMENTS}`;
  const back = `<rect class="chip ${colour}" x="0" y="-9" width="${n(width)}" height="18" rx="9"/>`;
  const sign = `${back}<text class="in ${colour}" x="${n(width / 2)}" y="4">${xml(name)}</text>`;
  return { sign, width, text: `segment: ${segment(it)}` };
}

const ROW = 26;
const GAP = 24;

/** In rows not wider than `room`, but for one that is too long for any. */
export function legend(
  network: StackNetwork,
  room: number,
  used: Used,
): { svg: string; width: number; height: number } {
  let [x, y, widest] = [0, ROW / 2, 0];
  const drawn = entries(network, used).map(({ sign, width, text }) => {
    const whole = width + 8 + textWidth(text, 12, "sans");
    if (x > 0 && x + whole > room) [x, y] = [0, y + ROW];
    const at = `<g transform="translate(${n(x)} ${n(y)})">${sign}<text class="quiet small start" x="${n(width + 8)}" y="4">${xml(text)}</text></g>`;
    x += whole + GAP;
    widest = Math.max(widest, x - GAP);
    return at;
  });
  return { svg: drawn.join(""), width: widest, height: drawn.length === 0 ? 0 : y + ROW / 2 };
}
