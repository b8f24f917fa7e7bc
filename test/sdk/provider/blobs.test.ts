/** Bytes that hosts are given: from where they come, and that none but the right ones are sent. */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gunzipSync } from "node:zlib";
import type { Blob } from "../../../sdk/kernel";
import { Blobs } from "../../../sdk/provider/blobs";
import { failure } from "./client";
import { ModelMachine } from "./model-machine";

const bytes = Buffer.from([0, 1, 2, 10, 0, 255]);
const sha256 = createHash("sha256").update(bytes).digest("hex");
const folder = mkdtempSync(join(tmpdir(), "overlay-test-"));
const path = join(folder, "program");
writeFileSync(path, bytes);

function* endless() {
  for (;;) yield Buffer.alloc(2 ** 20);
}

let server: Server;
let asked = 0;
let base = "";
beforeAll(async () => {
  server = createServer(({ url }, response) => {
    asked++;
    if (url === "/endless") return void Readable.from(endless()).pipe(response);
    if (url === "/moved" || url === "/round") {
      return void response.writeHead(302, { location: url === "/moved" ? "/program" : url }).end();
    }
    response.statusCode = url === "/program" ? 200 : 404;
    response.end(url === "/program" ? bytes : "none");
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
  rmSync(folder, { recursive: true });
});

const blob = (from: Blob["from"], more: Partial<Blob> = {}): Blob => ({ sha256, from, what: "the program", ...more });
/** A host with this public key. */
const host = (key: Buffer) => Object.assign(new ModelMachine(), { publicKey: async () => key });
const filled = (it: Blob, other?: ModelMachine) =>
  new Blobs().filled([`decode 0755 /p ${sha256}`, "ip link"], [it], other, {});

test("from a file, an address or the other host the command gets what it is about, and no other command does", async () => {
  for (const from of [{ path }, { url: `${base}/program` }, "other"] as const) {
    const [decode = "", other] = await filled(blob(from), host(bytes));
    expect(decode).toBe(`decode 0755 /p ${sha256} ${bytes.toString("base64")}`);
    expect(other).toBe("ip link");
  }
});

test("what can be packed travels so", async () => {
  const program = Buffer.alloc(10_000, "program");
  writeFileSync(join(folder, "large"), program);
  const hash = createHash("sha256").update(program).digest("hex");
  const text = await new Blobs().text(blob({ path: join(folder, "large") }, { sha256: hash }), undefined, {});
  expect(gunzipSync(Buffer.from(text.replace(/^gz:/, ""), "base64"))).toEqual(program);
});

test("what is another, is of another size, or cannot be had is refused, each with where and why", async () => {
  const other = host(Buffer.from("another"));
  const wrong = { sha256: "0".repeat(64) };
  const blobs = [
    blob({ path }, wrong),
    blob({ url: `${base}/program` }, wrong),
    blob("other"),
    blob({ path }, { size: 524160 }),
    blob({ path: join(folder, "none") }),
    blob({ url: `${base}/none` }),
  ];
  const said = await Promise.all(blobs.map((it) => failure(new Blobs().text(it, other, {}))));
  expect(
    said.map(({ message }) => message.replaceAll(folder, "FOLDER").replaceAll(base, "BASE").replaceAll(sha256, "HASH")),
  ).toMatchInlineSnapshot(`
[
  "the program from FOLDER/program has the SHA-256 HASH, and 0000000000000000000000000000000000000000000000000000000000000000 was declared: correct the hash where that is the right one, or get the right file.",
  "the program from BASE/program has the SHA-256 HASH, and 0000000000000000000000000000000000000000000000000000000000000000 was declared: correct the hash where that is the right one, or get the right file.",
  "the program from root@model has the SHA-256 ae448ac86c4e8e4dec645729708ef41873ae79c6dff84eff73360989487f08e5, and HASH was declared: the host has another key by now, as after a restore of a backup: \`pulumi refresh\` sees that, and the next \`pulumi up\` tells the others.",
  "the program from FOLDER/program has 6 bytes, legal are 524160: a key of rosenpass 0.2, in no other form.",
  "the program cannot be read from FOLDER/none: ENOENT: no such file or directory, open 'FOLDER/none'.",
  "the program cannot be read from BASE/none: the answer is 404 Not Found.",
]
`);
  expect((await failure(filled(blob("other")))).message).toBe(
    "the program cannot be asked for: nothing says how its host is reached.",
  );
});

test("an address may lead to another, but not in a circle nor out of TLS, and what is too large is not read to its end", async () => {
  expect((await filled(blob({ url: `${base}/moved` })))[0]).toContain(bytes.toString("base64"));
  const real = fetch;
  const tls = jest.spyOn(globalThis, "fetch").mockImplementation(async (url, options) => {
    if (!String(url).startsWith("https:")) return real(url, options);
    return new Response(null, { status: 301, headers: { location: `${base}/program?token=secret` } });
  });
  const urls = [`${base}/round`, `${base}/endless`, "https://example.com/rosenpass"];
  const said = await Promise.all(urls.map((url) => failure(filled(blob({ url })))));
  tls.mockRestore();
  expect(said.map(({ message }) => message.replaceAll(base, "BASE"))).toEqual([
    "the program cannot be read from BASE/round: it leads on more than 5 times.",
    "the program cannot be read from BASE/endless: it has more than 67108864 bytes.",
    "the program cannot be read from https://example.com/rosenpass: it leads to BASE, out of TLS.",
  ]);
});

test("each is read once a run, and once more where it was not to be had", async () => {
  const blobs = new Blobs();
  asked = 0;
  const it = blob({ url: `${base}/program` });
  await Promise.all([blobs.text(it, undefined, {}), blobs.text(it, undefined, {})]);
  expect(asked).toBe(1);
  const late = blob({ path: join(folder, "late") }, { sha256: createHash("sha256").update("late").digest("hex") });
  await failure(blobs.text(late, undefined, {}));
  writeFileSync(join(folder, "late"), "late");
  expect(await blobs.text(late, undefined, {})).toBe(Buffer.from("late").toString("base64"));
});
