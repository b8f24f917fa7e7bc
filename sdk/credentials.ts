/** Credentials of S3, where the AWS tools and Pulumi's own S3 backend look for them: the environment, then a profile. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** There are none; the message is the cure, `write a profile …`. */
export class NoCredentials extends Error {
  override readonly name = "NoCredentials";
}

/** The settings of a profile, https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.html */
function profileIn(text: string, wanted: string): Record<string, string> {
  const settings: Record<string, string> = {};
  let profile = "";
  for (const line of text.split("\n")) {
    profile = /^\s*\[\s*(?:profile\s+)?([^\]]*?)\s*\]/.exec(line)?.[1] ?? profile;
    const [, name, value] = /^\s*(\w+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (profile === wanted && name !== undefined && value !== undefined) settings[name] = value;
  }
  return settings;
}

function withKeys(id?: string, secret?: string, token?: string): Credentials | undefined {
  if (!id || !secret) return undefined;
  return { accessKeyId: id, secretAccessKey: secret, ...(token && { sessionToken: token }) };
}

const profilesFile = (): string => process.env.AWS_SHARED_CREDENTIALS_FILE ?? join(homedir(), ".aws/credentials");

/** Throws NoCredentials. */
export function profileCredentials(name: string): Credentials {
  const path = profilesFile();
  const settings = profileIn(readOrNothing(path), name);
  const found = withKeys(settings.aws_access_key_id, settings.aws_secret_access_key, settings.aws_session_token);
  if (found) return found;
  throw new NoCredentials(`write a profile ${name} into ${path}, with its aws_access_key_id and aws_secret_access_key`);
}

/** Throws NoCredentials. A profile that is named goes before the environment. */
export function credentials(profile?: string): Credentials {
  const { env } = process;
  const own = withKeys(env.AWS_ACCESS_KEY_ID, env.AWS_SECRET_ACCESS_KEY, env.AWS_SESSION_TOKEN);
  return own && profile === undefined ? own : profileCredentials(profile ?? env.AWS_PROFILE ?? "default");
}

const quoted = (text: string): string => `"${text.replace(/["\\]/g, "\\$&")}"`;

/** A file that curl(1) reads them from (--config). */
export const forCurl = ({ accessKeyId, secretAccessKey, sessionToken }: Credentials): string =>
  [
    `user = ${quoted(`${accessKeyId}:${secretAccessKey}`)}`,
    ...(sessionToken === undefined ? [] : [`header = ${quoted(`X-Amz-Security-Token: ${sessionToken}`)}`]),
    "",
  ].join("\n");

/** What tells such a file from another, and tells nobody what is in it: a secret of S3 has 240 random bits and more. */
export const fingerprint = (of: Credentials): string => createHash("sha256").update(forCurl(of)).digest("hex");

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
