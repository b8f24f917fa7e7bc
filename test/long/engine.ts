/** The tests that run the engine once more, with the state of each of their stacks in a bucket in place of a folder. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { table } from "../bench/report";
import { ROOT } from "../bench/stack";
import { hindrance } from "../can";
import { STATE_BUCKET, type StateBucket } from "../e2e/backend";
import { Minio } from "../sdk/truth/minio";
import type { Seen, Trial } from "./trial";

const BUCKET = "state";

/** What jest writes of a run, of one file. */
interface FileResult {
  name: string;
  status: "passed" | "failed" | "skipped";
  assertionResults: { status: string; fullName: string }[];
}

const needsEngine = (path: string): boolean => /describeWhere\([^)]*"engine"/.test(readFileSync(path, "utf8"));

const tests = (): string[] =>
  readdirSync(join(ROOT, "test"), { recursive: true })
    .map((path) => join(ROOT, "test", String(path)))
    .filter((path) => path.endsWith(".test.ts") && needsEngine(path));

/** Its words go to standard error, where they are in nobody's way. */
async function jest(paths: readonly string[], to: string, bucket: StateBucket): Promise<FileResult[]> {
  const program = join(ROOT, "node_modules/jest/bin/jest.js");
  const child = spawn(process.execPath, [program, "--json", `--outputFile=${to}`, "--runTestsByPath", ...paths], {
    cwd: ROOT,
    env: { ...process.env, [STATE_BUCKET]: JSON.stringify(bucket) },
    stdio: ["ignore", 2, 2],
  });
  await new Promise((ended, failed) => child.on("error", failed).on("close", ended));
  if (!existsSync(to)) throw new Error("jest ended without a word on its tests");
  return (JSON.parse(readFileSync(to, "utf8")) as { testResults: FileResult[] }).testResults;
}

const HEAD = ["tests", "passed", "failed", "skipped", "state"];

/** What became of a file's tests, and whether its stacks had their state in the bucket. */
function row({ name, assertionResults }: FileResult, inBucket: readonly string[]): string[] {
  const count = (what: string) => String(assertionResults.filter(({ status }) => status === what).length);
  const where = inBucket.includes(basename(name)) ? "in the bucket" : "of its own";
  return [name.slice(ROOT.length + 1), count("passed"), count("failed"), count("pending"), where];
}

async function run(): Promise<Seen> {
  const lacking = hindrance("minio");
  if (lacking !== undefined) throw new Error(lacking);
  const [minio, folder] = [await Minio.start(), mkdtempSync(join(tmpdir(), "overlay-long-"))];
  try {
    await minio.makeBucket(BUCKET);
    const config = join(folder, "config");
    const { accessKeyId, secretAccessKey } = minio.root;
    const profile = `[profile ${BUCKET}]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`;
    writeFileSync(config, profile, { mode: 0o600 });
    const files = join(minio.folder, BUCKET);
    const bucket = { folder: files, endpoint: minio.endpoint, config };
    const results = await jest(tests(), join(folder, "results.json"), bucket);
    const inBucket = readdirSync(files);
    const rows = [HEAD, ...results.map((it) => row(it, inBucket)).sort(([a = ""], [b = ""]) => a.localeCompare(b))];
    const failed = results.filter(({ status }) => status === "failed");
    if (failed.length > 0) throw new Error(`${failed.length} of ${results.length} files failed\n${table(rows)}`);
    const passed = results.flatMap((it) => it.assertionResults).filter(({ status }) => status === "passed");
    const seen = `${passed.length} tests in ${results.length} files passed, ${inBucket.length} of them with state in the bucket`;
    return { seen, table: rows };
  } finally {
    rmSync(folder, { recursive: true });
    await minio.remove();
  }
}

export const engine: Trial = {
  title: "all tests that run the engine, on the S3 backend on MinIO",
  mustBe: "0 failed",
  run,
};
