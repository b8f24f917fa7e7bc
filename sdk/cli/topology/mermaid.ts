/** A network in the words of Mermaid, which GitHub and others draw in Markdown: https://mermaid.js.org/syntax/flowchart.html */
import { label } from "../mermaid";
import type { StackEnd, StackNetwork } from "../stack";
import { DECLARED, type Live, stateWords, troubleOf, UNUSED } from "./live";
import { plain } from "./text";
import { linkWords, meshWords, nodeWords, segmentWords } from "./words";

const quoted = (lines: readonly string[]): string => label(...lines.map(plain));

const arrow = (end: StackEnd, head: string): string => (end.called === undefined ? "" : head);

/** Colours that do on light and on dark. */
const STYLES = [
  "classDef foreign stroke-dasharray:4 4",
  "classDef mesh stroke:#8b5cf6,stroke-width:2px",
  "classDef segment stroke:#d97706,stroke-width:2px",
  "classDef bad stroke:#dc2626,stroke-width:2px",
];

/** Colours of lines by which nothing goes. */
const LOST: Record<string, string> = { idle: "stroke:#94a3b8", down: "stroke:#dc2626", unknown: "stroke:#cbd5e1" };

/** What Mermaid draws where nobody has told it otherwise (maxEdges, maxTextSize), as on GitHub: lines, and characters. */
const MOST = { lines: 500, characters: 50_000 };

/** That it is more than Mermaid draws, in a sentence. */
export function tooMuch({ links, meshes, segments, relays }: StackNetwork, text: string): string | undefined {
  const ends = [...meshes.map(({ ends }) => ends), ...segments.map(({ members }) => members)].flat().length;
  const lines = links.length + ends + relays.length;
  if (lines <= MOST.lines && text.length <= MOST.characters) return undefined;
  const found = `${lines} lines and ${text.length} characters`;
  return `${found} are more than Mermaid draws by itself, ${MOST.lines} and ${MOST.characters}: take --format svg, or set its maxEdges and maxTextSize`;
}

/** With a newline at its end. `live`: what a look at the hosts has shown. */
export function mermaid(network: StackNetwork, live: Live = DECLARED): string {
  const { nodes, links, meshes, segments, relays } = network;
  const ids = new Map(nodes.map(({ name }, index) => [name, `n${index}`]));
  const id = (node: string): string => ids.get(node) ?? "";
  const edges: { text: string; style?: string }[] = [
    ...links.map((link) => {
      const [a, b] = link.ends;
      const line = `${arrow(a, "<")}--${arrow(b, ">") || "-"}`;
      // Mermaid has no arrow that points back alone.
      const [from, to, way] = line === "<---" ? [b, a, "-->"] : [a, b, line];
      const text = `${id(from.node)} ${way}|${quoted(linkWords(link))}| ${id(to.node)}`;
      const style = LOST[live.line(link.name).state] ?? (link.postQuantum ? "stroke:#059669" : undefined);
      return { text, ...(style !== undefined && { style }) };
    }),
    ...meshes.flatMap(({ name, ends }, index) =>
      ends.map((end) => {
        const style = LOST[live.line(name, end.node).state] ?? "stroke:#8b5cf6";
        return { text: `m${index} --${arrow(end, ">") || "-"} ${id(end.node)}`, style };
      }),
    ),
    ...segments.flatMap(({ name, members }, index) =>
      members.map(({ node, addresses }) => {
        const line = live.member(name, node);
        const words = [...addresses, ...stateWords(line)];
        const said = words.length === 0 ? "" : `|${quoted(words)}|`;
        return { text: `s${index} -.-${said} ${id(node)}`, style: LOST[line.state] ?? "stroke:#d97706" };
      }),
    ),
    ...relays.map((relay) => {
      const line = live.relay(relay);
      const style = LOST[line.state];
      const said = quoted([`by way of ${relay.by}`, ...stateWords(line, UNUSED)]);
      return { text: `${id(relay.a)} -.-|${said}| ${id(relay.b)}`, ...(style !== undefined && { style }) };
    }),
  ];
  const styles = new Map<string, number[]>();
  for (const [index, { style }] of edges.entries()) {
    if (style !== undefined) styles.set(style, [...(styles.get(style) ?? []), index]);
  }
  const foreign = nodes.flatMap((node) => (node.foreign ? id(node.name) : []));
  const bad = nodes.flatMap(({ name }) => (live.node(name) === undefined ? [] : id(name)));
  const lines = [
    ...nodes.map((node) => `${id(node.name)}[${quoted([...nodeWords(node), ...troubleOf(live, node.name)])}]`),
    ...meshes.map((mesh, index) => `m${index}([${quoted(meshWords(mesh))}]):::mesh`),
    ...segments.map((segment, index) => `s${index}{{${quoted(segmentWords(segment))}}}:::segment`),
    ...edges.map(({ text }) => text),
    ...STYLES,
    ...(foreign.length === 0 ? [] : [`class ${foreign.join(",")} foreign`]),
    ...(bad.length === 0 ? [] : [`class ${bad.join(",")} bad`]),
    ...[...styles].map(([style, indices]) => `linkStyle ${indices.join(",")} ${style}`),
  ];
  return ["flowchart LR", ...lines.map((line) => `  ${line}`), ""].join("\n");
}
