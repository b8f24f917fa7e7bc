/** `overlay status`: how what was seen is told. That it is seen, tests in the lab show. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import { inParallel } from "../../../sdk/cli/status/look";
import { prometheus } from "../../../sdk/cli/status/prometheus";
import type { Row, Status } from "../../../sdk/cli/status/rows";
import { age, bytes, table } from "../../../sdk/cli/status/table";
import { parseSnapshot } from "../../../sdk/host";
import { expectGolden, golden } from "../golden";
import { deploymentOf } from "./deployment";
import { everything } from "./networks";

const folder = mkdtempSync(join(tmpdir(), "overlay-status-"));
afterAll(() => rmSync(folder, { recursive: true }));

const link: Row = {
  kind: "link",
  link: "lux-fra",
  device: "inter-fra",
  peer: "fra",
  state: "up",
  endpoint: "198.51.100.9:11001",
  why: "declared",
  handshake: 12,
  handshakeAt: 1790000000,
  rx: 1234567,
  tx: 840,
  mtu: { declared: 1420, device: 1420, path: 1420 },
  postQuantum: "healthy",
  guard: 0,
};

/** Of all that may be something. */
const status: Status = {
  stack: "net/prod",
  hosts: [
    {
      name: "fra",
      reachable: false,
      fault: "root@198.51.100.9 cannot be reached: look whether it runs.",
      drift: [],
      rows: [],
    },
    { name: "hkg", reachable: true, drift: [], rows: [] },
    {
      name: "lux",
      reachable: true,
      drift: ["- ip link set dev inter-hkg mtu 1420 group 28417", "+ ip link set dev inter-hkg mtu 1400 group 28417"],
      rows: [
        link,
        {
          ...link,
          link: "lux-hkg",
          device: "inter-hkg",
          peer: "hkg",
          state: "idle",
          endpoint: "[2001:db8:3::7]:11001",
          why: "chosen by the host",
          handshake: 7300,
          mtu: { declared: 1420, device: 1400, path: 1392 },
          postQuantum: "hkg has exchanged no key yet",
          decision: { ago: 240, text: "192.0.2.7:11001 -> [2001:db8:3::7]:11001: 3 probes failed" },
          guard: 17,
        },
        { kind: "link", link: "lux-nas", device: "inter-nas", peer: "nas", state: "down", mtu: { declared: 1420 } },
        {
          kind: "segment",
          link: "lan",
          device: "vx-lan",
          state: "up",
          mtu: { declared: 1370, device: 1370, path: 1370 },
        },
      ],
    },
  ],
};

test.each([
  ["as wide as it likes", "wide.txt", undefined],
  ["120 columns", "120.txt", 120],
  ["60 columns", "60.txt", 60],
  ["40 columns", "40.txt", 40],
])("a table, %s", (_, file, columns) => {
  const text = table(status, { columns, colours: false });
  expectGolden(join(golden, "status", file), text);
  expect(text).not.toContain("\x1b");
  if (columns !== undefined) expect(text.split("\n").filter((line) => line.length > columns)).toEqual([]);
});

test("colours change no letter and no place", () => {
  const painted = table(status, { columns: undefined, colours: true });
  expect(painted).toContain("\x1b[31munreachable\x1b[0m");
  expect(stripVTControlCharacters(painted)).toBe(table(status, { columns: undefined, colours: false }));
});

test("what somebody has named in the words of a terminal is shown, and not obeyed", () => {
  const [, , lux] = status.hosts;
  const named = { stack: "net/prod", hosts: [{ ...lux, name: "\x1b[2Jlux\u0007" } as Status["hosts"][number]] };
  for (const columns of [undefined, 60]) expect(table(named, { columns, colours: false })).not.toMatch(/(?!\n)\p{Cc}/u);
});

test("for Prometheus", () => {
  const [, , lux] = status.hosts;
  const strange = { ...lux, name: 'a\\b"c\nd', rows: [link] } as Status["hosts"][number];
  const text = prometheus({ ...status, hosts: [...status.hosts, strange] });
  expectGolden(join(golden, "status/metrics.prom"), text);
  const sample = /^[a-z_]+\{([a-z]+="([^"\\\n]|\\[\\"n])*",?)+\} -?\d+(\.\d+)?$/;
  expect(
    text
      .trimEnd()
      .split("\n")
      .filter((line) => !line.startsWith("# ") && !sample.test(line)),
  ).toEqual([]);
});

test("bytes and ages have a unit, and few digits", () => {
  expect([0, 999, 1000, 12345, 123456, 9.9e9, 1e18].map(bytes)).toEqual([
    "0 B",
    "999 B",
    "1.0 kB",
    "12.3 kB",
    "123 kB",
    "9.9 GB",
    "1000 PB",
  ]);
  expect([0, 119, 120, 7199, 7200, 172800].map(age)).toEqual(["0 s", "119 s", "2 min", "120 min", "2 h", "2 d"]);
});

test("of what choose.sh has logged, the look has the last of each peer", () => {
  const text = [
    "\x1ewg",
    "\x1edecisions",
    "1790000000.123456 fra (inter-fra): 198.51.100.9:11001 -> [2001:db8::9]:443: 3 probes failed",
    "no decision",
    "\x1eend",
    "",
  ].join("\n");
  expect(parseSnapshot(text, ["decisions"]).decisions).toEqual({
    "fra (inter-fra)": { at: 1790000000, text: "198.51.100.9:11001 -> [2001:db8::9]:443: 3 probes failed" },
  });
});

test("hosts are looked at side by side, and no more of them than are let", async () => {
  let [now, most] = [0, 0];
  const seen: number[] = [];
  await inParallel(
    Array.from({ length: 100 }, (_, n) => n),
    32,
    async (host) => {
      most = Math.max(most, ++now);
      await sleep(1);
      seen.push(host);
      now--;
    },
  );
  expect({ most, seen: seen.length, different: new Set(seen).size }).toEqual({ most: 32, seen: 100, different: 100 });
});

describe("the command", () => {
  const file = join(folder, "state.json");
  beforeAll(async () => writeFileSync(file, await deploymentOf(everything)));
  const overlay = (...words: string[]) => ["status", "--state", file, "--ssh", "false", ...words];
  const bin = join(__dirname, "../../../bin/overlay");
  const run = (...words: string[]) => spawnSync(bin, overlay(...words), { encoding: "utf8" });

  test("a host that cannot be reached is a row, and no failure", () => {
    const { status: code, stdout, stderr } = run("--json");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { stack, hosts } = JSON.parse(stdout) as Status;
    expect({ stack, names: hosts.map(({ name }) => name) }).toEqual({
      stack: "net/prod",
      names: ["fra", "hkg", "lux", "nas", "sgp"],
    });
    for (const host of hosts)
      expect(host).toMatchObject({
        reachable: false,
        fault: expect.stringContaining(`${host.name}.example`),
        drift: [],
        rows: [],
      });
  });

  test("a host's key that is encrypted in state is left to known_hosts", async () => {
    const secret = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", ciphertext: "v1:abc" };
    const key = '"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHereIsTheKeyOfAHost"';
    const text = (await deploymentOf(everything)).replaceAll(key, JSON.stringify(secret));
    expect(text).toContain("v1:abc");
    const { status: code, stdout } = spawnSync(bin, ["status", "--state", "-", "--ssh", "false"], {
      encoding: "utf8",
      input: text,
    });
    expect(code).toBe(0);
    expect(stdout).toContain("  lux.example logs in, but no POSIX shell answers there");
    expect(stdout).not.toContain("v1:abc");
  });

  test("some of the hosts, and one that there is not", () => {
    expect(run("--host", "lux", "nas").stdout).toMatch(
      /^net\/prod: 2 hosts, 2 unreachable\n\nHOST +STATE\nlux +unreachable\nnas +unreachable\n/,
    );
    expect(run("--host", "lux", "tyo")).toMatchObject({
      status: 1,
      stdout: "",
      stderr: "overlay: the stack has no host tyo, only fra, hkg, lux, nas, sgp [cli/host]\n",
    });
  });

  test.each([
    ["--parallel", "none"],
    ["--watch", "0"],
    ["--format", "xml"],
  ])("%s %s is refused", (...words) => {
    expect(run(...words)).toMatchObject({
      status: 1,
      stdout: "",
      stderr: expect.stringContaining(`argument '${words[1]}' is invalid`),
    });
  });

  test("it goes on looking until it is ended, a line of JSON each time", async () => {
    const child = spawn(bin, overlay("--watch", "0.5", "--json", "--host", "lux"), {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let text = "";
    await new Promise<void>((enough) => {
      child.stdout.on("data", (chunk: Buffer) => {
        text += chunk;
        if (text.split("\n").length > 3) enough();
      });
    });
    const ended = new Promise((resolve) => child.on("close", (code) => resolve(code)));
    child.kill("SIGINT");
    expect(await ended).toBe(0);
    const lines = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Status);
    expect(lines.length).toBeGreaterThan(2);
    for (const { hosts } of lines) expect(hosts.map(({ name }) => name)).toEqual(["lux"]);
  });
});
