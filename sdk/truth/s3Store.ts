/**
 * A bucket of R2, MinIO, AWS or anything else that speaks S3 and knows If-Match and If-None-Match of PutObject.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html, https://developers.cloudflare.com/r2/api/s3/api/
 */
import { createHash } from "node:crypto";
import { AwsClient } from "aws4fetch";
import { type Credentials, credentials, NoCredentials } from "../credentials";
import { bucketOf } from "./bucket";
import { MAX_BYTES } from "./document";
import { TruthError } from "./errors";
import type { Store, Stored } from "./store";
import { waiting } from "./waiting";

interface Limits {
  attempts: number;
  /** Milliseconds of one attempt, to the last byte of its answer. */
  timeout: number;
  /** Milliseconds of all. */
  patience: number;
}
const LIMITS: Limits = { attempts: 5, timeout: 10_000, patience: 30_000 };

function ofProfile(profile: string | undefined): Credentials {
  try {
    return credentials(profile);
  } catch (error) {
    if (!(error instanceof NoCredentials)) throw error;
    const set = profile === undefined ? "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or " : "";
    throw new TruthError("truth/denied", `There are no credentials for the store: ${set}${error.message}.`);
  }
}

interface Answer {
  status: number;
  etag: string;
  text: string;
  /** It is the answer to an attempt after one of which nobody knows whether it was carried out. */
  again: boolean;
}

export class S3Store implements Store {
  readonly #base: string;
  readonly #client: AwsClient;
  readonly #limits: Limits;

  constructor(
    readonly address: string,
    limits: Partial<Limits> = {},
  ) {
    const { base, region, profile } = bucketOf(address);
    this.#base = base;
    this.#limits = { ...LIMITS, ...limits };
    this.#client = new AwsClient({ ...ofProfile(profile), region, service: "s3" });
  }

  async get(key: string): Promise<Stored | undefined> {
    const { status, text, etag } = await this.#ask("GET", key);
    if (status === 200) return { text, etag };
    if (status === 404 && !text.includes("NoSuchBucket")) return undefined;
    throw this.#refused(status, text, "read");
  }

  putIfMatch = (key: string, text: string, etag: string) => this.#put(key, text, { "If-Match": etag });
  putIfNone = (key: string, text: string) => this.#put(key, text, { "If-None-Match": "*" });

  async #put(key: string, body: string, condition: Record<string, string>): Promise<string | undefined> {
    const { status, text, etag, again } = await this.#ask("PUT", key, body, condition);
    if (status === 200) return etag;
    // 404: there is nothing that could match. 409: another write was under way (AWS).
    const lost = status === 412 || status === 409 || (status === 404 && !text.includes("NoSuchBucket"));
    if (!lost) throw this.#refused(status, text, "written");
    const stored = again ? await this.get(key) : undefined;
    return stored?.text === body ? stored.etag : undefined;
  }

  async #ask(method: string, key: string, body?: string, headers: Record<string, string> = {}): Promise<Answer> {
    const { attempts, timeout, patience } = this.#limits;
    const until = Date.now() + patience;
    const url = `${this.#base}/${key.split("/").map(encodeURIComponent).join("/")}`;
    let why = "";
    let again = false;
    for (const wait of waiting({ first: 100, most: 2_000, attempts, until })) {
      try {
        const hash = createHash("sha256")
          .update(body ?? "")
          .digest("hex");
        const request = await this.#client.sign(url, {
          method,
          headers: {
            ...headers,
            "X-Amz-Content-Sha256": hash,
            ...(body !== undefined && { "Content-Type": "text/plain" }),
          },
          ...(body !== undefined && { body }),
        });
        const left = Math.min(timeout, Math.max(1, until - Date.now()));
        const response = await fetch(request, { signal: AbortSignal.timeout(left), redirect: "error" });
        const answer = {
          status: response.status,
          etag: response.headers.get("etag") ?? "",
          text: await textOf(response),
          again,
        };
        if (answer.status < 500 && answer.status !== 429) return answer;
        why = `it answered ${answer.status}${codeIn(answer.text)}`;
      } catch (error) {
        if (error instanceof TruthError) throw error;
        why = reason(error, timeout);
      }
      again = true;
      await wait();
    }
    throw new TruthError(
      "truth/unreachable",
      `The store ${this.#base} cannot be used: ${why}. Look whether it is up and reached from here, then run again.`,
    );
  }

  #refused(status: number, text: string, what: string): TruthError {
    const code = codeIn(text);
    if (text.includes("NoSuchBucket")) {
      return new TruthError(
        "truth/address",
        `${this.#base}: there is no such bucket. Make it, or correct the store's address.`,
      );
    }
    if (text.includes("RequestTimeTooSkewed")) {
      return new TruthError("truth/denied", `${this.#base} refuses the clock of this machine${code}. Set it right.`);
    }
    if (status === 401 || status === 403) {
      const cure = "Look whether the token still exists and may do that: a reader's may not write.";
      return new TruthError(
        "truth/denied",
        `${this.#base} cannot be ${what} with these credentials: ${status}${code}. ${cure}`,
      );
    }
    return new TruthError("truth/unreachable", `${this.#base} cannot be ${what}: it answered ${status}${code}.`);
  }
}

/** ` (AccessDenied)`: the code in S3's XML. Nothing else of it: some of them repeat what was sent. */
const codeIn = (text: string): string => {
  const code = /<Code>(\w{1,60})<\/Code>/.exec(text)?.[1];
  return code === undefined ? "" : ` (${code})`;
};

function reason(error: unknown, timeout: number): string {
  const { name, message, cause } = error as Error & { cause?: { code?: string; message?: string } };
  if (name === "TimeoutError" || name === "AbortError") return `it took longer than ${timeout / 1000} s`;
  return cause?.code ?? cause?.message ?? message;
}

/** Nobody has to hold what is too much. */
async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_BYTES) {
      throw new TruthError(
        "truth/unreadable",
        `${response.url} has more than ${MAX_BYTES} bytes, which is no document of a network.`,
      );
    }
  }
  return Buffer.concat(chunks).toString();
}
