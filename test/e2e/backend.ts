/** Where the stacks of tests have their state: in a folder beside each, or all in one bucket (`npm run test:long engine`). */
import { mkdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";

export interface Backend {
  /** What Pulumi has to know of it. */
  environment: Record<string, string>;
  /** Where its files are. MinIO has a folder by the name of each, with what is in it. */
  folder: string;
}

/** A bucket of MinIO's, whose own folder is this. */
export interface StateBucket {
  folder: string;
  endpoint: string;
  /** Of the AWS tools, with a profile by the name of the bucket: what a test does with credentials is about others. */
  config: string;
}

export const STATE_BUCKET = "OVERLAY_STATE_BUCKET";

/** `folder`: of a stack's own, and made where it is used. Of a bucket each test file has a part. */
export function backend(folder: string): Backend {
  const given = process.env[STATE_BUCKET];
  if (given === undefined) {
    mkdirSync(folder, { recursive: true });
    return { environment: { PULUMI_BACKEND_URL: `file://${folder}` }, folder };
  }
  const bucket = JSON.parse(given) as StateBucket;
  const name = basename(bucket.folder);
  const prefix = join(basename(expect.getState().testPath ?? "none"), basename(dirname(folder)), basename(folder));
  const options = `endpoint=${bucket.endpoint}&region=auto&s3ForcePathStyle=true&disable_https=true&profile=${name}`;
  const environment = {
    PULUMI_BACKEND_URL: `s3://${name}/${prefix}?${options}`,
    AWS_CONFIG_FILE: bucket.config,
    // Else each object that has no checksum is a line on standard error.
    AWS_RESPONSE_CHECKSUM_VALIDATION: "when_required",
  };
  return { environment, folder: join(bucket.folder, prefix) };
}
