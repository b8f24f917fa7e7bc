/** The network as a Mermaid flowchart: what is new, changed, gone, and what is not as declared. */
import type { Link, Report } from "./report";

type Look = "new" | "changed" | "gone" | "drifted" | "same";

/** Mermaid as GitHub has it draws 500 edges; what has more than some dozens nobody reads. */
const EDGES = 80;

const WORDS: Record<Look, string> = {
  new: " (new)",
  changed: " (changed)",
  gone: " (gone)",
  drifted: " (drift)",
  same: "",
};
/** Seen on light and on dark; words say the same to those who see no colour. */
const COLOURS: Record<Look, string> = {
  new: "#1a7f37",
  changed: "#bf8700",
  gone: "#cf222e",
  drifted: "#8250df",
  same: "#818b98",
};

/** In Mermaid's entity codes: what begins as a list does is one to it, and else nothing but letters is surely a letter. */
const label = (text: string): string =>
  `"${[...text].map((it, at) => (/[\p{L}\p{N} @/:()]/u.test(it) || (it === "-" && at > 0) ? it : `#${it.codePointAt(0)};`)).join("")}"`;

const lookOf = ({ change, drifted }: Link): Look => {
  if (change === "same") return drifted ? "drifted" : "same";
  return change === "replaced" ? "changed" : change;
};

/** What is worth to be seen comes first. */
const RANK: Look[] = ["gone", "new", "changed", "drifted", "same"];
const rank = (link: Link): number => RANK.indexOf(lookOf(link));

interface Edge {
  from: string;
  to: string;
  look: Look;
  text: string;
}

const dash: Record<Look, string> = { new: "==", changed: "--", gone: "-.", drifted: "--", same: "--" };
const end: Record<Look, string> = { new: "===", changed: "---", gone: "-.-", drifted: "---", same: "---" };
const written = ({ from, to, look, text }: Edge): string =>
  text === "" ? `  ${from} ${end[look]} ${to}` : `  ${from} ${dash[look]} ${label(text)} ${end[look]} ${to}`;

/** Lines of the picture, and how many links it leaves out; undefined where there is nothing to be seen. */
export function picture({ nodes, links }: Report): { text: string; left: number } | undefined {
  if (links.every((it) => lookOf(it) === "same")) return undefined;
  const ids = new Map<string, string>();
  const id = (kind: string, name: string): string => {
    const key = `${kind} ${name}`;
    const known = ids.get(key) ?? `${kind[0]}${ids.size + 1}`;
    ids.set(key, known);
    return known;
  };
  const ordered = links
    .map((link, index) => ({ link, index }))
    .sort((a, b) => rank(a.link) - rank(b.link) || a.index - b.index);
  const edges: Edge[] = [];
  const shapes: string[] = [];
  const looks = new Map<string, Look>();
  let drawn = 0;
  for (const { link } of ordered) {
    const look = lookOf(link);
    const pair = link.kind === "link" && link.ends.length === 2;
    if (edges.length + (pair ? 1 : link.ends.length) > EDGES) continue;
    drawn++;
    const ends = link.ends.map((name) => id("node", name));
    if (pair) {
      edges.push({ from: ends[0] as string, to: ends[1] as string, look, text: `${link.name}${WORDS[look]}` });
      continue;
    }
    const hub = id(link.kind, link.name);
    shapes.push(`  ${hub}{{${label(`${link.name}${WORDS[look]}`)}}}`);
    looks.set(hub, look);
    edges.push(...ends.map((node) => ({ from: hub, to: node, look, text: "" })));
  }
  const changes = new Map(nodes.map(({ name, change }) => [name, change]));
  for (const [key, node] of ids) {
    const [, name] = /^node (.*)$/s.exec(key) ?? [];
    if (name === undefined) continue;
    const change = changes.get(name);
    const look = change === "new" || change === "gone" ? change : "same";
    shapes.push(`  ${node}[${label(`${name}${WORDS[look]}`)}]`);
    looks.set(node, look);
  }
  const used = RANK.filter(
    (look) => look !== "same" && [...looks.values(), ...edges.map((it) => it.look)].includes(look),
  );
  const of = (look: Look) => edges.flatMap((edge, index) => (edge.look === look ? [index] : []));
  const dashed = (look: Look) => (look === "gone" ? ",stroke-dasharray:4" : "");
  const text = [
    "flowchart LR",
    ...shapes.sort(),
    ...edges.map(written),
    ...used.flatMap((look) => {
      const its = [...looks].flatMap(([node, it]) => (it === look ? [node] : [])).sort();
      return its.length === 0
        ? []
        : [
            `  classDef ${look} stroke:${COLOURS[look]},stroke-width:2px${dashed(look)}`,
            `  class ${its.join(",")} ${look}`,
          ];
    }),
    ...used.flatMap((look) =>
      of(look).length > 0 ? [`  linkStyle ${of(look).join(",")} stroke:${COLOURS[look]}`] : [],
    ),
  ].join("\n");
  return { text, left: links.length - drawn };
}
