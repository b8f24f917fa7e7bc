/** The tests that run the engine once more, with the state of each of their stacks in a bucket in place of a folder. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { ROOT } from "../bench/stack";
import { hindrance } from "../can";
import { STATE_BUCKET } from "../e2e/backend";
import { Minio } from "../sdk/truth/minio";
import { counts, type FileResult, jest, testFiles } from "./jest";
import type { Seen, Trial } from "./trial";

const BUCKET = "state";
const HEAD = ["tests", "passed", "failed", "skipped", "state"];

const needsEngine = (path: string): boolean => /describeWhere\([^)]*"engine"/.test(readFileSync(path, "utf8"));

/** What became of a file's tests, and whether its stacks had their state in the bucket. */
const row = (result: FileResult, inBucket: readonly string[]): string[] => [
  result.name.slice(ROOT.length + 1),
  ...counts(result),
  inBucket.includes(basename(result.name)) ? "in the bucket" : "of its own",
];

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
    const results = await jest(testFiles(needsEngine), { [STATE_BUCKET]: JSON.stringify(bucket) });
    const inBucket = readdirSync(files);
    const rows = results.map((it) => row(it, inBucket)).sort(([a = ""], [b = ""]) => a.localeCompare(b));
    const passed = results.flatMap((it) => it.assertionResults).filter(({ status }) => status === "passed");
    const seen = `${passed.length} tests in ${results.length} files passed, ${inBucket.length} of them with state in the bucket`;
    return { seen, table: [HEAD, ...rows] };
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
