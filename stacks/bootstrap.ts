/**
 * Where all else is kept: two buckets of Cloudflare R2, one for Pulumi's state and one for sources of truth, what may be
 * deleted in them and when, and two tokens. docs/state.md begins with an empty account and ends with what this puts out.
 *
 *     pulumi login file://~/overlay-bootstrap    # this stack's own state: R2 is not there yet
 *     pulumi stack init bootstrap
 *     pulumi config set cloudflare:apiToken --secret
 *     pulumi config set bootstrap:accountId 023e105f4ecef8ad9ca31a8372d0c353
 *     pulumi config set --path 'bootstrap:networks[0]' prod
 *     pulumi up
 */
import { createHash } from "node:crypto";
import * as cloudflare from "@pulumi/cloudflare";
import * as pulumi from "@pulumi/pulumi";

const config = new pulumi.Config("bootstrap");
const accountId = config.require("accountId");
const prefix = config.get("prefix") ?? "overlay";
/** Of sources of truth. */
const networks = config.requireObject<string[]>("networks");
const jurisdiction = config.get("jurisdiction") ?? "default";

const DAY = 86_400;
/** Seconds for which nobody, with whatever token, can take away what looking back needs. */
const LOCKED = 30 * DAY;
/** Seconds after which it is of no use any more. */
const KEPT = 365 * DAY;

const where = { accountId, jurisdiction };

/** `past`: what is only ever added to, by the beginning of its name. */
function bucket(name: string, past: readonly string[]): cloudflare.R2Bucket {
  const made = new cloudflare.R2Bucket(name, { ...where, name }, { protect: true });
  const old = past.map((beginning) => ({
    id: `old ${beginning}`,
    enabled: true,
    conditions: { prefix: beginning },
    deleteObjectsTransition: { condition: { type: "Age", maxAge: KEPT } },
  }));
  const half = {
    id: "half uploads",
    enabled: true,
    conditions: { prefix: "" },
    abortMultipartUploadsTransition: { condition: { type: "Age", maxAge: DAY } },
  };
  new cloudflare.R2BucketLifecycle(name, { ...where, bucketName: made.name, rules: [half, ...old] }, { parent: made });
  const rules = past.map((beginning) => ({
    id: `keep ${beginning}`,
    enabled: true,
    prefix: beginning,
    condition: { type: "Age", maxAgeSeconds: LOCKED },
  }));
  new cloudflare.R2BucketLock(name, { ...where, bucketName: made.name, rules }, { parent: made });
  return made;
}

const state = bucket(`${prefix}-state`, [".pulumi/backups/"]);
const truth = bucket(
  `${prefix}-truth`,
  networks.map((network) => `${network}/log/`),
);

/** Cloudflare's own names of what a token may do; asked for one, it may answer with others that have it in theirs. */
const may = (name: string): pulumi.Output<{ id: string }[]> =>
  cloudflare
    .getAccountApiTokenPermissionGroupsListOutput({ accountId, name: encodeURIComponent(name) })
    .results.apply((all) => {
      const found = all.filter((it) => it.name === name);
      if (found.length === 1) return found.map(({ id }) => ({ id }));
      throw new Error(
        `Cloudflare has ${found.length} permissions ${JSON.stringify(name)}, and a token is to have one.`,
      );
    });

/** A token as S3 has it: https://developers.cloudflare.com/r2/api/tokens/#get-s3-api-credentials-from-an-api-token */
function token(name: string, permission: string, buckets: cloudflare.R2Bucket[]) {
  const resources = pulumi
    .all(buckets.map((it) => it.name))
    .apply((names) =>
      JSON.stringify(
        Object.fromEntries(
          names.map((it) => [`com.cloudflare.edge.r2.bucket.${accountId}_${jurisdiction}_${it}`, "*"]),
        ),
      ),
    );
  const policies = [{ effect: "allow", permissionGroups: may(permission), resources }];
  const made = new cloudflare.AccountToken(
    `${prefix}-${name}`,
    { accountId, name: `${prefix}-${name}`, policies },
    { additionalSecretOutputs: ["value"] },
  );
  return pulumi.secret({
    accessKeyId: made.id,
    secretAccessKey: made.value.apply((value) => createHash("sha256").update(value).digest("hex")),
  });
}

const host = `${accountId}${jurisdiction === "default" ? "" : `.${jurisdiction}`}.r2.cloudflarestorage.com`;
const address = (of: cloudflare.R2Bucket) =>
  pulumi.interpolate`s3://${of.name}?endpoint=https://${host}&region=auto&s3ForcePathStyle=true`;

/** For people and CI that run Pulumi. */
export const writers = token("writers", "Workers R2 Storage Bucket Item Write", [state, truth]);
/** For hosts, which read what they are told, and nothing of Pulumi's state. */
export const hosts = token("hosts", "Workers R2 Storage Bucket Item Read", [truth]);
/** The line to run next. */
export const login = pulumi.interpolate`pulumi login '${address(state)}'`;
/** `store` of a SourceOfTruth. */
export const store = address(truth);
