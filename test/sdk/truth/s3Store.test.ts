/** A store that is ill: a server that answers as a bucket does on its bad days. */
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { formatWithCodes, parse } from "../../../sdk/faults";
import { MAX_BYTES } from "../../../sdk/truth/document";
import { S3Store } from "../../../sdk/truth/s3Store";
import { storeField } from "../../../sdk/truth/store";
import { use } from "./minio";

const SECRET = "a-secret-that-nobody-may-see";
beforeEach(() => use({ accessKeyId: "id", secretAccessKey: SECRET }));

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function answering(listener: RequestListener, limits = {}): Promise<S3Store> {
  server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  return new S3Store(`s3://truth?endpoint=http://127.0.0.1:${port}&region=auto`, { attempts: 3, ...limits });
}
const said = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "nothing",
    (error: Error) => error.message,
  );
const xml = (code: string) => `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${SECRET}</Message></Error>`;

test.each([
  [
    500,
    "InternalError",
    3,
    /cannot be used: it answered 500 \(InternalError\)\. Look whether it is up and reached from here, then run again\./,
  ],
  [503, "SlowDown", 3, /cannot be used: it answered 503 \(SlowDown\)/],
  [429, "TooManyRequests", 3, /cannot be used: it answered 429/],
  [403, "AccessDenied", 1, /cannot be read with these credentials: 403 \(AccessDenied\)/],
  [401, "Unauthorized", 1, /cannot be read with these credentials: 401 \(Unauthorized\)/],
  [403, "RequestTimeTooSkewed", 1, /refuses the clock of this machine \(RequestTimeTooSkewed\)\. Set it right\./],
  [400, "InvalidRegionName", 1, /cannot be read: it answered 400 \(InvalidRegionName\)/],
])("%i %s: %i attempts, and a reason", async (status, code, attempts, reason) => {
  let asked = 0;
  const store = await answering((_, response) => {
    asked++;
    response.writeHead(status).end(xml(code));
  });
  const message = await said(store.get("prod/document.json"));
  expect(message).toMatch(reason);
  expect(message).not.toContain(SECRET);
  expect(asked).toBe(attempts);
});

test("what fails once is tried again", async () => {
  let asked = 0;
  const store = await answering((_, response) => {
    if (asked++ === 0) response.writeHead(503).end();
    else response.writeHead(200, { etag: '"x"' }).end("text");
  });
  expect(await store.get("a")).toEqual({ text: "text", etag: '"x"' });
});

test("a store that says nothing, or that drips, is given up in time", async () => {
  const limits = { timeout: 150, patience: 600 };
  const silent = await answering(() => undefined, limits);
  let began = Date.now();
  expect(await said(silent.get("a"))).toMatch(/cannot be used: it took longer than 0.15 s/);
  expect(Date.now() - began).toBeLessThan(2_000);
  server?.closeAllConnections();
  server?.close();
  const dripping = await answering(async (_, response) => {
    response.writeHead(200, { etag: '"x"' });
    for (let drops = 0; drops < 100 && !response.destroyed; drops++) {
      response.write("x");
      await sleep(50);
    }
  }, limits);
  began = Date.now();
  expect(await said(dripping.get("a"))).toMatch(/cannot be used: it took longer/);
  expect(Date.now() - began).toBeLessThan(2_000);
});

test("nobody there", async () => {
  const store = await answering(() => undefined);
  server?.close();
  expect(await said(store.get("a"))).toMatch(/cannot be used: ECONNREFUSED/);
});

test("more than any document is not read to its end", async () => {
  let sent = 0;
  function* endless() {
    for (; sent < 2 ** 30; sent += 2 ** 20) yield "x".repeat(2 ** 20);
  }
  const store = await answering((_, response) => void Readable.from(endless()).pipe(response));
  expect(await said(store.get("a"))).toMatch(/has more than 16777216 bytes, which is no document of a network/);
  expect(sent).toBeLessThan(3 * MAX_BYTES);
});

test("a write whose answer was lost is not taken for a lost race", async () => {
  let text = "";
  let writes = 0;
  const store = await answering(async (request, response) => {
    if (request.method === "GET") return void response.writeHead(200, { etag: '"new"' }).end(text);
    if (writes++ > 0) return void response.writeHead(412).end(xml("PreconditionFailed"));
    for await (const chunk of request) text += chunk;
    response.destroy();
  });
  expect(await store.putIfMatch("a", "what was written", '"old"')).toBe('"new"');
  expect(writes).toBe(2);
});

test("a lost race is no error, and asked for once", async () => {
  let asked = 0;
  const store = await answering((_, response) => {
    asked++;
    response.writeHead(412).end(xml("PreconditionFailed"));
  });
  expect(await store.putIfMatch("a", "x", '"old"')).toBeUndefined();
  expect(asked).toBe(1);
});

test("conditions and a checksum of the content go along", async () => {
  const headers: unknown[] = [];
  const store = await answering((request, response) => {
    headers.push([
      request.headers["if-match"],
      request.headers["if-none-match"],
      request.headers["x-amz-content-sha256"],
    ]);
    expect(request.url).toBe("/truth/prod/hosts/fra/net.prod");
    response.writeHead(200, { etag: '"x"' }).end();
  });
  await store.putIfMatch("prod/hosts/fra/net.prod", "", '"old"');
  await store.putIfNone("prod/hosts/fra/net.prod", "");
  const none = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  expect(headers).toEqual([
    ['"old"', undefined, none],
    [undefined, "*", none],
  ]);
});

test.each([
  ["s3://", /has no bucket: legal is file:/],
  ["s3://truth?endpont=https://x", /has endpont, and known are endpoint, region, profile,/],
])("an address that is none: %s", (address, reason) => {
  expect(() => new S3Store(address)).toThrow(reason);
});

test.each([
  `s3://id:${SECRET}@truth`,
  `s3://id:${SECRET}/x@truth/net?region=auto`,
  `s3://truth?endpoint=https://id:${SECRET}@acc.example`,
  `s3://truth?endpoint=https%3A%2F%2Fid:${SECRET}%40acc.example`,
])("credentials in an address are refused, and not repeated: %#", (address) => {
  const told = "There are credentials in the store's address, where all can read them.";
  expect(() => new S3Store(address)).toThrow(
    `${told} Take them out, revoke them, and give new ones in the environment or a profile.`,
  );
  const result = parse(z.object({ store: storeField }), { store: address });
  expect("faults" in result && formatWithCodes(result.faults)).toBe(
    "store: legal is an address without credentials, and so without `@`; take them out, revoke them, and give new ones as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or a profile. [input/value]",
  );
});
