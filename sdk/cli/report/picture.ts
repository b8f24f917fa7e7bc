/** The network as a Mermaid flowchart: what is new, changed, gone, and what is not as declared. */
import { label } from "../mermaid";
import type { Change, Link, Node, Report } from "./report";

type Look = "new" | "changed" | "gone" | "drifted" | "same";

/** Mermaid as GitHub has it draws 500 edges; what has more than some dozens nobody reads. */
const EDGES = 80;
/** Of a mesh or a segment that has more ends than there is room for. */
const ENDS = 10;
/** Hosts without a line to them. */
const ALONE = 40;

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

const LOOKS: Record<Change, Look> = {
  new: "new",
  changed: "changed",
  replaced: "changed",
  gone: "gone",
  imported: "changed",
  forgotten: "changed",
};
const lookOf = ({ change, drifted }: Link | Node): Look =>
  change === "same" ? (drifted ? "drifted" : "same") : LOOKS[change];

/** What is worth to be seen comes first. */
const RANK: Look[] = ["gone", "new", "changed", "drifted", "same"];
const byLook = (a: Link | Node, b: Link | Node): number => RANK.indexOf(lookOf(a)) - RANK.indexOf(lookOf(b));

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

/** Boxes, hubs of what has more ends than two, and lines between them. */
class Drawing {
  readonly edges: Edge[] = [];
  readonly shapes: string[] = [];
  readonly #looks = new Map<string, Look>();
  readonly #ids = new Map<string, string>();
  readonly #nodes: ReadonlyMap<string, Look>;

  constructor(nodes: readonly Node[]) {
    this.#nodes = new Map(nodes.map((node) => [node.name, lookOf(node)]));
  }

  isDrawn = (node: string): boolean => this.#ids.has(`node ${node}`);

  node(name: string): string {
    const key = `node ${name}`;
    const known = this.#ids.get(key);
    if (known) return known;
    const look = this.#nodes.get(name) ?? "same";
    return this.#shape(key, look, (id) => `${id}[${label(`${name}${WORDS[look]}`)}]`);
  }

  #shape(key: string, look: Look, draw: (id: string) => string): string {
    const id = `${key[0]}${this.#ids.size + 1}`;
    this.#ids.set(key, id);
    this.#looks.set(id, look);
    this.shapes.push(`  ${draw(id)}`);
    return id;
  }

  /** False where there is no room for it. */
  link(link: Link): boolean {
    const look = lookOf(link);
    const room = EDGES - this.edges.length;
    const [a, b] = link.ends;
    if (room < 1) return false;
    if (link.kind === "link" && a !== undefined && b !== undefined && link.ends.length === 2) {
      this.edges.push({ from: this.node(a), to: this.node(b), look, text: `${link.name}${WORDS[look]}` });
      return true;
    }
    const shown = fitting(link, room);
    if (shown.length === 0) return false;
    const ends = shown.map(({ name, ...its }) => ({ to: this.node(name), ...its }));
    const hub = this.#shape(
      `${link.kind} ${link.name}`,
      look,
      (id) => `${id}{{${label(`${link.name}${WORDS[look]}`)}}}`,
    );
    this.edges.push(...ends.map((its) => ({ from: hub, text: "", ...its })));
    const left = link.ends.length - shown.length;
    if (left === 0) return true;
    const more = this.#shape(`rest ${link.kind} ${link.name}`, "same", (id) => `${id}([${label(`… ${left} more`)}])`);
    this.edges.push({ from: hub, to: more, look: "same", text: "" });
    return true;
  }

  get text(): string {
    const used = RANK.filter(
      (look) => look !== "same" && [...this.#looks.values(), ...this.edges.map((it) => it.look)].includes(look),
    );
    const dashed = (look: Look) => (look === "gone" ? ",stroke-dasharray:4" : "");
    const those = (look: Look) => [...this.#looks].flatMap(([id, its]) => (its === look ? id : [])).sort();
    const lines = (look: Look) => this.edges.flatMap((edge, index) => (edge.look === look ? index : []));
    return [
      "flowchart LR",
      ...this.shapes.sort(),
      ...this.edges.map(written),
      ...used.flatMap((look) =>
        those(look).length === 0
          ? []
          : [
              `  classDef ${look} stroke:${COLOURS[look]},stroke-width:2px${dashed(look)}`,
              `  class ${those(look).join(",")} ${look}`,
            ],
      ),
      ...used.flatMap((look) =>
        lines(look).length > 0 ? [`  linkStyle ${lines(look).join(",")} stroke:${COLOURS[look]}`] : [],
      ),
    ].join("\n");
  }
}

/** The ends that there is room for, or those of a larger one that come or go. */
function fitting(link: Link, room: number): { name: string; look: Look }[] {
  const look = lookOf(link);
  const lookOfEnd = (name: string): Look =>
    link.joining.includes(name) ? "new" : link.leaving.includes(name) ? "gone" : look;
  const all = link.ends.map((name) => ({ name, look: lookOfEnd(name) }));
  if (all.length <= room) return all;
  const moving = all.filter(({ name }) => link.joining.includes(name) || link.leaving.includes(name));
  return (moving.length > 0 ? moving : all).slice(0, Math.min(ENDS, room - 1));
}

export interface Picture {
  text: string;
  /** How many it leaves out. */
  left: { links: number; nodes: number };
}

/** Undefined where there is nothing to be seen. */
export function picture({ nodes, links }: Report): Picture | undefined {
  if ([...nodes, ...links].every((it) => lookOf(it) === "same")) return undefined;
  const drawing = new Drawing(nodes);
  const ordered = [...links].sort(byLook);
  const drawn = ordered.filter((link) => drawing.link(link)).length;
  const alone = nodes.filter((node) => lookOf(node) !== "same" && !drawing.isDrawn(node.name)).sort(byLook);
  for (const { name } of alone.slice(0, ALONE)) drawing.node(name);
  return {
    text: drawing.text,
    left: { links: links.length - drawn, nodes: Math.max(0, alone.length - ALONE) },
  };
}
