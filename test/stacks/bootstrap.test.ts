/** The buckets and tokens that all else is kept in and read by. */
import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { S3Store } from "../../sdk/truth/s3Store";
import { use } from "../sdk/truth/minio";

const ACCOUNT = "023e105f4ecef8ad9ca31a8372d0c353";

interface Made {
  type: string;
  name: string;
  // biome-ignore lint/suspicious/noExplicitAny: what the program gave
  inputs: any;
}

/** What the stack makes, and what it puts out. */
async function stack(config: Record<string, string> = {}) {
  const made: Made[] = [];
  const all = { "bootstrap:accountId": ACCOUNT, "bootstrap:networks": '["prod","test"]', ...config };
  pulumi.runtime.setAllConfig(all);
  await pulumi.runtime.setMocks({
    newResource: ({ type, name, inputs }) => {
      made.push({ type, name, inputs });
      return {
        id: `id-of-${name}`,
        state: { ...inputs, ...(type.endsWith("Token") && { value: `value-of-${name}` }) },
      };
    },
    // What is asked for is a part of the name.
    call: ({ inputs }) => {
      const name = decodeURIComponent(inputs.name);
      return { results: [`Not ${name}`, name].map((it) => ({ id: `id-of-${it}`, name: it })) };
    },
  });
  let program: Record<string, pulumi.Output<unknown>> = {};
  await pulumi.runtime.runInPulumiStack(async () => {
    jest.isolateModules(() => {
      program = require("../../stacks/bootstrap");
    });
    return {};
  });
  await pulumi.runtime.disconnect();
  const seen = Object.entries(program).map(
    ([name, output]) =>
      new Promise<[string, { value: unknown; secret: boolean }]>((resolve) => {
        output.apply((value) => pulumi.isSecret(output).then((secret) => resolve([name, { value, secret }])));
      }),
  );
  return { made, outputs: Object.fromEntries(await Promise.all(seen)) };
}

const rulesOf = (made: Made[], kind: string, name: string) =>
  made.find((it) => it.type.endsWith(kind) && it.name === name)?.inputs.rules;

test("two buckets; what looking back needs cannot be taken away for 30 days, and goes after a year", async () => {
  const { made } = await stack();
  expect(
    made
      .filter(({ type }) => /:R2Bucket$/.test(type))
      .map(({ name }) => name)
      .sort(),
  ).toEqual(["overlay-state", "overlay-truth"]);
  expect(rulesOf(made, ":R2BucketLock", "overlay-truth")).toEqual(
    ["prod", "test"].map((network) => ({
      id: `keep ${network}/log/`,
      enabled: true,
      prefix: `${network}/log/`,
      condition: { type: "Age", maxAgeSeconds: 30 * 86_400 },
    })),
  );
  expect(rulesOf(made, ":R2BucketLifecycle", "overlay-state")).toMatchObject([
    { conditions: { prefix: "" }, abortMultipartUploadsTransition: { condition: { maxAge: 86_400 } } },
    { conditions: { prefix: ".pulumi/backups/" }, deleteObjectsTransition: { condition: { maxAge: 365 * 86_400 } } },
  ]);
});

test("writers write in both buckets; hosts read the one with sources of truth", async () => {
  const { made } = await stack();
  const policy = (name: string) => made.find((it) => it.name === name)?.inputs.policies;
  const of = (bucket: string) => `com.cloudflare.edge.r2.bucket.${ACCOUNT}_default_overlay-${bucket}`;
  expect(policy("overlay-writers")).toEqual([
    {
      effect: "allow",
      permissionGroups: [{ id: "id-of-Workers R2 Storage Bucket Item Write" }],
      resources: JSON.stringify({ [of("state")]: "*", [of("truth")]: "*" }),
    },
  ]);
  expect(policy("overlay-hosts")).toEqual([
    {
      effect: "allow",
      permissionGroups: [{ id: "id-of-Workers R2 Storage Bucket Item Read" }],
      resources: JSON.stringify({ [of("truth")]: "*" }),
    },
  ]);
});

test("a token's S3 key is its id and the hash of its value, both secret; addresses are none", async () => {
  const { outputs } = await stack();
  const secretAccessKey = createHash("sha256").update("value-of-overlay-hosts").digest("hex");
  expect(outputs.hosts).toEqual({ secret: true, value: { accessKeyId: "id-of-overlay-hosts", secretAccessKey } });
  expect(outputs.writers?.secret).toBe(true);
  const tail = `?endpoint=https://${ACCOUNT}.r2.cloudflarestorage.com&region=auto&s3ForcePathStyle=true`;
  expect(outputs.login).toEqual({ secret: false, value: `pulumi login 's3://overlay-state${tail}'` });
  expect(outputs.store).toEqual({ secret: false, value: `s3://overlay-truth${tail}` });
  use({ accessKeyId: "id", secretAccessKey: "secret" });
  expect(new S3Store(outputs.store?.value as string).address).toBe(outputs.store?.value);
});

test("buckets of a jurisdiction are reached by its own name", async () => {
  const { outputs, made } = await stack({ "bootstrap:jurisdiction": "eu", "bootstrap:prefix": "net" });
  expect(outputs.store?.value).toMatch(/^s3:\/\/net-truth\?endpoint=https:\/\/\w+\.eu\.r2\.cloudflarestorage\.com&/);
  expect(made.find(({ name }) => name === "net-hosts")?.inputs.policies[0].resources).toContain("_eu_net-truth");
});
