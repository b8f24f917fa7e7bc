/** What the package's programs say on a machine without a Node that they run with. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "overlay-node-"));
afterAll(() => rmSync(folder, { recursive: true }));

const old = join(folder, "old.js");
writeFileSync(
  old,
  'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.19.1" } });\n',
);

test.each(["overlay", "pulumi-resource-overlay"])(
  "%s says which Node it needs, before it loads what that lacks",
  (program) => {
    const env = { ...process.env, NODE_OPTIONS: `--require=${old}` };
    const run = spawnSync(join(__dirname, "../../bin", program), ["--version"], { env, encoding: "utf8" });
    expect(run).toMatchObject({ status: 1, stdout: "" });
    expect(run.stderr).toBe("pulumi-overlay: node on PATH is 20.19.1; install Node 22 or later [cli/node]\n");
  },
);
