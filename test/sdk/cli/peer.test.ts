/** The command-line tool, as a person runs it for a phone. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import jsQR from "jsqr";
import { wgQuick } from "../../../components/peerArgs";

const folder = mkdtempSync(join(tmpdir(), "overlay-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));

const overlay = (words: string[], input = "") =>
  spawnSync(join(__dirname, "../../../bin/overlay"), words, { input, encoding: "utf8", cwd: folder });

const phone = { name: "phone", id: 50, publicKey: "", addresses: ["10.255.0.50", "fd00:6f::50"], routes: [] };
const node = (number: number) => ({
  name: `node-${number}`,
  publicKey: "Z/nQ151/XO7fH+SlX5Ri5Uf10wssuR5ZNx5DfPaOJiM=",
  addresses: [`10.255.0.${number}`, `fd00:6f::${number}`],
  routes: [],
  endpoint: `203.0.113.${number}:11001`,
  keepalive: 25,
});
const nodes = (count: number) => Array.from({ length: count }, (_, n) => node(n + 1));
const text = wgQuick(phone, 1420, nodes(5));
const output = JSON.stringify({ phone: text, laptop: "[Interface]\n" });

const privateKey = () => readFileSync(join(folder, "phone.key"), "utf8").trim();

test("a key is made once, for its owner's eyes alone, and only the public one is shown", () => {
  const made = overlay(["key", "phone.key"]);
  expect(made).toMatchObject({ status: 0, stderr: "", stdout: expect.stringMatching(/^[A-Za-z0-9+/]{43}=\n$/) });
  expect(overlay(["key", "phone.key"])).toMatchObject({ status: 0, stderr: "", stdout: made.stdout });
  expect(statSync(join(folder, "phone.key")).mode & 0o777).toBe(0o600);
  expect(made.stdout).not.toContain(privateKey());
});

test("the public key is the one that `wg pubkey` printed for the same private key", () => {
  writeFileSync(join(folder, "phone.key"), "SJjVGFkcXRFGw8Jd1p+8Dgb/uNBYPbmFgTcA0X1eAEg=\n");
  expect(overlay(["key", "phone.key"]).stdout).toBe("G+C3fpqbH7Os8by7PWNK7E5akhYWhIe3Q8FgH0JLOBE=\n");
});

test("the file has the key in its place, and nothing else is changed", () => {
  const file = overlay(["peer", "phone", "--key", "phone.key"], output);
  expect(file).toMatchObject({ status: 0, stderr: "" });
  expect(file.stdout).toBe(text.replace("<the private key of phone>", privateKey()));
  // Of a link the output is the text itself.
  expect(overlay(["peer", "phone", "--key", "phone.key"], JSON.stringify(text)).stdout).toBe(file.stdout);
});

/** Bright white on black, and what the terminal has by itself: ECMA-48, 8.3.117. */
const [WHITE, PLAIN] = ["\x1b[97;40m", "\x1b[0m"];

/** What a camera sees: a pixel of the terminal's is 4 by 4, white where a block is. */
function picture(printed: string): { data: Uint8ClampedArray; width: number; height: number } {
  const lines = printed.trimEnd().replaceAll(WHITE, "").replaceAll(PLAIN, "").split("\n");
  const rows = lines.flatMap((line) => [
    [...line].map((it) => "█▀".includes(it)),
    [...line].map((it) => "█▄".includes(it)),
  ]);
  const [width, height] = [(rows[0]?.length ?? 0) * 4, rows.length * 4];
  const data = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      if (!rows[y >> 2]?.[x >> 2]) data.fill(0, (y * width + x) * 4, (y * width + x) * 4 + 3);
  return { data, width, height };
}

test("the code on the terminal is that file", () => {
  const file = overlay(["peer", "phone", "--key", "phone.key"], output).stdout;
  const code = overlay(["peer", "phone", "--key", "phone.key", "--qr"], output);
  expect(code).toMatchObject({ status: 0, stderr: "" });
  expect(code.stdout).not.toContain(privateKey());
  // White on black is said, not left to the terminal.
  for (const line of code.stdout.trimEnd().split("\n"))
    expect([line.startsWith(WHITE), line.endsWith(PLAIN)]).toEqual([true, true]);
  const { data, width, height } = picture(code.stdout);
  expect(jsQR(data, width, height)?.data).toBe(file);
});

test("where the key is missing it is made beside, and its public key told; the private one is in no other file", () => {
  const made = overlay(["peer", "phone", "--key", "new.key"], output);
  const key = readFileSync(join(folder, "new.key"), "utf8").trim();
  expect(made.stdout).toContain(`PrivateKey = ${key}\n`);
  const { stdout: publicKey } = overlay(["key", "new.key"]);
  expect(made.stderr).toBe(`overlay: made new.key; its public key, to be declared: ${publicKey}`);
  expect(readdirSync(folder).sort()).toEqual(["new.key", "phone.key"]);
});

test("what cannot be done is said in a sentence, without the key", () => {
  const said = (words: string[], input = output): string => {
    const { status, stdout, stderr } = overlay(words, input);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    return stderr;
  };
  const peer = ["peer", "phone", "--key", "phone.key"];
  expect(said(["peer", "tablet", "--key", "phone.key"])).toBe(
    "overlay: the output has no file for tablet, only for phone, laptop [cli/option]\n",
  );
  expect(said(peer, "")).toContain("standard input is no JSON: pipe `pulumi stack output NAME --json` into this");
  expect(said(["peer", "laptop", "--key", "phone.key"])).toContain("give what output wgQuick says");
  const large = JSON.stringify({ phone: wgQuick(phone, 1420, nodes(20)) });
  expect(said([...peer, "--qr"], large)).toMatch(/^overlay: the file has \d+ bytes, and a QR code holds 2953: carry/);
  const secret = "SJjVGFkcXRFGw8Jd1p+8Dgb/uNBYPbmFgTcA0X1eAEg";
  writeFileSync(join(folder, "bad.key"), `${secret}\n`, { mode: 0o644 });
  const bad = said(["peer", "phone", "--key", "bad.key"]);
  expect(bad).toContain("bad.key holds no WireGuard private key");
  expect(bad).not.toContain(secret);
  writeFileSync(join(folder, "bad.key"), `${secret}=\n`);
  expect(overlay(["key", "bad.key"]).stderr).toBe("overlay: others may read bad.key: chmod 600 bad.key\n");
});
