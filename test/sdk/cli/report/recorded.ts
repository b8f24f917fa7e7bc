/** Previews of the real CLI, recorded by test/e2e/engine/report.test.ts. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { preview } from "../../../../sdk/cli/report/preview";
import { type Report, report } from "../../../../sdk/cli/report/report";
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

export const reported = (name: string): Report => report(preview(recorded(name)));

type State = Record<string, unknown> & { inputs?: Record<string, unknown> | null };
export interface Step {
  op: string;
  urn: string;
  oldState?: State;
  newState?: State;
  diffReasons?: string[];
  replaceReasons?: string[];
}
export interface Digest {
  steps: Step[];
  diagnostics?: { urn?: string; message: string; severity: string }[];
  changeSummary?: Record<string, number> | null;
}

/** The report of a recorded preview in which something was different. */
export function altered(name: string, change: (digest: Digest) => Digest, secrets: string[] = []): Report {
  return report(preview(JSON.stringify(change(JSON.parse(recorded(name)) as Digest))), secrets);
}

/** With other steps, and what was said of those that are left. */
export const withSteps = (name: string, change: (steps: Step[]) => Step[]): Report =>
  altered(name, ({ steps, diagnostics = [], ...rest }) => {
    const kept = change(steps);
    return {
      ...rest,
      steps: kept,
      diagnostics: diagnostics.filter(({ urn }) => kept.some((step) => step.urn === urn)),
    };
  });

/** With a resource's step changed. */
export const withStep = (name: string, resource: string, change: (step: Step) => Step): Report =>
  altered(name, (digest) => ({
    ...digest,
    steps: digest.steps.map((step) => (step.urn.endsWith(`::${resource}`) ? change(step) : step)),
  }));

/** Nothing but one resource's step, beside those of what is as it was. */
export const alone = (name: string, resource: string, change: (step: Step) => Step = (step) => step): Report =>
  withSteps(name, (steps) =>
    steps.flatMap((step) => (step.urn.endsWith(`::${resource}`) ? [change(step)] : step.op === "same" ? [step] : [])),
  );
