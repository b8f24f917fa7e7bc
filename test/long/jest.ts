/** Tests of jest's that a trial runs. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { table } from "../bench/report";
import { ROOT } from "../bench/stack";

/** What jest writes of a run, of one file. */
export interface FileResult {
  name: string;
  status: "passed" | "failed" | "skipped";
  assertionResults: { status: string; fullName: string }[];
}

/** The files of tests that are wanted, also of those that `npm test` leaves out (`*.long.test.ts`). */
export const testFiles = (wanted: (path: string) => boolean): string[] =>
  readdirSync(join(ROOT, "test"), { recursive: true })
    .map((path) => join(ROOT, "test", String(path)))
    .filter((path) => path.endsWith(".test.ts") && wanted(path));

/** How many of a file's tests have passed, failed, and were skipped. */
export const counts = ({ assertionResults }: FileResult): string[] =>
  ["passed", "failed", "pending"].map((what) =>
    String(assertionResults.filter(({ status }) => status === what).length),
  );

/** Runs them. Jest's own words go to standard error, where they are in nobody's way. Throws a table where any has failed. */
export async function jest(paths: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<FileResult[]> {
  const folder = mkdtempSync(join(tmpdir(), "overlay-jest-"));
  try {
    const [program, to] = [join(ROOT, "node_modules/jest/bin/jest.js"), join(folder, "results.json")];
    const words = [program, "--json", `--outputFile=${to}`, "--runTestsByPath", ...paths];
    const env = { ...process.env, OVERLAY_LONG: "yes", ...environment };
    const child = spawn(process.execPath, words, { cwd: ROOT, env, stdio: ["ignore", 2, 2] });
    await new Promise((ended, failed) => child.on("error", failed).on("close", ended));
    if (!existsSync(to)) throw new Error("jest ended without a word on its tests");
    const results = (JSON.parse(readFileSync(to, "utf8")) as { testResults: FileResult[] }).testResults;
    const failed = results.filter(({ status }) => status === "failed");
    if (failed.length > 0) {
      const rows = failed.map((it) => [it.name.slice(ROOT.length + 1), ...counts(it)]);
      const all = table([["tests", "passed", "failed", "skipped"], ...rows]);
      throw new Error(`${failed.length} of ${results.length} files failed\n${all}`);
    }
    return results;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
