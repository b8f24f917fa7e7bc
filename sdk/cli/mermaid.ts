/** Text in Mermaid's flowcharts: https://mermaid.js.org/syntax/flowchart.html */

/** What begins as a list of Markdown does would be one. */
const withoutList = (line: string): string => line.replace(/^-/, "#45;").replace(/^(\d+)\.(?=\s|$)/, "$1#46;");

/** Whatever they are, it is text: all characters that may mean something by their number, as Mermaid has entities. */
export const label = (...lines: string[]): string => {
  const text = lines.map((line) => line.replace(/[^\p{L}\p{N} .,:/_@()-]/gu, (it) => `#${it.codePointAt(0)};`));
  return `"${text.map(withoutList).join("<br>")}"`;
};
