/** The picture of a network, where it is large, or where little is known of it. */
import { markdown } from "../../../../sdk/cli/report/markdown";
import { picture } from "../../../../sdk/cli/report/picture";
import type { Link, Report } from "../../../../sdk/cli/report/report";
import { terminal } from "../../../../sdk/cli/report/terminal";
import { alone, reported, withStep, withSteps } from "./recorded";

const lines = (it: Report): string[] => (picture(it)?.text ?? "").split("\n").map((line) => line.trim());

/** A mesh of so many. */
function mesh(size: number, more: Partial<Link>): Report {
  const ends = Array.from({ length: size }, (_, n) => `n${n}`);
  const link: Link = {
    name: "wan",
    kind: "mesh",
    ends,
    change: "changed",
    joining: [],
    leaving: [],
    drifted: false,
    ...more,
  };
  return { ...reported("same"), links: [link] };
}

test("of a mesh of 100 those are drawn that come and go, and how many there are besides", () => {
  expect(lines(mesh(100, { joining: ["n7", "n8"], leaving: ["n9"] }))).toEqual([
    "flowchart LR",
    'm4{{"wan (changed)"}}',
    'n1["n7"]',
    'n2["n8"]',
    'n3["n9"]',
    'r5(["#8230; 97 more"])',
    "m4 === n1",
    "m4 === n2",
    "m4 -.- n3",
    "m4 --- r5",
    "classDef changed stroke:#bf8700,stroke-width:2px",
    "class m4 changed",
    "linkStyle 2 stroke:#cf222e",
    "linkStyle 0,1 stroke:#1a7f37",
  ]);
  expect(picture(mesh(100, {}))?.left).toEqual({ links: 0, nodes: 0 });
});

test("one that is new as a whole is drawn in part, and one of 80 whole", () => {
  const edges = (it: Report) => lines(it).filter((line) => /^m\d+ [-=.]{3} /.test(line)).length;
  expect([edges(mesh(81, { change: "new" })), edges(mesh(80, { change: "new" }))]).toEqual([11, 80]);
});

test("a host that changes alone is drawn, with no line to it", () => {
  const it = alone("new", "lux");
  expect(it.links).toEqual([]);
  expect(lines(it)).toEqual([
    "flowchart LR",
    'n1["lux (new)"]',
    "classDef new stroke:#1a7f37,stroke-width:2px",
    "class n1 new",
  ]);
});

test("a host that changes is marked, beside its links that do not", () => {
  const it = withStep("same", "lux", (step) => step);
  const changed: Report = {
    ...it,
    nodes: [
      { name: "lux", change: "changed", drifted: false },
      { name: "fra", change: "same", drifted: true },
    ],
    links: [
      { name: "lux-fra", kind: "link", ends: ["fra", "lux"], change: "same", joining: [], leaving: [], drifted: false },
    ],
  };
  expect(lines(changed).slice(1, 4)).toEqual(['n1["fra (drift)"]', 'n2["lux (changed)"]', 'n1 -- "lux-fra" --- n2']);
});

describe("a network of servers that the same run makes", () => {
  // How the engine writes an unknown text: sdk/go/common/resource/plugin/rpc.go in pulumi/pulumi.
  const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
  const later = (name: string): Report =>
    withSteps(name, (steps) =>
      steps.map((step) =>
        step.op === "create" && step.urn.includes("$overlay:")
          ? {
              ...step,
              newState: { ...step.newState, inputs: { connection: UNKNOWN, spec: UNKNOWN, config: UNKNOWN } },
            }
          : step,
      ),
    );

  test("its links, meshes and segments are told by what makes them", () => {
    for (const name of ["new", "changed", "meshed"]) {
      const brief = ({ links }: Report) => links.map(({ kind, name, ends, change }) => ({ kind, name, ends, change }));
      expect(brief(later(name))).toEqual(brief(reported(name)));
    }
    expect(markdown(later("new"))).toContain(
      "- **Links**: 2 added (`fra-hkg`, `lux-fra`)\n- **Not known** before `up`",
    );
  });
});

test("a document of a source of truth fits into 60 columns", () => {
  const text = terminal(reported("truth"), { columns: 60, colour: false });
  expect(text.split("\n").filter((line) => line.length > 60)).toEqual([]);
  const letters = (of: string) => of.replace(/\s+/g, "");
  expect(letters(text)).toBe(letters(terminal(reported("truth"), { columns: 10_000, colour: false })));
});
