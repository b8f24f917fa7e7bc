/** An S3 server for a test: MinIO on a free port of loopback, with a folder of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { AwsClient } from "aws4fetch";

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

export interface Access {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

const ROOT: Access = { accessKeyId: "overlay-test", secretAccessKey: "overlay-test-secret" };

export class Minio {
  #process: ChildProcess | undefined;

  private constructor(
    readonly folder: string,
    readonly port: number,
    public root: Access,
  ) {}

  static async start(): Promise<Minio> {
    const minio = new Minio(await mkdtemp(join(tmpdir(), "overlay-minio-")), await freePort(), ROOT);
    await minio.#run();
    await minio.makeBucket("truth");
    return minio;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** A store's address. */
  address = (folder = "", bucket = "truth"): string =>
    `s3://${bucket}/${folder}?endpoint=${this.endpoint}&region=us-east-1&s3ForcePathStyle=true`;

  /** As if its owner had revoked all keys and made others. */
  async restart(root: Access = this.root): Promise<void> {
    await this.stop();
    this.root = root;
    await this.#run();
  }

  async #run(): Promise<void> {
    const args = ["server", this.folder, "--quiet", "--address", `127.0.0.1:${this.port}`];
    const env = {
      ...process.env,
      MINIO_ROOT_USER: this.root.accessKeyId,
      MINIO_ROOT_PASSWORD: this.root.secretAccessKey,
      MINIO_BROWSER: "off",
      MINIO_UPDATE: "off",
      MINIO_CALLHOME_ENABLE: "off",
    };
    this.#process = spawn("minio", args, { env, stdio: "ignore" });
    for (let tries = 0; tries < 300; tries++) {
      const up = await fetch(`${this.endpoint}/minio/health/ready`).catch(() => undefined);
      if (up?.ok) return;
      await sleep(100);
    }
    throw new Error("MinIO does not start");
  }

  #client = (service = "s3"): AwsClient => new AwsClient({ ...this.root, region: "us-east-1", service });

  async makeBucket(name: string): Promise<void> {
    const { status } = await this.#client().fetch(`${this.endpoint}/${name}`, { method: "PUT" });
    if (status !== 200) throw new Error(`no bucket: ${status}`);
  }

  /** A token that may do with the bucket what is named, such as `s3:GetObject`. */
  async token(...actions: string[]): Promise<Access> {
    const resources = ["arn:aws:s3:::truth", "arn:aws:s3:::truth/*"];
    const policy = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: actions, Resource: resources }] };
    const body = new URLSearchParams({
      Action: "AssumeRole",
      Version: "2011-06-15",
      DurationSeconds: "3600",
      Policy: JSON.stringify(policy),
    }).toString();
    const answer = await this.#client("sts").fetch(this.endpoint, {
      method: "POST",
      body,
      headers: {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Amz-Content-Sha256": createHash("sha256").update(body).digest("hex"),
      },
    });
    const text = await answer.text();
    const of = (name: string) => new RegExp(`<${name}>([^<]+)<`).exec(text)?.[1] ?? "";
    if (of("AccessKeyId") === "") throw new Error(`no token: ${answer.status} ${text}`);
    return {
      accessKeyId: of("AccessKeyId"),
      secretAccessKey: of("SecretAccessKey"),
      sessionToken: of("SessionToken"),
    };
  }

  async stop(): Promise<void> {
    const running = this.#process;
    this.#process = undefined;
    if (!running || running.exitCode !== null) return;
    running.kill("SIGKILL");
    await once(running, "exit");
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Has the process use these credentials. */
export function use({ accessKeyId, secretAccessKey, sessionToken }: Access): void {
  process.env.AWS_ACCESS_KEY_ID = accessKeyId;
  process.env.AWS_SECRET_ACCESS_KEY = secretAccessKey;
  if (sessionToken === undefined) delete process.env.AWS_SESSION_TOKEN;
  else process.env.AWS_SESSION_TOKEN = sessionToken;
}
