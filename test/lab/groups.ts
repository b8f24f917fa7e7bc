/**
 * The lab's control groups, one a host. All processes of a lab are in them, whoever their parent is, so none is
 * missed and none is taken for another that got its number. Made in each hierarchy that systemd uses: cgroup v2, and
 * beside it `name=systemd` of v1 where the machine has both (hybrid).
 */
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "./run";

function roots(): { unified: string; all: string[] } {
  const mounts = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" "));
  const unified = mounts.find(([, , type]) => type === "cgroup2")?.[1];
  const named = mounts.filter(
    ([, , type, options]) => type === "cgroup" && options?.split(",").includes("name=systemd"),
  );
  if (unified === undefined) {
    throw new Error("No cgroup v2 hierarchy is mounted: mount -t cgroup2 none /sys/fs/cgroup/unified");
  }
  return { unified, all: [unified, ...named.flatMap(([, path]) => path ?? [])] };
}

const path = (root: string, lab: string, host?: string): string => join(root, "overlay-lab", lab, host ?? "");

const folders = (at: string): string[] => {
  try {
    return readdirSync(at, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? join(at, entry.name) : [],
    );
  } catch {
    return [];
  }
};

/** False while there is something in it. */
function removeEmpty(at: string): boolean {
  try {
    rmdirSync(at);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT";
  }
  return true;
}

/** Removes a control group and those inside of it. False while a process is in one of them. */
function remove(at: string): boolean {
  for (const inner of folders(at)) remove(inner);
  return removeEmpty(at);
}

export function make(lab: string, host: string): void {
  for (const root of roots().all) mkdirSync(path(root, lab, host), { recursive: true });
}

/** Ends all processes of a host, or of a whole lab, at once: SIGKILL to each (cgroup.kill, Linux 5.14). */
export async function kill(lab: string, host?: string): Promise<void> {
  const { unified, all } = roots();
  try {
    writeFileSync(join(path(unified, lab, host), "cgroup.kill"), "1");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  if (!(await until(10_000, () => all.every((root) => remove(path(root, lab, host)))))) {
    throw new Error(`Processes outlive SIGKILL: see cgroup.procs in ${path(unified, lab, host)} and below`);
  }
  // The last lab takes the folder with it. Only that: what is in it is being made, or somebody else's.
  for (const root of all) removeEmpty(join(root, "overlay-lab"));
}

/** Labs that have control groups. */
export const labs = (): string[] =>
  folders(join(roots().unified, "overlay-lab")).map((at) => at.split("/").at(-1) ?? "");

/** Whether a process belongs to a host: a number alone may be somebody else's by now. */
export function holds(lab: string, host: string, pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, "utf8")
      .split("\n")
      .some((line) => `${line}/`.includes(`:/overlay-lab/${lab}/${host}/`));
  } catch {
    return false;
  }
}
