/** Previews of the real CLI, recorded by test/e2e/engine/report.test.ts. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { golden } from "../../golden";

export const folder = join(golden, "report");

export const names = readdirSync(folder)
  .filter((file) => file.endsWith(".json"))
  .map((file) => file.replace(/\.json$/, ""));

export const recorded = (name: string): string => readFileSync(join(folder, `${name}.json`), "utf8");

/** So many times the same network, under other names. */
export function multiplied(name: string, count: number): string {
  const { steps, diagnostics, ...rest } = JSON.parse(recorded(name)) as Record<string, unknown[]>;
  const again = (of: unknown, index: number) =>
    JSON.parse(JSON.stringify(of).replace(/\b(lux|fra|hkg)\b/g, `$1${index}`)) as unknown[];
  const all = (of: unknown) => Array.from({ length: count }, (_, index) => again(of, index)).flat();
  return JSON.stringify({ ...rest, steps: all(steps), diagnostics: all(diagnostics) });
}
