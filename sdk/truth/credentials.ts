/** Credentials of S3, where the AWS tools and Pulumi's own S3 backend look for them: the environment, then a profile. */
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { TruthError } from "./errors";

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
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

/** Throws TruthError. A profile that is named goes before the environment. */
export function credentials(profile?: string): Credentials {
  const { env } = process;
  const own = withKeys(env.AWS_ACCESS_KEY_ID, env.AWS_SECRET_ACCESS_KEY, env.AWS_SESSION_TOKEN);
  if (own && profile === undefined) return own;
  const name = profile ?? env.AWS_PROFILE ?? "default";
  const path = env.AWS_SHARED_CREDENTIALS_FILE ?? join(homedir(), ".aws/credentials");
  const settings = profileIn(readOrNothing(path), name);
  const found = withKeys(settings.aws_access_key_id, settings.aws_secret_access_key, settings.aws_session_token);
  if (found) return found;
  throw new TruthError(
    "denied",
    `There are no credentials for the store: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write a profile ${name} into ${path}.`,
  );
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
