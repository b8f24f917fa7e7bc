/** docs/existing-repo.md: servers and networks of another package, of which nothing is known before they are there. */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeWhere } from "../../can";
import { blocks, inLanguage } from "../../docs/page";
import { expectGolden, golden } from "../../sdk/golden";
import { counted, devices } from "./output";
import { root, Workspace } from "./workspace";

jest.setTimeout(120_000);

const consumer = join(root, "test/consumer");

describeWhere("engine", "inside an existing repository", () => {
  let workspace: Workspace;

  beforeAll(async () => {
    workspace = await Workspace.make({ files: { "Pulumi.yaml": readFileSync(join(consumer, "Pulumi.yaml"), "utf8") } });
    cpSync(consumer, workspace.folder, { recursive: true });
    // Whoever called a host would fail.
    workspace.configure({ "overlay:ssh": "/bin/false" });
  });
  afterAll(() => workspace?.remove());

  test("before there is any server, a preview has placeholders for what is known later, and all the rest", async () => {
    const { text } = await workspace.well("preview");
    expect(counted(text)).toEqual(["+ 25 to create"]);
    expectGolden(join(golden, "consumer/first.txt"), devices(text));
  });

  test("with the servers there, it has their addresses, ports and networks", async () => {
    const { text: made } = await workspace.well("up", "--yes", "--skip-preview", "--target", "**cloud:index:*::*");
    expect(counted(made)).toEqual(["+ 8 created", "17 unchanged"]);
    const { text } = await workspace.well("preview");
    expect(counted(text)).toEqual(["+ 17 to create", "8 unchanged"]);
    expectGolden(join(golden, "consumer/known.txt"), devices(text));
  });

  test("docs/existing-repo.md has this program, and lines of its preview", () => {
    const page = blocks("docs/existing-repo.md");
    expect(inLanguage(page, "ts")).toEqual([readFileSync(join(consumer, "index.ts"), "utf8")]);
    const lines = inLanguage(page, "").join("").trim().split("\n");
    expect(lines.filter((line) => /^(ip|wg) /.test(line)).length).toBeGreaterThan(1);
    const first = readFileSync(join(golden, "consumer/first.txt"), "utf8").split("\n");
    expect(first).toEqual(expect.arrayContaining(lines));
  });

  test("what comes late is checked all the same, by whoever is told it first", async () => {
    const program = join(workspace.folder, "index.ts");
    const text = readFileSync(program, "utf8");
    writeFileSync(program, text.replace('"branch", { at: "192.168.8.0/24"', '"branch", { at: "branch"'));
    await workspace.well("up", "--yes", "--skip-preview", "--target", "**cloud:index:Subnet::branch");
    const { code, text: said } = await workspace.run("preview");
    expect(code).not.toBe(0);
    expect(said).toMatch(/(behind|routes)\[0\]: found "branch", legal is a prefix such as /);
  });
});
