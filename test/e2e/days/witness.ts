/** Sees all that a run shows to others on the machine, and is asked afterwards whether a secret was among it. */
import { readdirSync, readFileSync } from "node:fs";

const seen = new Set<string>();

const text = (path: string): string => {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return ""; // the process has ended
  }
};

/** What any process of the machine shows: of the lab's hosts, too. */
function lookAtProcesses(): void {
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    for (const file of ["cmdline", "environ"]) seen.add(text(`/proc/${pid}/${file}`));
  }
}

export const Witness = {
  /** Looks at the processes until it is told to stop. */
  look(): { stop(): void } {
    const timer = setInterval(lookAtProcesses, 100);
    return { stop: () => clearInterval(timer) };
  },

  heard(...texts: string[]): void {
    for (const one of texts) seen.add(one);
  },

  /** How many texts there are, and those in which one of the secrets stands, cut to what is around it. */
  asked(secrets: string[]): { texts: number; leaks: string[] } {
    const leaks = [...seen].flatMap((one) =>
      secrets.filter((secret) => one.includes(secret)).map((secret) => one.slice(0, one.indexOf(secret)).slice(-200)),
    );
    return { texts: seen.size, leaks };
  },
};
