/** The tests that wait so long, or keep a processor so busy, that `npm test` leaves them out: `*.long.test.ts`. */
import { ROOT } from "../bench/stack";
import { counts, jest, testFiles } from "./jest";
import type { Trial } from "./trial";

export const stories: Trial = {
  title: "the tests on lab hosts that are too long for every `npm test`",
  mustBe: "0 failed",
  run: async () => {
    const results = await jest(testFiles((path) => path.endsWith(".long.test.ts")));
    const rows = results.map((it) => [it.name.slice(ROOT.length + 1), ...counts(it)]).sort();
    const passed = results.flatMap((it) => it.assertionResults).filter(({ status }) => status === "passed");
    return {
      seen: `${passed.length} tests in ${results.length} files passed`,
      table: [["tests", "passed", "failed", "skipped"], ...rows],
    };
  },
};
