/** The command-line tool on a source of truth in a folder. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { publish, stale, wanted } from "../../../sdk/truth/publish";
import { prepare, restore } from "../../../sdk/truth/restore";
import { allowedSigners } from "../../../sdk/truth/signature";
import { openStore } from "../../../sdk/truth/store";
import { type Truth, write } from "../../../sdk/truth/write";
import { node } from "../truth/arbitrary";
import { Writers } from "../truth/keys";
import { declared } from "../truth/writing";

const writers = new Writers();
const folder = mkdtempSync(join(tmpdir(), "overlay-truth-cli-"));
afterAll(() => {
  writers.remove();
  rmSync(folder, { recursive: true });
});
const bin = join(__dirname, "../../../bin/overlay");
const overlay = (words: string[], input = "") =>
  spawnSync(bin, ["truth", ...words], { input, encoding: "utf8", cwd: folder });

const keys = { "net/prod": writers.make("prod"), "edge/prod": writers.make("edge") };
const signers = Object.fromEntries(Object.entries(keys).map(([stack, { publicKey }]) => [stack, [publicKey]]));
const at = ["--store", "file://./store"];
const file = join(folder, "store/prod/document.json");

async function say(stack: keyof typeof keys, said: Parameters<typeof declared>[0]): Promise<void> {
  const truth: Truth = { store: openStore(`file://${folder}/store`), network: "prod", signers };
  const { document, before } = await write(truth, { stack, key: keys[stack].key }, declared(said));
  const texts = wanted(document, stack, before);
  const nodes = await stale(truth.store, document, stack, texts);
  await publish(truth.store, "prod", { stack, key: keys[stack].key }, texts, nodes);
}

const ends = (a: string, b: string) =>
  [a, b].map((it, index) => ({ node: it, device: `to-${[a, b][1 - index]}`, port: 11000 + index }));
beforeEach(async () => {
  rmSync(join(folder, "store"), { recursive: true, force: true });
  writeFileSync(join(folder, "signers"), allowedSigners(signers));
  await say("net/prod", { nodes: { lux: node(1), hkg: node(3) }, links: { "lux-hkg": { ends: ends("lux", "hkg") } } });
  await say("edge/prod", { nodes: { fra: node(2) } });
});

test("get prints the document, of today or of then, verified where signers are named", () => {
  expect(overlay(["get", "prod", ...at])).toMatchObject({ status: 0, stderr: "", stdout: readFileSync(file, "utf8") });
  const then = overlay(["get", "prod", ...at, "--serial", "1"]);
  expect(then.stdout).toContain('"serial":1,\n"stacks"');
  expect(then.stdout).not.toContain("edge/prod");
  expect(overlay(["get", "prod", ...at, "--serial", "9"])).toMatchObject({
    status: 1,
    stderr: "overlay: serial 9 of network prod is not kept in file://./store [cli/absent]\n",
  });
  expect(overlay(["get", "prod", ...at, "--signers", "-"], allowedSigners(signers))).toMatchObject({
    status: 0,
    stderr: "",
  });
  const { stderr } = overlay(
    ["get", "prod", ...at, "--signers", "-"],
    allowedSigners({ "net/prod": signers["net/prod"] ?? [] }),
  );
  expect(stderr).toMatch(
    /^overlay: The document of network prod in file:\/\/\.\/store: stacks\["edge\/prod"\]: legal is a part of net\/prod/,
  );
  expect(overlay(["get", "test", ...at]).stderr).toBe(
    "overlay: there is no document of network test in file://./store [cli/absent]\n",
  );
});

test("verify names each stack, and fails for one that is forged, or whose hosts were told something else", () => {
  const verify = () => overlay(["verify", "prod", ...at, "--signers", "signers"]);
  expect(verify()).toMatchObject({ status: 0, stderr: "" });
  expect(verify().stdout.replaceAll(/of \S+Z/g, "of NOW")).toBe(
    "edge/prod: serial 2 of NOW: signed by its key\nnet/prod: serial 1 of NOW: signed by its key\n",
  );
  const hosts = join(folder, "store/prod/hosts");
  cpSync(join(hosts, "lux/net.prod.sig"), join(hosts, "hkg/net.prod.sig"));
  expect(verify()).toMatchObject({
    status: 1,
    stdout: expect.stringMatching(/^net\/prod: the extract of hkg is missing, .*, or not signed by its key$/m),
  });
  writeFileSync(file, readFileSync(file, "utf8").replace("203.0.0.3", "203.0.0.66"));
  expect(verify()).toMatchObject({
    status: 1,
    stdout: expect.stringMatching(
      /^edge\/prod: serial 2 of \S+: a signature of edge\/prod of what its part says, and this one is forged/m,
    ),
  });
});

test("log says who wrote what, the newest first", async () => {
  await say("net/prod", { nodes: { lux: node(1, { portBase: 12_000 }), hkg: node(3) }, links: {} });
  const { stdout, status } = overlay(["log", "prod", ...at]);
  expect(status).toBe(0);
  const seen = stdout.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "NOW").replaceAll(/\{.*\}/g, "{…}");
  expect(seen).toBe(
    [
      "3  NOW  net/prod",
      "    - net/prod: node lux {…}",
      "    - net/prod: link lux-hkg {…}",
      "    + net/prod: node lux {…}",
      "2  NOW  edge/prod",
      "    + edge/prod: prefix 10.255.0.0/16",
      "    + edge/prod: prefix fd00:6f::/48",
      "    + edge/prod: node fra {…}",
      "1  NOW  net/prod",
      "    + net/prod: prefix 10.255.0.0/16",
      "    + net/prod: prefix fd00:6f::/48",
      "    + net/prod: node hkg {…}",
      "    + net/prod: node lux {…}",
      "    + net/prod: link lux-hkg {…}",
      "",
    ].join("\n"),
  );
  rmSync(file);
  rmSync(join(folder, "store/prod/log/00000001.json"));
  expect(overlay(["log", "prod", ...at]).stderr).toBe(
    "overlay: there is no document of network prod in file://./store. Say --from SERIAL: `serial` of a stack's SourceOfTruth is one that was seen. [cli/absent]\n",
  );
  const kept = overlay(["log", "prod", ...at, "--from", "4", "--limit", "3"]);
  expect(kept.stdout).toMatch(/^4 {2}not kept\n3 {2}\S+ {2}net\/prod\n(.*\n)+2 {2}\S+ {2}\?\n$/);
});

const put = (stack: keyof typeof keys, path: string, ...more: string[]) =>
  overlay(["put", "prod", path, ...at, "--stack", stack, "--key", keys[stack].key, ...more]);
const edited = (edit: (text: string) => string): string => {
  writeFileSync(join(folder, "edited.json"), edit(readFileSync(file, "utf8")));
  return "edited.json";
};

test("put shows what differs, asks, signs, writes, and tells the hosts", () => {
  const path = edited((text) => text.replace('"203.0.0.4"', '"192.0.2.4"'));
  const before = readFileSync(file, "utf8");
  expect(put("net/prod", path)).toMatchObject({
    status: 1,
    stderr: "overlay: nobody is there to ask: say --yes to write it all the same [cli/unconfirmed]\n",
  });
  expect(readFileSync(file, "utf8")).toBe(before);
  const asked = (answer: string) =>
    spawnSync(
      "script",
      [
        "-qec",
        `${bin} truth put prod ${path} ${at.join(" ")} --stack net/prod --key ${keys["net/prod"].key}`,
        "/dev/null",
      ],
      { input: answer, encoding: "utf8", cwd: folder },
    );
  expect(asked("n\n").stdout).toMatch(
    /- net\/prod: node hkg .*203\.0\.0\.4.*\r\n\+ net\/prod: node hkg .*192\.0\.2\.4.*\r\n2 lines differ: serial 3, signed by net\/prod\.\r\n.*Write it\? \[y\/N\] .*\r\noverlay: nothing was written/s,
  );
  expect(readFileSync(file, "utf8")).toBe(before);
  expect(asked("y\n").status).toBe(0);
  expect(overlay(["verify", "prod", ...at, "--signers", "signers"])).toMatchObject({ status: 0 });
  expect(readFileSync(join(folder, "store/prod/hosts/lux/net.prod"), "utf8")).toContain(" 192.0.2.4 ");
});

test("put refuses what has faults, all at once, and what another stack did not sign", () => {
  const faulty = edited((text) =>
    text.replace('"203.0.0.4"', '"10.255.0.9"').replace('"portBase":11000', '"portBase":0'),
  );
  expect(put("net/prod", faulty, "--yes").stderr).toMatch(
    /^overlay: stacks\["edge\/prod"\]\.nodes\.fra\.portBase: found 0, .*\nstacks\["net\/prod"\]\.nodes\.hkg\.endpoints\[0\]\.address: found "10\.255\.0\.9"/,
  );
  const forged = edited((text) => text.replace('"203.0.0.3"', '"192.0.2.3"'));
  expect(put("net/prod", forged, "--yes", "--signers", "signers").stderr).toMatch(
    /stacks\["edge\/prod"\]\.signature: legal is a signature of edge\/prod of what its part says, and this one is forged/,
  );
  const without = edited((text) =>
    JSON.stringify({ ...JSON.parse(text), stacks: { "net/prod": JSON.parse(text).stacks["net/prod"] } }),
  );
  expect(put("net/prod", without, "--yes").stderr).toBe(
    "overlay: It takes out edge/prod, and net/prod may only take out itself. [truth/others]\n",
  );
  const stranger = edited((text) => text.replace(/"identity":"\w+"/, `"identity":"${"0".repeat(32)}"`));
  expect(put("net/prod", stranger, "--yes").stderr).toMatch(
    /^overlay: There is another network of the same name in file:/,
  );
});

test("a serial is a whole number, and what is written can be read", async () => {
  for (const above of ["x", "1.5", "-1"]) {
    expect(put("net/prod", edited(String), "--yes", `--above=${above}`).stderr).toMatch(
      /^overlay: option '--above <serial>' argument '.*' is invalid\. Legal is a whole number\. \[cli\/option\]\n$/,
    );
  }
  expect(overlay(["get", "prod", ...at, "--serial", "x"]).stderr).toMatch(/Legal is a whole number/);
  expect(overlay(["log", "prod", ...at, "--limit", "x"]).stderr).toMatch(/Legal is a whole number/);
  const handed = { store: openStore(`file://${folder}/store`), network: "prod", stack: "net/prod", signers };
  const text = readFileSync(file, "utf8");
  await expect(prepare({ ...handed, key: keys["net/prod"].key, above: Number.NaN }, text)).rejects.toThrow(
    /^serial: found null, legal is a number/,
  );
});

test.each([
  ["nothing", () => rmSync(file)],
  ["what cannot be read", () => writeFileSync(file, "{")],
])("a document that somebody wrote while it was asked stays, where there was %s before", async (_, damage) => {
  const handed = { store: openStore(`file://${folder}/store`), network: "prod", stack: "net/prod", signers };
  const text = readFileSync(file, "utf8");
  damage();
  const all = { ...handed, key: keys["net/prod"].key };
  const prepared = await prepare(all, text);
  writeFileSync(file, text);
  await expect(restore(all, prepared)).rejects.toThrow(/^Somebody wrote the document of prod meanwhile\./);
  expect(readFileSync(file, "utf8")).toBe(text);
});

test("a document that was cut off, or lost, is had back from the log", () => {
  const last = overlay(["get", "prod", ...at, "--serial", "2"]).stdout;
  writeFileSync(join(folder, "last.json"), last);
  for (const damage of [() => writeFileSync(file, last.slice(0, 99)), () => rmSync(file)]) {
    damage();
    const { status, stdout } = put("net/prod", "last.json", "--yes", "--signers", "signers", "--above", "7");
    expect([status, stdout]).toEqual([0, expect.stringMatching(/serial \d+, signed by net\/prod\.\n$/)]);
    expect(readFileSync(file, "utf8")).toMatch(/^"serial":8,$/m);
    expect(overlay(["verify", "prod", ...at, "--signers", "signers"])).toMatchObject({ status: 0 });
    rmSync(join(folder, "store/prod/log/00000008.json"));
  }
});
