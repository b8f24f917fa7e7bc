/** The changelog tells of this version, and of its plans: nobody changes a golden plan without coming past that section. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { golden } from "../sdk/golden";

const root = join(__dirname, "../..");
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
const [, ...releases] = readFileSync(join(root, "CHANGELOG.md"), "utf8").split("\n## ");

/** Of all golden plans, by case and host. */
function plans(): string {
  const cases = readdirSync(golden).filter((name) => existsSync(join(golden, name, "input.yaml")));
  const files = cases.flatMap((name) =>
    readdirSync(join(golden, name))
      .filter((file) => file.endsWith(".txt"))
      .map((file) => join(name, file)),
  );
  expect(files.length).toBeGreaterThan(30);
  const hash = createHash("sha256");
  for (const file of files.sort()) hash.update(`${file}\n${readFileSync(join(golden, file), "utf8")}`);
  return hash.digest("hex").slice(0, 12);
}

test("its first release is this version, and each says something of its plans", () => {
  expect(releases[0]).toMatch(new RegExp(`^${version}\\b`));
  for (const release of releases) expect(release).toMatch(/^### Plans\n\n\S/m);
});

test("the golden plans are those that its section Plans is about: say there what a change does to hosts, then put the new sum", () => {
  const [, section = ""] = releases[0]?.split("\n### Plans\n") ?? [];
  expect(section.split("\n### ")[0]).toContain(`(Sum of the golden plans: ${plans()})`);
});
