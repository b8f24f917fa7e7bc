/**
 * Pulumi's automation API: programs that are functions of a process that lives on. The plugin is found on PATH; and one
 * of them is about machines that other resources are yet to make.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describeWhere } from "../../can";
import { backend } from "../backend";
import { root } from "./workspace";

jest.setTimeout(120_000);

describeWhere("engine", "inline programs", () => {
  test("one with faults ends, and those after it know nothing of it nor of each other; what is known only later has its place in the preview", async () => {
    const folder = mkdtempSync(join(tmpdir(), "overlay-inline-"));
    try {
      const { stdout } = await promisify(execFile)("node", [join(root, "dist/test/e2e/engine/inline.js")], {
        cwd: folder,
        env: {
          ...process.env,
          PATH: `${root}/bin:${process.env.PATH}`,
          PULUMI_HOME: join(folder, "home"),
          ...backend(join(folder, "state")).environment,
          PULUMI_CONFIG_PASSPHRASE: "",
        },
        timeout: 100_000,
      });
      const [wrong, right, unknown] = JSON.parse(stdout) as [string, ...{ changeSummary: object; stdout: string }[]];
      expect(wrong).toContain("error: id: found 0, legal is at least 1; correct the value. [input/range]");
      expect(wrong).toContain("error: ports.a: found 0, legal is at least 1; correct the value. [input/range]");
      expect(wrong).toMatch(/error: mtu: found 9000, legal is 1280 to 1420 bytes .* \[input\/mtu\]/);
      expect(wrong).toContain("error: 3 faults; no host was touched [input/faults]");
      expect([right?.changeSummary, unknown?.changeSummary]).toEqual([{ create: 8 }, { create: 8 }]);
      const later = "<known after fra is created>";
      const lines = unknown?.stdout.split("\n").map((line) => line.trim());
      expect(lines).toEqual(
        expect.arrayContaining([
          `wg set inter-fra peer ${later} allowed-ips 0.0.0.0/0,::/0 endpoint ${later} persistent-keepalive 25`,
          `ip route add ${later} dev inter-fra proto 111 metric 4096`,
          expect.stringMatching(/^wg set inter-fra listen-port 11002 /),
        ]),
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
