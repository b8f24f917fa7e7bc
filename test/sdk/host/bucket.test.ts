/** A bucket as strict as R2 and S3 is read by the part of the agent that fetches, with the machine's own curl(1). */
import { execFile } from "node:child_process";
import { createHash, createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { agentPath } from "../../../sdk/host/agents";

const run = promisify(execFile);
const [ID, SECRET, TOKEN] = ["overlay-id", "overlay-secret", "overlay-session"];
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();

/** What is wrong with a request without a body, by the signing process of AWS (Signature Version 4); nothing where all is right. */
function wrong({ method, url, headers, rawHeaders }: IncomingMessage): string | undefined {
  const found =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8}\/auto\/s3\/aws4_request), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? "",
    );
  if (!found) return `authorization: ${headers.authorization}`;
  const [, id, scope = "", signed = "", signature] = found;
  if (id !== ID) return `signed by ${id}`;
  const sent = rawHeaders.filter((_, index) => index % 2 === 0).map((it) => it.toLowerCase());
  for (const name of ["host", ...sent.filter((it) => it.startsWith("x-amz-"))]) {
    if (!signed.split(";").includes(name)) return `${name} is not signed`;
    if (sent.filter((it) => it === name).length !== 1) return `${name} is there more than once`;
  }
  if (headers["x-amz-content-sha256"] !== sha256("")) return "x-amz-content-sha256 is not that of no content";
  const named = signed.split(";").map((name) => `${name}:${headers[name]}\n`);
  const request = [method, url, "", named.join(""), signed, sha256("")].join("\n");
  const text = ["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, sha256(request)].join("\n");
  const key = scope.split("/").reduce<string | Buffer>((with_, word) => hmac(with_, word), `AWS4${SECRET}`);
  return hmac(key, text).toString("hex") === signature ? undefined : "the signature is another";
}

describe("a bucket that insists on all of a signature", () => {
  const folder = mkdtempSync(join(tmpdir(), "strict-bucket-"));
  let server: Server;
  let refused: (string | undefined)[] = [];

  /** What the agent has of an object, or why not. */
  async function fetched(...credentials: string[]): Promise<string> {
    writeFileSync(join(folder, "truth"), `${credentials.join("\n")}\n`);
    const { port } = server.address() as AddressInfo;
    const script = `. "$1/documents.sh"; keys=$2; from_s3 "$3" auto "$2/got" && cat "$2/got" || echo "$cause"`;
    const url = `http://127.0.0.1:${port}/truth/lab/hosts/lux/net.prod`;
    const { stdout } = await run("sh", ["-c", script, "sh", agentPath("choose"), folder, url], {
      env: { PATH: process.env.PATH },
    });
    return stdout;
  }

  beforeAll(async () => {
    server = createServer((request, answer) => {
      const why = wrong(request);
      refused.push(why);
      answer.writeHead(why === undefined ? 200 : 403).end(`${why ?? "overlay-extract 1"}\n`);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  beforeEach(() => {
    refused = [];
  });
  afterAll(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });

  test.each([
    ["a lasting key", []],
    ["a key of a session", [`header = "X-Amz-Security-Token: ${TOKEN}"`]],
  ])("is read with %s: the hash of the content is there once, and signed", async (_, more) => {
    const text = await fetched(`user = "${ID}:${SECRET}"`, ...more);
    expect(refused).toEqual([undefined]);
    expect(text).toBe("overlay-extract 1\n");
  });

  test("does not give it to another key", async () => {
    expect(await fetched(`user = "${ID}:other"`)).toBe("HTTP 403\n");
    expect(refused).toEqual(["the signature is another"]);
  });
});
