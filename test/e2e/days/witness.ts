/** Sees all that a run shows to others on the machine, and is asked afterwards whether a secret was among it. */
import { readdirSync, readFileSync } from "node:fs";
import { unpacked } from "../../../sdk/packed";

const seen = new Set<string>();

const text = (path: string): string => {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return ""; // the process has ended
  }
};

/** What state keeps deflated is no hiding place. */
const inflated = (one: string): string[] => (one.match(/deflate:[\w+/=]+/g) ?? []).map(unpacked);

/** Milliseconds. Listing the processes of a machine full of hosts costs more than it looks. */
const EVERY = 400;
/** How often a process is looked at: after its start it may still become another program. */
const LOOKS = 3;
const looks = new Map<string, number>();

/** What any process of the machine shows: of the lab's hosts, too. */
function lookAtProcesses(): void {
  const there = new Set(readdirSync("/proc").filter((name) => /^\d+$/.test(name)));
  for (const pid of looks.keys()) if (!there.has(pid)) looks.delete(pid);
  for (const pid of there) {
    const before = looks.get(pid) ?? 0;
    if (before === LOOKS) continue;
    looks.set(pid, before + 1);
    for (const file of ["cmdline", "environ"]) seen.add(text(`/proc/${pid}/${file}`));
  }
}

export const Witness = {
  /** Looks at the processes now and then until it is told to stop. */
  look(): { stop(): void } {
    const timer = setInterval(lookAtProcesses, EVERY);
    return { stop: () => clearInterval(timer) };
  },

  heard(...texts: string[]): void {
    for (const one of texts.flatMap((it) => [it, ...inflated(it)])) seen.add(one);
  },

  /** How many texts there are, and those in which one of the secrets stands, cut to what is around it. */
  asked(secrets: string[]): { texts: number; leaks: string[] } {
    const leaks = [...seen].flatMap((one) =>
      secrets.filter((secret) => one.includes(secret)).map((secret) => one.slice(0, one.indexOf(secret)).slice(-200)),
    );
    return { texts: seen.size, leaks };
  },
};
