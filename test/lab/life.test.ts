/** From `up` to `down`: what a lab is, what it leaves alone, and that nothing stays behind. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { describeWhere } from "../can";
import { Lab, run } from ".";
import { pause, until } from "./run";
import { traces } from "./traces";

/** The machine's own network, in the words of its tools. Counters move by themselves. */
async function ownNetwork(): Promise<string> {
  const commands = [
    "ip -br link",
    "ip -br addr",
    "ip route show table all",
    "ip -6 route show table all",
    "ip rule",
    "ip -6 rule",
    "nft list ruleset",
    "sysctl net.ipv4.ip_forward net.ipv6.conf.all.forwarding net.ipv4.conf.all.rp_filter",
  ];
  const said = await Promise.all(commands.map((one) => run(one.split(" "))));
  return said.map(({ stdout }) => stdout.replace(/packets \d+ bytes \d+|expires \d+sec/g, "")).join("\n");
}

jest.setTimeout(120_000);

const main = resolve("dist/test/lab/main.js");

describeWhere("lab", "a lab's life", () => {
  const names = ["tlife", "tother", "tcrash"];
  afterAll(() => Promise.all(names.map((name) => Lab.down(name))));

  test("two labs side by side; the machine's own network stays as it is; nothing stays behind", async () => {
    const before = await ownNetwork();
    const [one, other] = await Promise.all([
      Lab.up("lab", { name: "tlife", fresh: true }),
      Lab.up("lab", { name: "tother", fresh: true }),
    ]);
    expect(await ownNetwork()).toBe(before);
    expect(one.json.hosts.lux?.machine).not.toBe(other.json.hosts.lux?.machine);
    // The same addresses in both, and no way from one to the other.
    const machine = async (lab: Lab) =>
      (await run([...lab.ssh("fra"), "ping -q -c1 203.0.113.5 >/dev/null && cat /etc/machine-id"])).stdout.trim();
    expect([await machine(one), await machine(other)]).toEqual([
      one.json.hosts.fra?.machine,
      other.json.hosts.fra?.machine,
    ]);
    await one.break({ kind: "drop", target: "fra" });
    expect((await one.exec("lux", "ping -q -c1 -W1 198.51.100.9")).code).toBe(1);
    expect((await other.exec("lux", "ping -q -c1 -W1 198.51.100.9")).code).toBe(0);

    await Lab.down("tlife");
    expect(await traces("tlife")).toEqual([]);
    expect((await other.exec("lux", "ping -q -c1 -W1 198.51.100.9")).code).toBe(0);
    await Lab.down("tother");
    expect(await traces("tother")).toEqual([]);
    expect(await ownNetwork()).toBe(before);
  });

  test("down of what is not there is nothing to do", async () => {
    await Lab.down("tlife");
  });

  test("a name that is taken is an error that names the way out", async () => {
    await Lab.up("lab", { name: "tlife", fresh: true });
    await expect(Lab.up("lab", { name: "tlife" })).rejects.toThrow(/there already.*down --name tlife/s);
  });

  test("the command line: status, exec with the command's own exit code, break and heal", async () => {
    const lab = (...words: string[]) => run([process.execPath, main, ...words]);
    const named = ["--name", "tlife"];
    // Other labs may be up.
    const row = async () => /^TLIFE [\s\S]*?^(fra .*)$/m.exec((await lab("status")).stdout)?.[1];
    expect((await lab("status")).stdout).toMatch(/^TLIFE +STATE +SEGMENT +ADDRESSES +BROKEN$/m);
    expect(await row()).toBe("fra    running  fra      198.51.100.9 2001:db8:2::9");
    const ping = () => lab("exec", ...named, "lux", "ping", "-q", "-c1", "-W1", "198.51.100.9");
    expect(await lab("exec", ...named, "lux", "sh", "-c", "echo here; echo there >&2; exit 7")).toMatchObject({
      code: 7,
      stdout: "here\n",
      stderr: "there\n",
    });
    expect((await ping()).code).toBe(0);
    expect((await lab("break", "drop", ...named, "fra")).code).toBe(0);
    expect(await row()).toMatch(/ drop fra$/);
    expect((await ping()).code).toBe(1);
    expect((await lab("heal", ...named, "nothing")).stderr).toContain("nothing cannot be healed: it is one of drop, ");
    expect((await lab("heal", ...named, "drop", "fra")).code).toBe(0);
    expect((await ping()).code).toBe(0);
    expect((await lab("exec", ...named, "nobody", "true")).stderr).toContain("has no host called nobody");
    expect((await lab("down", ...named)).code).toBe(0);
    expect(await traces("tlife")).toEqual([]);
  });

  test("a topology that is wrong makes nothing", async () => {
    await expect(Lab.up("/nowhere.yaml", { name: "tlife" })).rejects.toThrow("/nowhere.yaml is no topology");
    expect(await traces("tlife")).toEqual([]);
  });

  // From before the first namespace to hosts half-way through their boot.
  test.each([100, 200, 300, 450, 600, 800])(
    "killed %i ms after its start, it leaves nothing that down does not find",
    async (after) => {
      await Lab.down("tcrash");
      const maker = spawn(process.execPath, [main, "up", "--name", "tcrash"], { stdio: "ignore" });
      const ended = new Promise((done) => maker.on("exit", done));
      await pause(after);
      maker.kill("SIGKILL");
      await ended;
      await Lab.down("tcrash");
      expect(await traces("tcrash")).toEqual([]);
    },
  );

  test("interrupted, it takes down what it made", async () => {
    const maker = spawn(process.execPath, [main, "up", "--name", "tcrash"], { stdio: ["ignore", "ignore", "pipe"] });
    const said: Buffer[] = [];
    maker.stderr.on("data", (chunk: Buffer) => said.push(chunk));
    const ended = new Promise((done) => maker.on("close", done));
    await until(10_000, () => existsSync("/run/overlay-lab/tcrash/maker"));
    const refused = await Lab.down("tcrash").catch((error: Error) => error.message);
    maker.kill("SIGINT");
    expect(refused).toContain(`made by process ${maker.pid}`);
    expect(await ended).toBe(1);
    expect(Buffer.concat(said).toString()).toContain("SIGINT: lab tcrash was not made");
    expect(await traces("tcrash")).toEqual([]);
  });
});
