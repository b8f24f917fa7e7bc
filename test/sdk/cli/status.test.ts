/** `overlay status`: how what was seen is told. That it is seen, tests in the lab show. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { OverlayNode } from "../../../components";
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
  mtu: { declared: 1420, device: 1420 },
  postQuantum: { mode: "strict", health: "healthy" },
};
const nothing = { drift: [], guards: [], decisions: [], rows: [] };

/** Of all that may be something. */
const status: Status = {
  stack: "net/prod",
  hosts: [
    {
      ...nothing,
      name: "fra",
      reachable: false,
      fault: "root@198.51.100.9 cannot be reached: look whether it runs.",
    },
    { ...nothing, name: "hkg", reachable: true, guards: [{ packets: 0 }], age: 2 },
    {
      name: "lux",
      reachable: true,
      age: 34,
      drift: ["- ip link set dev inter-hkg mtu 1420 group 28417", "+ ip link set dev inter-hkg mtu 1400 group 28417"],
      guards: [{ device: "inter-fra", packets: 0 }, { device: "inter-hkg", packets: 17 }, { packets: 3 }],
      decisions: [
        {
          ...{ peer: "hkg", device: "inter-hkg", at: 1789999760, ago: 240 },
          text: "192.0.2.7:11001 -> [2001:db8:3::7]:11001: 3 probes failed",
        },
        {
          ...{ peer: "sgp", device: "inter-fra", at: 1790000000, ago: 0, relay: { to: "10.255.0.5/32", by: "fra" } },
          text: "10.255.0.5/32 by way of fra, as net/prod says: metric 8194 src 10.255.0.1",
        },
      ],
      rows: [
        { ...link, mtu: { declared: 1420, device: 1420, path: 1420, measured: true } },
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
          postQuantum: { mode: "permissive", health: "hkg has exchanged no key yet" },
        },
        {
          ...{ kind: "link", link: "lux-nas", device: "inter-nas", peer: "nas", state: "down" },
          ...{ missing: "inter-nas is not there", mtu: { declared: 1420 } },
        },
        {
          ...{ kind: "relay", link: "lux-fra", device: "inter-fra", peer: "sgp", by: "fra", state: "up" },
          ...{ why: "chosen by the host", mtu: { declared: 1380 } },
        },
        {
          ...{ kind: "segment", link: "lan", device: "vx-lan", state: "up", mtu: { declared: 1370, device: 1370 } },
          members: [
            { name: "fra", state: "up" },
            { name: "nas", state: "idle" },
          ],
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

test("of what choose.sh has logged, the look has the last of each peer, and of each destination by way of a relay", () => {
  const log = [
    "1789999999.123456 host sh[7]: fra (inter-fra): [2001:db8::9]:443 -> 198.51.100.9:11001: preferred, and it answers",
    "1790000000.123456 host sh[7]: fra (inter-fra): 198.51.100.9:11001 -> [2001:db8::9]:443: 3 probes failed",
    "1790000001.5 host sh[7]: fra (inter-fra): 10.255.0.3/32 by way of hkg: it is not there any more",
    "1790000002.5 host sh[7]: fra (inter-fra): 10.255.0.3/32 by way of hkg, as net/prod says: metric 8194 src 10.255.0.1",
    "1790000003.5 host sh[7]: fra (inter-fra): fd00:6f::3/128 no longer by way of hkg: net/prod does not name it any more",
    "1790000004.5 host sh[7]: no decision",
    "",
  ].join("\n");
  const agent = join(__dirname, "../../../sdk/host/agents/snapshot.sh");
  const script = `. ${agent}; journalctl() { cat; }; last_decisions | sort`;
  const { stdout, stderr } = spawnSync("sh", ["-c", script], { input: log, encoding: "utf8" });
  expect(stderr).toBe("");
  const text = `\x1ewg\n\x1edecisions\n${stdout}\x1eend\n`;
  expect(parseSnapshot(text, ["decisions"]).decisions).toEqual([
    {
      ...{ peer: "fra", device: "inter-fra", at: 1790000000 },
      text: "198.51.100.9:11001 -> [2001:db8::9]:443: 3 probes failed",
    },
    {
      ...{ peer: "fra", device: "inter-fra", at: 1790000002, relay: { to: "10.255.0.3/32", by: "hkg" } },
      text: "10.255.0.3/32 by way of hkg, as net/prod says: metric 8194 src 10.255.0.1",
    },
    {
      ...{ peer: "fra", device: "inter-fra", at: 1790000003, relay: { to: "fd00:6f::3/128", by: "hkg" } },
      text: "fd00:6f::3/128 no longer by way of hkg: net/prod does not name it any more",
    },
  ]);
});

test("100 hosts are logged into side by side, and no more of them at once than are let", async () => {
  const state = join(folder, "hundred.json");
  const hosts = Array.from({ length: 100 }, (_, n) => n + 1);
  writeFileSync(
    state,
    await deploymentOf(() => {
      for (const id of hosts) {
        new OverlayNode(`n${id}`, { id, connection: { host: `n${id}.example` }, addresses: [`10.255.0.${id}`] });
      }
    }),
  );
  // Each is there for a while, and says how many are.
  const here = mkdtempSync(join(folder, "here-"));
  const ssh = join(folder, "counted-ssh");
  const script = `#!/bin/sh\n: >${here}/$$\nset -- ${here}/*\necho $# >>${folder}/counts\nsleep 0.3\nrm ${here}/$$\nexit 255\n`;
  writeFileSync(ssh, script, { mode: 0o755 });
  const words = ["status", "--state", state, "--ssh", ssh, "--parallel", "20", "--json"];
  const { status: code, stdout } = spawnSync(join(__dirname, "../../../bin/overlay"), words, { encoding: "utf8" });
  expect(code).toBe(0);
  const { hosts: seen } = JSON.parse(stdout) as Status;
  expect(seen.map(({ name }) => name)).toEqual(hosts.map((id) => `n${id}`));
  const counts = readFileSync(join(folder, "counts"), "utf8").trim().split("\n").map(Number);
  expect(counts).toHaveLength(100);
  expect(Math.max(...counts)).toBeLessThanOrEqual(20);
  expect(Math.max(...counts)).toBeGreaterThan(10);
});

test("who answers and is another machine than the one that Pulumi knows is no look at that one", async () => {
  const state = join(folder, "another.json");
  const declared = await deploymentOf(() => {
    new OverlayNode("lux", { id: 1, connection: { host: "lux.example" } });
  });
  const text = JSON.parse(declared) as { deployment: { resources: { type: string; outputs: object }[] } };
  for (const it of text.deployment.resources)
    if (it.type === "overlay:node:Host") it.outputs = { ...it.outputs, machine: "0".repeat(32) };
  writeFileSync(state, JSON.stringify(text));
  // This machine, by a shell in place of a login.
  const ssh = join(folder, "local-ssh");
  writeFileSync(ssh, "#!/bin/sh\nexec sh\n", { mode: 0o755 });
  const words = ["status", "--state", state, "--ssh", ssh, "--json"];
  const { stdout } = spawnSync(join(__dirname, "../../../bin/overlay"), words, { encoding: "utf8" });
  expect((JSON.parse(stdout) as Status).hosts).toMatchObject([
    {
      reachable: false,
      fault: "lux.example is another machine than the one that Pulumi knows: run `pulumi up` [host/otherMachine]",
      rows: [],
    },
  ]);
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

  test("of --watch, Prometheus is told nothing", () => {
    expect(run("--watch", "--format", "prometheus")).toMatchObject({
      status: 1,
      stdout: "",
      stderr:
        "overlay: --format prometheus is one look, and none of --watch: give --format json, or no --watch [cli/option]\n",
    });
  });

  test("who reads no further than the first line ends nothing, and hears no complaint", () => {
    const line = `"$0" "$@" | head -n 1`;
    const { stdout, stderr } = spawnSync("sh", ["-c", line, bin, ...overlay()], { encoding: "utf8" });
    expect({ stdout, stderr }).toEqual({ stdout: "net/prod: 5 hosts, 5 unreachable\n", stderr: "" });
  });

  test("one host that does not answer holds up no other's row, and not the end", async () => {
    // Of lux nothing is ever heard.
    const ssh = join(folder, "dead-ssh");
    const script = `#!/bin/sh\ncase "$*" in *lux.example*) exec sleep 60 ;; esac\nexit 255\n`;
    writeFileSync(ssh, script, { mode: 0o755 });
    const began = Date.now();
    const child = spawn(bin, ["status", "--state", file, "--ssh", ssh, "--watch", "0.5", "--json", "--parallel", "2"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let text = "";
    await new Promise<void>((enough) => {
      child.stdout.on("data", (chunk: Buffer) => {
        text += chunk;
        if (text.trimEnd().split("\n").length > 3) enough();
      });
    });
    const ended = new Promise((resolve) => child.on("close", (code) => resolve(code)));
    const asked = Date.now();
    child.kill("SIGINT");
    expect(await ended).toBe(0);
    expect(Date.now() - asked).toBeLessThan(1500);
    expect(asked - began).toBeLessThan(10_000);
    const last = JSON.parse(text.trimEnd().split("\n").at(-1) ?? "") as Status;
    expect(last.hosts.map(({ name, fault, age }) => [name, fault !== undefined, age !== undefined])).toEqual(
      ["fra", "hkg", "lux", "nas", "sgp"].map((name) => [name, name !== "lux", name !== "lux"]),
    );
    expect(spawnSync("pgrep", ["-f", `${ssh} `], { encoding: "utf8" }).stdout).toBe("");
  });

  test("on a small screen what is wrong comes first, in colours but where NO_COLOR says otherwise", () => {
    const screen = (environment: string): string => {
      const command = `stty rows 12 cols 80; ${environment} timeout 3 ${[bin, ...overlay("--watch", "0.5")].join(" ")}`;
      const { stdout } = spawnSync("script", ["-qec", command, "/dev/null"], {
        encoding: "utf8",
        env: { ...process.env, TERM: "xterm" },
        input: "",
      });
      // The last that was written over the one before.
      return stdout.replace(/\r/g, "").split("\x1b[H\x1b[J").at(-1) ?? "";
    };
    const shown = screen("NO_COLOR=1").trimEnd().split("\n");
    expect(shown.slice(0, 3)).toEqual(["net/prod: 5 hosts, 5 unreachable", "", "NOT AS IT SHOULD BE"]);
    expect(shown).toHaveLength(11);
    expect(shown.at(-1)).toMatch(/^… and \d+ more lines: a larger terminal, or --host NAME$/);
    expect(screen("NO_COLOR=")).toContain("\x1b[1mNOT AS IT SHOULD BE\x1b[0m");
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
