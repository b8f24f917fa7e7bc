/** Where a bucket is, in the words of Pulumi's own backend. */
import { TruthError } from "./errors";
import { ADDRESSES, credentialsIn } from "./store";

/** `s3ForcePathStyle`, `use_path_style` and `disable_https` are Pulumi's, so that one address serves both. */
const OPTIONS = ["endpoint", "region", "profile", "s3ForcePathStyle", "use_path_style", "disable_https"];

export interface Bucket {
  /** Over HTTP, without a slash at the end: `https://ACCOUNT.r2.cloudflarestorage.com/BUCKET/FOLDER`. */
  base: string;
  region: string;
  /** Of the AWS tools; absent: the environment's credentials, or its profile's. */
  profile?: string;
}

/** What `s3://BUCKET/FOLDER?…` stands for. Throws TruthError. */
export function bucketOf(address: string): Bucket {
  if (credentialsIn(address)) {
    const cure = "Take them out, revoke them, and give new ones in the environment or a profile.";
    throw new TruthError(
      "truth/address",
      `There are credentials in the store's address, where all can read them. ${cure}`,
    );
  }
  const url = URL.parse(address);
  const unknown = [...(url?.searchParams.keys() ?? [])].filter((name) => !OPTIONS.includes(name));
  if (!url || url.hostname === "" || unknown.length > 0) {
    const what =
      unknown.length > 0 ? `has ${unknown.join(", ")}, and known are ${OPTIONS.join(", ")}` : "has no bucket";
    throw new TruthError("truth/address", `${address} ${what}: legal is ${ADDRESSES}.`);
  }
  const option = (name: string) => url.searchParams.get(name) ?? undefined;
  const region = option("region") ?? process.env.AWS_REGION ?? "auto";
  const given = option("endpoint") ?? `s3.${region}.amazonaws.com`;
  const endpoint = /^https?:\/\//.test(given)
    ? given
    : `http${option("disable_https") === "true" ? "" : "s"}://${given}`;
  const folder = url.pathname.replace(/^\/|\/$/g, "");
  const base = [endpoint.replace(/\/$/, ""), url.hostname, ...(folder === "" ? [] : [folder])].join("/");
  const profile = option("profile");
  return { base, region, ...(profile !== undefined && { profile }) };
}
