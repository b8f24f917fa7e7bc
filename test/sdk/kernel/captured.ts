/** Looks at real hosts, as the host's agent printed them (test/golden/captured/README.md). */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseSnapshot } from "../../../sdk/host/snapshot";
import type { Fact, Snapshot } from "../../../sdk/kernel";
import { queries } from "../../../sdk/kernel";
import { golden, readYaml } from "../golden";
import { type Declared, planned } from "../planned";

export const capturedFile = (name: string): string => join(golden, "captured", name);

// The host was a network namespace: nothing of systemd, no packages, no agents.
const elsewhere = ({ kind, key }: Fact): boolean =>
  kind === "package" || kind === "unit" || /boot\.sh|\.service/.test(key);

/** What the captured host was told. */
export const wanted: Fact[] = readYaml<Declared[]>(capturedFile("fra.yaml"))
  .flatMap(planned)
  .filter((fact) => !elsewhere(fact));

export const captured = (name: string, facts: readonly Fact[] = wanted): Snapshot =>
  parseSnapshot(readFileSync(capturedFile(`${name}.snapshot`), "utf8"), queries(facts));

/** What a host with one member of each sort of segment was told. */
export const segments: Fact[] = readYaml<Declared[]>(capturedFile("segments.yaml")).flatMap(planned);
