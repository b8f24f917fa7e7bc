import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { FileStore } from "../../../sdk/truth/fileStore";
import { openStore } from "../../../sdk/truth/store";
import { keepsToTheContract } from "./contract";

const folder = mkdtempSync(join(tmpdir(), "overlay-store-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const open = () => openStore(`file://${folder}`);

keepsToTheContract(open, () => "prod");

test("nothing but what was written is left in the folder", async () => {
  await open().putIfNone("tidy/document.json", "1");
  await open().putIfNone("tidy/document.json", "2");
  expect(readdirSync(join(folder, "tidy"))).toEqual(["document.json"]);
});

/** What is in the lock of a process that is no more. */
function ended(): string {
  const program = "JSON.stringify({ host: os.hostname(), pid: process.pid, run: 'x' })";
  return execFileSync(process.execPath, ["-p", program], { encoding: "utf8" });
}

test.each([
  ["wrote", ["a.lock"]],
  ["took such a lock away", ["a.lock", "a.lock.break"]],
  ["took the lock of one who did so away", ["a.lock", "a.lock.break", "a.lock.break.break"]],
])("a process that was killed while it %s holds nobody up", async (_, locks) => {
  const at = mkdtempSync(join(folder, "killed-"));
  for (const name of locks) writeFileSync(join(at, name), ended());
  const all = ["1", "2", "3", "4"].map((text) => openStore(`file://${at}`).putIfNone("a", text));
  expect((await Promise.all(all)).filter((it) => it !== undefined)).toHaveLength(1);
  expect(readdirSync(at)).toEqual(["a"]);
});

test("the lock of one that lives, or of another machine, is waited for, and in the end named", async () => {
  mkdirSync(join(folder, "held"));
  const store = new FileStore(`file://${folder}`, 300);
  for (const holder of [
    { host: hostname(), pid: process.pid },
    { host: "elsewhere", pid: 2 ** 22 },
  ]) {
    writeFileSync(join(folder, "held/a.lock"), JSON.stringify(holder));
    await expect(store.putIfNone("held/a", "1")).rejects.toThrow(
      new RegExp(
        `held/a.lock is held by another run for more than 0.3 s: .*"host":"${holder.host}".*If that has ended, remove the file`,
      ),
    );
  }
  const late = open().putIfNone("held/a", "1");
  setTimeout(() => rmSync(join(folder, "held/a.lock")), 100);
  expect(await late).toBeDefined();
});

test("a process that is killed while it writes leaves the old text or the new one", async () => {
  const store = new FileStore(`file://${folder}`);
  const text = (fill: string) => fill.repeat(2_000_000);
  await store.putIfNone("cut/document.json", text("a"));
  const program = `
    const { FileStore } = require(${JSON.stringify(join(__dirname, "../../../dist/sdk/truth/fileStore.js"))});
    const store = new FileStore("file://${folder}");
    (async () => { for (let i = 0; ; i++) {
      const { etag } = await store.get("cut/document.json");
      await store.putIfMatch("cut/document.json", (i % 2 ? "a" : "b").repeat(2_000_000), etag);
    } })();`;
  for (const after of [150, 163, 177, 191, 205]) {
    expect(() => execFileSync(process.execPath, ["-e", program], { timeout: after, killSignal: "SIGKILL" })).toThrow();
    const { text: found, etag } = (await store.get("cut/document.json")) ?? { text: "", etag: "" };
    expect([text("a"), text("b")].includes(found)).toBe(true);
    expect(await store.putIfMatch("cut/document.json", text("a"), etag)).toBeDefined();
  }
  expect(existsSync(join(folder, "cut/document.json.lock"))).toBe(false);
});

test("what may not be written says so", async () => {
  const asRoot = process.getuid?.() === 0;
  mkdirSync(join(folder, "closed"));
  if (asRoot) writeFileSync(join(folder, "closed/x"), "");
  else chmodSync(join(folder, "closed"), 0o500);
  // Root may write anywhere but into what is no folder.
  await expect(open().putIfNone(asRoot ? "closed/x/y/z" : "closed/y", "1")).rejects.toThrow(
    /closed.* cannot be written: /,
  );
});

test("an address is a path, of this folder or from the root", async () => {
  const before = process.cwd();
  try {
    process.chdir(folder);
    await openStore("file://./relative").putIfNone("a", "1");
  } finally {
    process.chdir(before);
  }
  expect(readFileSync(join(folder, "relative/a"), "utf8")).toBe("1");
  expect(() => openStore("ftp://x")).toThrow(/"ftp:\/\/x" is no store: legal is file:\/\/FOLDER, or s3:\/\/BUCKET/);
});
