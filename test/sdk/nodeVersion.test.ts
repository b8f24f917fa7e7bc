/** How the package's programs start, and what they say on a machine without a Node that they run with. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "overlay-node-"));
afterAll(() => rmSync(folder, { recursive: true }));

const bin = join(__dirname, "../../bin");

const old = join(folder, "old.js");
writeFileSync(
  old,
  'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.19.1" } });\n',
);

test.each(["overlay", "pulumi-resource-overlay"])(
  "%s says which Node it needs, before it loads what that lacks",
  (program) => {
    const env = { ...process.env, NODE_OPTIONS: `--require=${old}` };
    const run = spawnSync(join(bin, program), ["--version"], { env, encoding: "utf8" });
    expect(run).toMatchObject({ status: 1, stdout: "" });
    expect(run.stderr).toBe("pulumi-overlay: node on PATH is 20.19.1; install Node 22 or later [cli/node]\n");
  },
);

test("however it is called, by npm's link, by name, from where it lies", () => {
  for (const name of ["linked", ".bin"]) mkdirSync(join(folder, name));
  symlinkSync(bin, join(folder, "linked/bin"));
  symlinkSync("../linked/bin/overlay", join(folder, ".bin/overlay"));
  const said = (cwd: string, ...[command = "", ...words]: string[]) =>
    spawnSync(command, [...words, "--version"], {
      ...{ cwd, encoding: "utf8", env: { ...process.env, PATH: `${join(folder, ".bin")}:${process.env.PATH}` } },
    }).stdout;
  const version = said(bin, join(bin, "overlay"));
  expect(version).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect(said(folder, "overlay")).toBe(version);
  expect(said(folder, "linked/bin/overlay")).toBe(version);
  expect(said(bin, "./overlay")).toBe(version);
  expect(said(bin, "sh", "overlay")).toBe(version);
});
