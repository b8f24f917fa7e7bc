/** A network in the words of Graphviz: https://graphviz.org/doc/info/lang.html */
import type { StackLink, StackNetwork } from "../stack";
import { DECLARED, type Live, stateWords, troubleOf, UNUSED } from "./live";
import { plain } from "./text";
import { linkWords, meshWords, nodeWords, segmentWords } from "./words";

/** A backslash begins an escape, and an ampersand an entity, also where it is quoted. */
const quoted = (lines: readonly string[]): string => {
  const text = lines.map((line) =>
    plain(line).replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("&", "&amp;"),
  );
  return `"${text.join("\\n")}"`;
};

const attributes = (all: Record<string, string | undefined>): string =>
  `[${Object.entries(all)
    .map(([name, value]) => `${name}=${value}`)
    .join(", ")}]`;

function direction({ ends: [a, b] }: StackLink): string {
  if (a.called !== undefined && b.called !== undefined) return "both";
  if (a.called === undefined && b.called === undefined) return "none";
  return b.called === undefined ? "back" : "forward";
}

/** Colours of lines by which nothing goes. */
const LOST: Record<string, string> = { idle: '"#94a3b8"', down: '"#dc2626"', unknown: '"#cbd5e1"' };

/** With a newline at its end. `live`: what a look at the hosts has shown. */
export function dot(network: StackNetwork, live: Live = DECLARED): string {
  const { stack, nodes, links, meshes, segments, relays } = network;
  const ids = new Map(nodes.map(({ name }, index) => [name, `n${index}`]));
  const id = (node: string): string => ids.get(node) ?? "";
  const lines = [
    'graph [layout=neato, overlap=false, splines=true, sep="+12", fontname="Helvetica"]',
    'node [shape=box, style=rounded, fontname="Helvetica", fontsize=11]',
    'edge [fontname="Helvetica", fontsize=9, color="#3b82f6"]',
    ...nodes.map((node) => {
      const trouble = troubleOf(live, node.name);
      const style = {
        ...(node.foreign && { style: '"rounded,dashed"' }),
        ...(trouble.length > 0 && { color: LOST.down }),
      };
      return `${id(node.name)} ${attributes({ label: quoted([...nodeWords(node), ...trouble]), ...style })}`;
    }),
    ...meshes.map((mesh, index) => {
      return `m${index} ${attributes({ label: quoted(meshWords(mesh)), shape: "ellipse", color: '"#8b5cf6"' })}`;
    }),
    ...segments.map((segment, index) => {
      return `s${index} ${attributes({ label: quoted(segmentWords(segment)), shape: "hexagon", color: '"#d97706"' })}`;
    }),
    ...links.map((link) => {
      const [a, b] = link.ends;
      const lost = LOST[live.line(link.name).state];
      const keys = lost || link.postQuantum ? { color: lost ?? '"#059669"' } : {};
      const said = attributes({ label: quoted(linkWords(link)), dir: direction(link), ...keys });
      return `${id(a.node)} -- ${id(b.node)} ${said}`;
    }),
    ...meshes.flatMap(({ name, ends }, index) =>
      ends.map(({ node, called }) => {
        const dir = called === undefined ? "none" : "forward";
        return `m${index} -- ${id(node)} ${attributes({ dir, color: LOST[live.line(name, node).state] ?? '"#8b5cf6"' })}`;
      }),
    ),
    ...segments.flatMap(({ name, members }, index) =>
      members.map(({ node, addresses }) => {
        const line = live.member(name, node);
        const label = quoted([...addresses, ...stateWords(line)]);
        const said = attributes({ label, style: "dashed", color: LOST[line.state] ?? '"#d97706"' });
        return `s${index} -- ${id(node)} ${said}`;
      }),
    ),
    ...relays.map((relay) => {
      const line = live.relay(relay);
      const lost = LOST[line.state];
      const label = quoted([`by way of ${relay.by}`, ...stateWords(line, UNUSED)]);
      return `${id(relay.a)} -- ${id(relay.b)} ${attributes({ label, style: "dotted", ...(lost !== undefined && { color: lost }) })}`;
    }),
  ];
  return [`graph ${quoted([stack])} {`, ...lines.map((line) => `  ${line}`), "}", ""].join("\n");
}
