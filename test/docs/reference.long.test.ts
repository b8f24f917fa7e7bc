/** `npm run docs`: the reference is whole; its examples, and those of the pages, are programs. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../lab/run";
import { blocks, inLanguage } from "./page";

jest.setTimeout(600_000);

const root = join(__dirname, "../..");
const MINUTE = 60_000;

/** What examples may take as given, where they do not make it themselves. */
const GIVEN = {
  lux: 'new OverlayNode("lux", { id: 1, connection: { host: "lux" } })',
  fra: 'new OverlayNode("fra", { id: 2, connection: { host: "fra" } })',
  hkg: 'new OverlayNode("hkg", { id: 3, connection: { host: "hkg" } })',
  nas: 'new OverlayNode("nas", { id: 9, connection: { host: "nas" } })',
  link: 'new WgLink("given", { a: lux, b: fra })',
};

/** A program with all that it takes as given. `names`: what the package exports. */
function whole(program: string, names: readonly string[]): string {
  if (program.startsWith("import ")) return program;
  const lacking = Object.entries(GIVEN).filter(([name]) =>
    name === "link" ? /\{ link \}/.test(program) : !new RegExp(`^const ${name} = `, "m").test(program),
  );
  const given = lacking.map(([name, made]) => `const ${name} = ${made};\n`).join("");
  return `import { ${names.join(", ")} } from "pulumi-overlay";\n${given}${program}\n`;
}

/** TypeDoc's own form of what it has read, as far as it is used here. */
interface Reflection {
  name: string;
  kind: number;
  comment?: { blockTags?: { tag: string; content: { text: string }[] }[] };
  signatures?: Reflection[];
  children?: Reflection[];
}
/** https://typedoc.org/api/enums/Models.ReflectionKind.html */
const [FUNCTION, CLASS] = [64, 128];

const examplesOf = ({ comment, signatures = [] }: Reflection): string[] =>
  [comment, ...signatures.map((it) => it.comment)].flatMap((it) =>
    (it?.blockTags ?? [])
      .filter(({ tag }) => tag === "@example")
      .map(({ content }) => content.map(({ text }) => text).join("")),
  );

describe("the reference", () => {
  const folder = join(root, "dist/examples");
  let exported: Reflection[];

  beforeAll(async () => {
    const { code, stdout, stderr } = await run(
      [process.execPath, join(root, "scripts/docs.js"), "--json", "dist/reference.json"],
      { cwd: root, timeout: 8 * MINUTE },
    );
    expect({ code, said: `${stdout}${stderr}` }).toEqual({
      code: 0,
      said: expect.not.stringMatching(/warning|error\b/),
    });
    const { children = [] }: Reflection = JSON.parse(readFileSync(join(root, "dist/reference.json"), "utf8"));
    exported = children.flatMap((entry) => entry.children ?? []);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("has an example for each component, and for all else that can be called", () => {
    const called = exported.filter(({ kind }) => kind === CLASS || kind === FUNCTION);
    expect(called.map(({ name }) => name).sort()).toEqual([
      ...["OverlayNode", "Provider", "RosenpassPeer", "SourceOfTruth", "VxlanSegment", "WgLink", "WgMesh"],
      ...["fullMesh", "star"],
    ]);
    expect(called.filter((it) => examplesOf(it).length === 0).map(({ name }) => name)).toEqual([]);
  });

  test("has words for each argument", () => {
    const page = readFileSync(join(root, "dist/arguments.md"), "utf8");
    expect(page.match(/^## /gm)?.length).toBeGreaterThan(20);
    expect(page).toContain("| **connection** | [Connection](#connection) | How the machine is reached over SSH. |");
    expect(page).not.toMatch(/^\| [^|\s].*\| *\|$|undefined/m);
  });

  test("its examples compile, and so does all that the README has", async () => {
    const names = exported.filter(({ kind }) => kind === CLASS || kind === FUNCTION).map(({ name }) => name);
    const examples = exported.flatMap((it) =>
      examplesOf(it).map((text, index): [string, string] => [
        `${it.name}${index}.ts`,
        text.replace(/^```ts\n|```$/g, ""),
      ]),
    );
    expect(examples.length).toBeGreaterThanOrEqual(names.length);
    const readme = inLanguage(blocks("README.md"), "ts").map((text, n): [string, string] => [`README${n}.ts`, text]);
    mkdirSync(folder, { recursive: true });
    for (const [name, program] of [...examples, ...readme]) writeFileSync(join(folder, name), whole(program, names));
    const { compilerOptions } = JSON.parse(readFileSync(join(root, "tsconfig.json"), "utf8"));
    const options = { ...compilerOptions, rootDir: root, noEmit: true, incremental: false, tsBuildInfoFile: null };
    const paths = { "pulumi-overlay": [join(root, "components/index.ts")] };
    const config = { compilerOptions: { ...options, paths, types: ["node"] }, include: ["*.ts"] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    const tsc = [process.execPath, join(root, "node_modules/typescript/bin/tsc"), "--pretty", "false", "-p", folder];
    expect(await run(tsc, { cwd: root, timeout: 5 * MINUTE })).toMatchObject({ code: 0, stdout: "" });
  });
});
