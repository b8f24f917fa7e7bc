/** The life of post-quantum keys: on links and in a mesh, with somebody else's machine, on and off, to the last trace. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Status } from "../../../sdk/cli/status/rows";
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { until } from "../../lab/run";
import { eventually, IDS, leaks, node, on, publicKey, remember, rememberKeys, traces, traffic } from "./network";
import { Workspace } from "./workspace";

jest.setTimeout(300_000);

const overlay = resolve(__dirname, "../../../bin/overlay");
const PAIR = "/etc/overlay/keys/rosenpass";

describeWhere(["lab", "engine", "rosenpass"], "post-quantum keys", () => {
  let lab: Lab;
  let work: Workspace;
  let binary: { path: string; sha256: string };
  const found: Record<string, string> = {};
  const peerKey = () => join(work.folder, "office.public");
  const wgKey = () => join(work.folder, "office.key");

  beforeAll(async () => {
    const path = realpathSync(resolve(__dirname, "../../../dist/.bin/rosenpass"));
    binary = { path, sha256: createHash("sha256").update(readFileSync(path)).digest("hex") };
    lab = await Lab.up("lab", { name: "pqday", fresh: true });
    for (const host of lab.hosts) found[host] = await traces(lab, host);
    const nodes = Object.fromEntries(["lux", "fra"].map((name) => [name, node(lab, name)]));
    work = await Workspace.make(lab, { nodes, links: { "lux-fra": { a: "lux", b: "fra" } } });
  });
  afterAll(async () => {
    work?.remove();
    await Lab.down("pqday");
  });

  const outputs = async (): Promise<Record<string, string>> =>
    JSON.parse((await work.run("stack", "output", "--json")).text);
  const psk = async (host: string, device: string): Promise<string> => {
    const key = (await on(lab, host, `wg show ${device} preshared-keys`)).trim().split("\t")[1] ?? "";
    if (key !== "(none)") remember(key);
    return key;
  };
  const psks = () => Promise.all([psk("lux", "inter-fra"), psk("fra", "inter-lux")]);
  /** Both ends have one key, 2 s after a run at the latest; who has none of the other's has none, or one that nobody has. */
  async function keyed(): Promise<void> {
    const ended = performance.now();
    const same = async () => {
      const [a, b] = await psks();
      return a === b && a !== "(none)";
    };
    expect(await until(2000, same, 50)).toBe(true);
    expect(performance.now() - ended).toBeLessThan(2000);
  }
  /** What the engine did with each kind of resource. */
  const kinds = (text: string): string[] =>
    [
      ...new Set(
        [...text.matchAll(/overlay:rosenpass:(\w+) \S+ (created|updated|deleted)/g)].map(
          ([, kind, what]) => `${kind} ${what}`,
        ),
      ),
    ].sort();

  test("a link with keys from its first moment: strict, made in one run, healthy at its end", async () => {
    work.declared.rosenpass = { "lux-fra": { mode: "strict", binary } };
    const preview = await work.run("preview");
    expect(preview.text).toContain(
      "Nothing passes by inter-fra from when this is made until the first key, some seconds;",
    );
    expect(preview.text).toMatch(
      /install -m 0644 sha256:<known after fra is created> \/etc\/overlay\/rosenpass\/lux-fra\.peer/,
    );
    const { text, logins } = await work.up();
    expect(logins).toEqual({ lux: 1, fra: 1 });
    expect(kinds(text)).toEqual(["Daemon created", "Key created", "Psk created"]);
    await keyed();
    await on(lab, "lux", "ping -q -c 1 -w 5 10.255.0.2");
    await work.refresh();
    expect((await outputs())["lux-fra health"]).toBe("healthy");
    expect(await on(lab, "lux", "overlay-host status")).toMatch(/lux-fra/);
    const { hosts } = JSON.parse((await work.shell(`${overlay} status --json`)).text) as Status;
    expect(hosts).toMatchObject(
      ["fra", "lux"].map((name) => ({
        name,
        drift: [],
        rows: [{ postQuantum: { mode: "strict", health: "healthy" } }],
      })),
    );
  });

  test("nothing is left to do, and a new key is no drift", async () => {
    expect((await work.up()).done).toEqual([]);
    await on(lab, "lux", "systemctl restart overlay-rosenpass@lux-fra.service");
    const [before] = await psks();
    await eventually("there is no new key", async () => (await psks())[0] !== before);
    expect(await work.drift()).toEqual([]);
    expect(JSON.parse(await work.export()).deployment.resources.length).toBeGreaterThan(5);
  });

  test("to permissive and back, off and on again: no packet is lost, both daemons before both keys", async () => {
    const turn = async (args?: object): Promise<string[]> => {
      const packets = await traffic(lab, "lux-fra", 200);
      work.declared.rosenpass = args ? { "lux-fra": { binary, ...args } } : {};
      const off = (await work.run("preview")).text.includes("is to have no post-quantum keys any more");
      expect(off).toBe(!args);
      const { text } = await work.up();
      const { sent, lost } = await packets.end();
      expect(sent).toBeGreaterThan(100);
      expect(lost).toBe(0);
      return kinds(text);
    };
    expect(await turn({})).toEqual(["Daemon updated", "Psk updated"]);
    expect(await turn({ mode: "strict" })).toEqual(["Daemon updated", "Psk updated"]);
    expect(await turn()).toEqual(["Daemon deleted", "Key deleted", "Psk deleted"]);
    expect(await psks()).toEqual(["(none)", "(none)"]);
    expect(await turn({})).toEqual(["Daemon created", "Key created", "Psk created"]);
    await keyed();
  });

  test("other names of what exchanges the keys, then of the link, with `aliases`: nothing of the old ones stays behind", async () => {
    work.declared.rosenpass = { "lux-fra": { binary, name: "keys" } };
    expect((await work.up()).done).toEqual([]);
    const packets = await traffic(lab, "lux-fra", 200);
    work.declared.links = { tunnel: { a: "lux", b: "fra" } };
    work.declared.rosenpass = { tunnel: { binary } };
    work.declared.aliases = { tunnel: "lux-fra" };
    expect(kinds((await work.up()).text)).toEqual(["Daemon updated", "Psk updated"]);
    await keyed();
    const { sent, lost } = await packets.end();
    expect(sent).toBeGreaterThan(100);
    expect(lost).toBe(0);
    const kept = "/etc/overlay/rosenpass /run/overlay/rosenpass /var/lib/overlay/rosenpass /etc/overlay/boot.d";
    for (const host of ["lux", "fra"]) {
      expect(await on(lab, host, `ls ${kept}; systemctl list-units --all 'overlay-rosenpass@*'`)).not.toContain(
        "lux-fra",
      );
    }
    expect(await work.drift()).toEqual([]);
    work.declared.links = { "lux-fra": { a: "lux", b: "fra" } };
    work.declared.rosenpass = { "lux-fra": { binary } };
    work.declared.aliases = { "lux-fra": "tunnel" };
    await work.up();
    work.declared.aliases = {};
  });

  test("somebody else's machine: its key by a file, ours by one command, its configuration an output", async () => {
    const program = "/usr/local/bin/rosenpass-of-office";
    const there = (command: string) => on(lab, "hkg", command);
    await lab.exec("hkg", `base64 -d >${program}; chmod +x ${program}`, {
      input: readFileSync(binary.path).toString("base64"),
    });
    await there(
      `mkdir -p /run/office && cd /run/office && umask 077 && ${program} gen-keys -p office.public -s office.secret`,
    );
    writeFileSync(peerKey(), Buffer.from(await there("base64 -w 0 /run/office/office.public"), "base64"));
    const { stdout } = spawnSync(overlay, ["key", wgKey()], { encoding: "utf8" });
    remember(readFileSync(wgKey(), "utf8").trim());
    const peer = { name: "office", id: 51, publicKey: stdout.trim(), addresses: ["10.255.0.51"] };
    work.declared.links["lux-office"] = { a: "lux", peer };
    work.declared.rosenpass = { "lux-fra": { binary }, "lux-office": { binary, peerKey: peerKey(), mode: "strict" } };
    await work.up();

    const known = await outputs();
    const file = spawnSync(overlay, ["peer", "office", "--key", wgKey()], {
      input: JSON.stringify(known["lux-office"]),
      encoding: "utf8",
    }).stdout;
    await lab.exec("hkg", "umask 077; cat >/run/office/wg0.conf", { input: file });
    await there("wg-quick up /run/office/wg0.conf");
    const host = lab.json.hosts.lux?.addresses[0] ?? "";
    const exported = spawnSync(overlay, ["rosenpass", `root@${host}`, "--ssh", lab.json.ssh], { maxBuffer: 2 ** 22 });
    const hash = createHash("sha256").update(exported.stdout).digest("hex");
    expect(exported.stderr.toString()).toBe(`overlay: 524160 bytes with the SHA-256 ${hash}\n`);
    expect(await on(lab, "lux", `sha256sum <${PAIR}.public`)).toBe(`${hash}  -\n`);
    await lab.exec("hkg", "base64 -d >/run/office/lux.public", { input: exported.stdout.toString("base64") });
    await lab.exec("hkg", "cat >/run/office/office.toml", { input: known["lux-office rosenpass"] ?? "" });
    expect((await lab.exec("hkg", "ping -q -c 1 -w 2 10.255.0.1")).code).toBe(1);
    await there(
      `cd /run/office && systemd-run --quiet --unit=office -p WorkingDirectory=/run/office ${program} exchange-config office.toml`,
    );
    expect(
      await until(15_000, async () => (await lab.exec("hkg", "ping -q -c 1 -W 1 10.255.0.1")).code === 0, 200),
    ).toBe(true);
    await work.refresh();
    await work.up(); // what refresh has seen becomes an output of the program's when that runs
    expect((await outputs())["lux-office health"]).toBe("healthy");
  });

  test("that machine goes its own way", async () => {
    await on(
      lab,
      "hkg",
      "systemctl stop office; wg-quick down /run/office/wg0.conf; rm -r /run/office /usr/local/bin/rosenpass-of-office",
    );
  });

  test("a mesh with keys of every two nodes, in a rollout; then a third comes, and the first two lose nothing", async () => {
    work.declared.links = {};
    work.declared.rosenpass = {};
    const postQuantum = { binary, mode: "permissive" as const };
    work.declared.meshes = { mesh: { nodes: ["lux", "fra"], postQuantum } };
    work.configure({ "overlay:rollout": { canary: ["lux"] } });
    await work.up();
    work.configure({});
    work.declared.nodes.hkg = node(lab, "hkg");
    work.declared.meshes = { mesh: { nodes: Object.keys(IDS), postQuantum } };
    const far = await publicKey(lab, "fra");
    const theirs = () => on(lab, "lux", `wg show mesh preshared-keys | grep '^${far}'`);
    const before = await theirs();
    const packets = await traffic(lab, "lux-fra", 200);
    await work.up();
    const { sent, lost } = await packets.end();
    expect(sent).toBeGreaterThan(100);
    expect(lost).toBe(0);
    expect(await theirs()).toBe(before);
    const keys = new Set<string>();
    for (const host of lab.hosts) {
      const all = (await on(lab, host, "wg show mesh preshared-keys")).trim().split("\n");
      expect(all).toHaveLength(2);
      for (const line of all) keys.add(line.split("\t")[1] ?? "");
    }
    remember(...keys);
    expect(keys.size).toBe(3);
    expect(keys).not.toContain("(none)");
    expect(await work.drift()).toEqual([]);
  });

  test("a node of the mesh is renamed, with `aliases`: its keys are, too, and nothing is lost or made again", async () => {
    const { hkg, ...others } = work.declared.nodes;
    if (!hkg) throw new Error("another network");
    work.declared.nodes = { hongkong: hkg, ...others };
    work.declared.aliases = { hongkong: "hkg" };
    const mesh = work.declared.meshes?.mesh;
    if (mesh) mesh.nodes = mesh.nodes.map((it) => (it === "hkg" ? "hongkong" : it));
    const packets = await traffic(lab, "lux-hkg", 200);
    const { done } = await work.up();
    const { sent, lost } = await packets.end();
    expect(sent).toBeGreaterThan(100);
    expect(lost).toBe(0);
    expect(done).toEqual([]);
    expect((await work.up()).done).toEqual([]);
    expect(await work.drift()).toEqual([]);
  });

  test("no private key and no preshared key was seen", async () => {
    await rememberKeys(lab);
    remember((await on(lab, "lux", `base64 -w 0 ${PAIR}.secret`)).slice(0, 200));
    expect(leaks()).toEqual([]);
  });

  test("destroyed, each host is as it was found", async () => {
    await work.destroy();
    for (const host of lab.hosts) expect(await traces(lab, host)).toBe(found[host]);
  });
});
