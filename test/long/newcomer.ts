/** The README's first program, from an empty folder and the package's tarball to its preview. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { follow, packed } from "../e2e/engine/newcomer";
import type { Trial } from "./trial";

/** Seconds. */
export const MOST = 300;

export const newcomer: Trial = {
  title: "the README's first program, from an empty folder to its preview",
  mustBe: `< ${MOST} s`,
  async run() {
    const folder = mkdtempSync(join(tmpdir(), "overlay-newcomer-"));
    try {
      const { seconds, said } = await follow(join(folder, "net"), await packed(folder));
      if (!said.includes("+ 8 to create")) throw new Error(said);
      if (seconds >= MOST) throw new Error(`it took ${seconds.toFixed(0)} s`);
      return `${seconds.toFixed(0)} s, with all that npm installs`;
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};
