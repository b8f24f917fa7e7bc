/** The life of a mesh: made, left alone, somebody else's machine in it, a node more, destroyed. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { IDS, kernel, leaks, node, on, publicKey, remember, rememberKeys, traces, traffic } from "./network";
import type { Declared } from "./program";
import { Workspace } from "./workspace";

jest.setTimeout(300_000);

const overlay = resolve(__dirname, "../../../bin/overlay");

/** What the command-line tool prints. */
function told(words: string[], input = ""): string {
  const { status, stdout, stderr } = spawnSync(overlay, words, { input, encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

describeWhere(["lab", "engine"], "a mesh", () => {
  let lab: Lab;
  let work: Workspace;
  const found: Record<string, string> = {};
  const names = Object.keys(IDS);
  let phoneKey = "";
  let outputs: Record<string, unknown> | undefined;
  let mesh: NonNullable<Declared["meshes"]>[string] = { nodes: names };

  beforeAll(async () => {
    lab = await Lab.up("lab", { name: "meshday", fresh: true });
    for (const host of lab.hosts) found[host] = await traces(lab, host);
    const [lux = "", fra = "", hkg = ""] = names;
    const nodes = Object.fromEntries(names.map((name) => [name, node(lab, name)]));
    work = await Workspace.make(lab, {
      nodes: { [lux]: nodes[lux], [fra]: nodes[fra] } as never,
      links: {},
    });
    phoneKey = join(work.folder, "phone.key");
    const publicKey = told(["key", phoneKey]).trim();
    remember(readFileSync(phoneKey, "utf8").trim());
    const phone = { name: "phone", id: 50, publicKey, addresses: ["10.255.0.50", "fd00:6f::50"] };
    mesh = { nodes: [lux, fra], routes: { [fra]: ["10.77.0.0/24"] }, peers: [phone] };
    work.declared.meshes = { mesh };
    work.declared.links["lux-office"] = {
      a: lux,
      peer: { ...phone, name: "office", id: 51, addresses: ["10.255.0.51", "fd00:6f::51"] },
    };
    expect((await work.up()).logins).toEqual({ lux: 1, fra: 1 });
    work.declared.nodes[hkg] = nodes[hkg] as never;
  });
  afterAll(async () => {
    work?.remove();
    await Lab.down("meshday");
  });

  /** Both families, from each to each. */
  const pings = async (among: string[]): Promise<void> => {
    const pairs = among.flatMap((from) => among.filter((to) => to !== from).map((to) => [from, to] as const));
    for (const [from, to] of pairs) {
      const addresses = [`10.255.0.${IDS[to]}`, `fd00:6f::${IDS[to]}`];
      await Promise.all(addresses.map((address) => on(lab, from, `ping -q -c 2 -i 0.2 -w 15 ${address}`)));
    }
  };

  test("two nodes reach each other; what lies behind one has its route in our own table", async () => {
    await pings(["lux", "fra"]);
    expect(await on(lab, "lux", "ip route show table 111")).toMatch(/^10\.77\.0\.0\/24 dev mesh proto 111 /m);
    expect(await on(lab, "lux", "ip route get 10.77.0.9")).toContain(" dev mesh ");
    expect(await on(lab, "lux", "ip route get 10.77.0.9 mark 0x6f")).not.toContain(" dev mesh ");
  });

  test.each([
    ["a mesh", "mesh", "phone", ["10.255.0.1", "10.255.0.2", "fd00:6f::2"]],
    ["a link", "lux-office", "office", ["10.255.0.1", "fd00:6f::1"]],
  ])("somebody else's machine connects to %s with the file that it is told", async (_, output, name, addresses) => {
    outputs ??= JSON.parse((await work.run("stack", "output", "--json")).text);
    const file = told(["peer", name, "--key", phoneKey], JSON.stringify(outputs?.[output]));
    await lab.exec("hkg", `umask 077; cat >/run/${name}.conf`, { input: file });
    await on(lab, "hkg", `wg-quick up /run/${name}.conf`);
    try {
      await Promise.all(addresses.map((address) => on(lab, "hkg", `ping -q -c 2 -i 0.2 -w 15 ${address}`)));
    } finally {
      await on(lab, "hkg", `wg-quick down /run/${name}.conf; rm /run/${name}.conf`);
    }
  });

  test("a node more is one more peer on each of the others, who lose no packet; then nobody is contacted", async () => {
    const before = await kernel(lab, "lux");
    const packets = await traffic(lab, "lux-fra", 500);
    work.declared.meshes = { mesh: { ...mesh, nodes: names } };
    const { done, logins } = await work.up();
    const { sent, lost } = await packets.end();
    expect(logins).toEqual({ lux: 1, fra: 1, hkg: 1 });
    // One peer, and a route to each of its two addresses.
    expect(done.filter((it) => /^mesh@(lux|fra)/.test(it))).toEqual([
      expect.stringMatching(/^mesh@fra updated 3 commands/),
      expect.stringMatching(/^mesh@lux updated 3 commands/),
    ]);
    expect(sent).toBeGreaterThan(300);
    expect(lost).toBe(0);
    const added = (await kernel(lab, "lux")).split("\n").filter((line) => !before.includes(line));
    expect(added.filter((line) => line.startsWith("peer: "))).toEqual([`peer: ${await publicKey(lab, "hkg")}`]);
    await pings(names);

    const again = await work.up();
    expect(again.logins).toEqual({});
    expect(again.done).toEqual([]);
  });

  test("no private key was seen", async () => {
    await rememberKeys(lab);
    expect(leaks()).toEqual([]);
  });

  test("destroyed, each host is as it was found", async () => {
    await work.destroy();
    for (const host of lab.hosts) expect(await traces(lab, host)).toBe(found[host]);
  });
});
