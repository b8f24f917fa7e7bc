/** A lab's name, and who is just making a lab of that name. */
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { labFolder, STATE, writeWhole } from "./files";

/** Part of names that others begin with: no dash, so that no lab is taken for part of another. */
export function mustBeName(name: string): void {
  if (/^[a-z][a-z0-9]{0,15}$/.test(name)) return;
  throw new Error(
    `${JSON.stringify(name)} cannot be a lab's name: 1 to 16 lower-case letters and digits, a letter first`,
  );
}

/** A process, told from a later one of its number by when it was started: proc_pid_stat(5), field 22. */
function identity(pid: number): string {
  try {
    // The command's name, before it, may hold spaces.
    return `${pid} ${readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ")[19]}`;
  } catch {
    return "";
  }
}

const claimFile = (lab: string): string => join(labFolder(lab), "maker");

/** Takes a lab's name for this process, which makes it. Throws an error when there is one. */
export function claim(lab: string): void {
  mkdirSync(STATE, { recursive: true });
  try {
    mkdirSync(labFolder(lab), { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    throw new Error(
      `A lab called ${lab} is there already (npm run -s lab -- status). Take it down: npm run -s lab -- down --name ${lab}, or choose another --name`,
    );
  }
  writeWhole(claimFile(lab), identity(process.pid));
}

/** The lab is made. */
export const release = (lab: string): void => rmSync(claimFile(lab));

/** Whether a lab was being made: `by` a process that is there, or by one that was killed. */
export function claimed(lab: string): { by?: number } | undefined {
  if (!existsSync(claimFile(lab))) return undefined;
  const text = readFileSync(claimFile(lab), "utf8");
  const pid = Number(text.split(" ")[0]);
  return text === identity(pid) ? { by: pid } : {};
}
