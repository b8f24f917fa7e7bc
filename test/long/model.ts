/** Random sequences of changes on a real host and on the model of one: the test of `npm test`, with more of them. */
import { join } from "node:path";
import { ROOT } from "../bench/stack";
import { run } from "../lab";
import type { Trial } from "./trial";

const TEST = "test/sdk/kernel/model.lab.test.ts";
/** Milliseconds, most of them for hosts that are made again. */
const A_SEQUENCE = 12_000;

export const model = (sequences: number): Trial => ({
  title: `${sequences} random sequences of changes on a host agree with the model`,
  mustBe: "0 failed",
  async run() {
    const jest = join(ROOT, "node_modules/jest/bin/jest.js");
    const command = ["env", "-C", ROOT, `OVERLAY_SEQUENCES=${sequences}`, process.execPath, jest, TEST];
    const { code, stdout, stderr } = await run(command, { timeout: sequences * A_SEQUENCE + 60_000 });
    const counts = stdout.trim().split("\n").at(-1) ?? "";
    if (code !== 0 || !/^[1-9]\d* passed, 0 failed, 0 skipped$/.test(counts)) throw new Error(`${stdout}${stderr}`);
    return counts;
  },
});
