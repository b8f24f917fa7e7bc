/** Which stack of which project it is about, where a preview does not say so itself. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { partsOf } from "../stackName";
import type { Key } from "./comment";

const FILES = ["Pulumi.yaml", "Pulumi.yml", "Pulumi.json"];
const file = z.object({ name: z.string() });

/** The name in the project file of this folder, or of one that it is in; empty where there is none. */
async function projectAt(folder: string): Promise<string> {
  const path = FILES.map((name) => join(folder, name)).find(existsSync);
  if (path === undefined) return dirname(folder) === folder ? "" : projectAt(dirname(folder));
  try {
    // Only where it is needed: it takes a while to load.
    const { parse } = await import("yaml");
    return file.parse(parse(readFileSync(path, "utf8"))).name;
  } catch {
    return "";
  }
}

/** The one that is selected; empty where Pulumi does not say. */
function selected(): string {
  const { status, stdout } = spawnSync("pulumi", ["stack", "--show-name", "--non-interactive"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" },
  });
  return status === 0 ? stdout.trim() : "";
}

/** By what was asked for, or else by this folder. */
export async function keyHere(named = selected()): Promise<Key> {
  const { stack, project = await projectAt(process.cwd()) } = partsOf(named);
  return { project, stack };
}
