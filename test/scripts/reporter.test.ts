/** The end of a test run, as scripts/jest/reporter.js prints it. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(__dirname, "../..");

/** The run of a project with these test files: exit code, and the lines that it ends with. */
function run(files: Record<string, string>, ...args: string[]) {
  const folder = mkdtempSync(join(tmpdir(), "overlay-reporter-"));
  try {
    const config = { rootDir: folder, reporters: [join(root, "scripts/jest/reporter.js")], transform: {} };
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    const jest = [join(root, "node_modules/jest/bin/jest.js"), "--config", JSON.stringify(config), "--runInBand"];
    const { status, stdout } = spawnSync(process.execPath, [...jest, ...args], { cwd: folder, encoding: "utf8" });
    return { code: status, lines: stdout.trimEnd().split("\n") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const passes = `test("passes", () => {});`;
const skipped = `describe.skip("hosts [cannot run here: the lab needs root]", () => { test("ping", () => {}); });`;

test("the counts stand alone on the last line, and what was skipped is named with the reason", () => {
  const { code, lines } = run({ "a.test.js": `${passes}${skipped}` });
  expect(code).toBe(0);
  expect(lines.at(-1)).toBe("1 passed, 0 failed, 1 skipped");
  expect(lines).toContain("  hosts ping: the lab needs root");
});

test("a failed test and a file that does not load are both counted and named", () => {
  const { code, lines } = run({
    "a.test.js": `${passes}test("fails", () => expect(1).toBe(2));`,
    "b.test.js": `throw new Error("does not load");`,
  });
  expect(code).toBe(1);
  expect(lines.at(-1)).toBe("1 passed, 2 failed, 0 skipped");
  expect(lines.slice(lines.indexOf("Failed:") + 1, -2)).toEqual(["  b.test.js as a whole", "  fails"]);
});

test("a skip without a reason is a failure", () => {
  const { code, lines } = run({ "a.test.js": `${passes}test.skip("one day", () => {});` });
  expect(code).toBe(1);
  expect(lines).toContain("skipped without a reason: one day");
  expect(lines.at(-1)).toBe("1 passed, 0 failed, 1 skipped");
});

test("a run in which nothing passed is a failure", () => {
  const { code, lines } = run({ "a.test.js": skipped });
  expect(code).toBe(1);
  expect(lines).toContain("no test passed");
});
