/** What rootfs.sh says of the suites it makes; that they are what they should be is seen by days/images.test.ts. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeWhere } from "../can";
import { must, run } from "./run";

const script = join(__dirname, "rootfs.sh");

describeWhere("lab", "root file systems", () => {
  test("one that it does not know is named, with those it does", async () => {
    const { code, stderr } = await run(["sh", script, "sarge"]);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: "rootfs.sh: no suite is called sarge: bullseye, bookworm, trixie, noble, managers\n",
    });
  });

  test("the usual one is bookworm", async () => {
    const [usual, named] = await Promise.all([must(["sh", script]), must(["sh", script, "bookworm"])]);
    expect(named).toBe(usual);
  });

  test("where there is none, asking makes none", async () => {
    const cache = mkdtempSync(join(tmpdir(), "overlay-images-"));
    const { code, stdout } = await run(["env", `XDG_CACHE_HOME=${cache}`, "sh", script, "--check", "noble"]);
    rmSync(cache, { recursive: true });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  });
});
