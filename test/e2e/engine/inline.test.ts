/** Pulumi's automation API: programs that are functions of a process that lives on. */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describeWhere } from "../../can";
import { root } from "./workspace";

jest.setTimeout(120_000);

describeWhere("engine", "inline programs", () => {
  test("one with faults ends, and those after it in the same process know nothing of it nor of each other", async () => {
    const folder = mkdtempSync(join(tmpdir(), "overlay-inline-"));
    try {
      mkdirSync(join(folder, "state"));
      const { stdout } = await promisify(execFile)("node", [join(root, "dist/test/e2e/engine/inline.js")], {
        cwd: folder,
        env: {
          ...process.env,
          PATH: `${root}/bin:${process.env.PATH}`,
          PULUMI_HOME: join(folder, "home"),
          PULUMI_BACKEND_URL: `file://${folder}/state`,
          PULUMI_CONFIG_PASSPHRASE: "",
        },
        timeout: 100_000,
      });
      const [wrong, ...right] = JSON.parse(stdout) as string[];
      expect(wrong).toContain("error: id: found 0, legal is at least 1; correct the value.");
      expect(wrong).toContain("error: 1 fault; no host was touched");
      expect(right).toEqual(['{"create":8}', '{"create":8}']);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
