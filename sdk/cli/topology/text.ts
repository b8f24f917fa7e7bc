/** Text of a picture: how wide it is at least, which has to be known without fonts, and how it is kept from being markup. */

/** Of an em; Helvetica, Arial, Segoe UI and DejaVu Sans are between 0.5 and 0.62 on average. */
const SANS: [RegExp, number][] = [
  [/[ijl.,:;'|!()[\]fIrt]/, 0.42],
  [/[mwMW@%]/, 0.98],
  [/[A-Z&]/, 0.78],
  [/[\u1100-\u{10ffff}]/u, 1.1],
];
/** Menlo, Consolas, Liberation Mono and DejaVu Sans Mono: 0.55 to 0.602 em. */
const MONO = 0.605;
const WIDE = /[\u1100-\u{10ffff}]/u;

export type Font = "sans" | "mono";

const widthOf = (character: string, font: Font): number =>
  font === "mono"
    ? WIDE.test(character)
      ? 1.1
      : MONO
    : (SANS.find(([pattern]) => pattern.test(character))?.[1] ?? 0.63);

/** Pixels. */
export const textWidth = (text: string, size: number, font: Font): number =>
  [...text].reduce((sum, character) => sum + widthOf(character, font) * size, 0);

/** With the middle left out where it is longer: names of a kind differ at their ends. */
export function shortened(text: string, most: number): string {
  const all = [...text];
  if (all.length <= most) return text;
  const end = Math.floor((most - 1) / 2);
  return `${all.slice(0, most - 1 - end).join("")}…${all.slice(-end).join("")}`;
}

/** Control characters have no place in XML 1.0, section 2.2; others turn round what stands beside them. */
const CONTROLS = /[\p{Cc}\p{Cs}\p{Bidi_Control}\ufffe\uffff]/gu;

export const plain = (text: string): string => text.replace(CONTROLS, "\ufffd");

export const xml = (text: string): string =>
  plain(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
