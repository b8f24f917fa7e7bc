/** What the README has of programs: each is one, word for word, with the nodes and the link that it takes as given. */
import { transformSync } from "@swc/core";
import * as overlay from "../../components";
import { registered } from "../components/declare";
import { blocks, inLanguage } from "./page";

const programs = inLanguage(blocks("README.md"), "ts");

/** What blocks that make no such node take as given. */
const HOSTS: Record<string, [id: number, endpoint?: string]> = {
  lux: [1, "203.0.113.5"],
  fra: [2, "198.51.100.9"],
  hkg: [3, "192.0.2.7"],
  nas: [9],
};

function node(name: string): overlay.OverlayNode {
  const [id = 0, endpoint] = HOSTS[name] ?? [];
  const endpoints = endpoint === undefined ? [] : [endpoint];
  return new overlay.OverlayNode(name, {
    id,
    connection: { host: name },
    addresses: [`10.255.0.${id}`, `fd00:6f::${id}`],
    endpoints,
  });
}

/** What a block does not make itself. */
function given(program: string): Record<string, unknown> {
  const lacking = Object.keys(HOSTS).filter((name) => !program.includes(`new OverlayNode("${name}"`));
  const nodes = Object.fromEntries(lacking.map((name) => [name, node(name)]));
  const { lux: a, fra: b } = nodes;
  const needsLink = /\{ link \}|new VxlanSegment/.test(program);
  return a && b && needsLink ? { ...nodes, link: new overlay.WgLink("lux-fra", { a, b }) } : nodes;
}

/** Reads a document while it runs, which there is none of here. */
const READS_A_DOCUMENT = /new SourceOfTruth\(/;

test.each(programs.filter((it) => !READS_A_DOCUMENT.test(it)).map((it) => [it.trim().split("\n").at(-1) ?? "", it]))(
  "… %s",
  async (_, text) => {
    const jsc = { parser: { syntax: "typescript" }, target: "es2022" } as const;
    const { code } = transformSync(text, { swcrc: false, jsc, module: { type: "commonjs" } });
    const made = await registered(() => {
      const known = { ...overlay, ...given(text), exports: {}, require: () => overlay };
      new Function(...Object.keys(known), code)(...Object.values(known));
    });
    expect(made.length).toBeGreaterThan(2);
  },
);

test("all but one are run here, and that one is compiled with the reference's examples", () => {
  expect(programs.length).toBeGreaterThanOrEqual(7);
  expect(programs.filter((it) => READS_A_DOCUMENT.test(it))).toHaveLength(1);
});
