/** The day of hosts of other releases, with the oldest of them: the test of `npm test`, in another topology. */
import { join } from "node:path";
import { ROOT } from "../bench/stack";
import { must, run } from "../lab/run";
import type { Trial } from "./trial";

const TEST = "test/e2e/days/images.test.ts";

export const oldest: Trial = {
  title: "Debian 11 beside later releases",
  mustBe: "0 failed",
  async run() {
    // Else the time for it would be the test's.
    await must(["sh", join(ROOT, "test/lab/rootfs.sh"), "bullseye"], { timeout: 30 * 60_000 });
    const jest = join(ROOT, "node_modules/jest/bin/jest.js");
    const command = ["env", "-C", ROOT, "OVERLAY_IMAGES=oldest", process.execPath, jest, TEST];
    const { code, stdout, stderr } = await run(command, { timeout: 30 * 60_000 });
    const counts = stdout.trim().split("\n").at(-1) ?? "";
    if (code !== 0 || !/^[1-9]\d* passed, 0 failed, 0 skipped$/.test(counts)) throw new Error(`${stdout}${stderr}`);
    return counts;
  },
};
