/** The life of a mesh: made, left alone, a node more, a peer taken away by hand, destroyed. */
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { IDS, kernel, node, on, publicKey, traces } from "./network";
import { Workspace } from "./workspace";

jest.setTimeout(300_000);

describeWhere(["lab", "engine"], "a mesh", () => {
  let lab: Lab;
  let work: Workspace;
  const found: Record<string, string> = {};
  const names = Object.keys(IDS);

  beforeAll(async () => {
    lab = await Lab.up("lab", { name: "meshday", fresh: true });
    for (const host of lab.hosts) found[host] = await traces(lab, host);
    const [lux = "", fra = "", hkg = ""] = names;
    const nodes = Object.fromEntries(names.map((name) => [name, node(lab, name)]));
    const mesh = { nodes: [lux, fra], routes: { [fra]: ["10.77.0.0/24"] } };
    work = await Workspace.make(lab, {
      nodes: { [lux]: nodes[lux], [fra]: nodes[fra] } as never,
      links: {},
      meshes: { mesh },
    });
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

  test("a node more is one more peer on each of the others, who lose no packet; then nobody is contacted", async () => {
    const before = await kernel(lab, "lux");
    const pid = await on(lab, "lux", "ping -n -i 0.002 10.255.0.2 >/run/mesh-pings 2>&1 & echo $!");
    work.declared.meshes = { mesh: { nodes: names, routes: { fra: ["10.77.0.0/24"] } } };
    const { done, logins } = await work.up();
    await on(lab, "lux", `kill -INT ${pid.trim()}`);
    const said = await on(lab, "lux", "sleep 0.2; tail -n 3 /run/mesh-pings");
    expect(logins).toEqual({ lux: 1, fra: 1, hkg: 1 });
    // One peer, and a route to each of its two addresses.
    expect(done.filter((it) => /^mesh@(lux|fra)/.test(it))).toEqual([
      expect.stringMatching(/^mesh@fra updated 3 commands/),
      expect.stringMatching(/^mesh@lux updated 3 commands/),
    ]);
    const [, sent, got] = /(\d+) packets transmitted, (\d+) received/.exec(said) ?? [];
    expect(Number(sent)).toBeGreaterThan(500);
    // The last may still have been on its way.
    expect(Number(sent) - Number(got)).toBeLessThanOrEqual(1);
    const added = (await kernel(lab, "lux")).split("\n").filter((line) => !before.includes(line));
    expect(added.filter((line) => line.startsWith("peer: "))).toEqual([`peer: ${await publicKey(lab, "hkg")}`]);
    await pings(names);

    const again = await work.up();
    expect(again.logins).toEqual({});
    expect(again.done).toEqual([]);
  });

  test("a peer that hands took away is one line of drift, and comes back", async () => {
    const whole = await kernel(lab, "lux");
    const key = await publicKey(lab, "hkg");
    await on(lab, "lux", `wg set mesh peer ${key} remove`);
    const lines = (await work.drift()).filter((line) => /^\s*[-+] (ip|wg|nft|sysctl) /.test(line));
    expect(lines.map((line) => line.trim())).toEqual([expect.stringContaining(`wg set mesh peer ${key} `)]);
    const { done, logins } = await work.up("--refresh");
    expect(done).toContain("mesh@lux updated 1 command");
    expect(logins).toEqual({ lux: 1, fra: 1, hkg: 1 });
    await pings(["lux", "hkg"]);
    expect(await kernel(lab, "lux")).toBe(whole);
  });

  test("destroyed, each host is as it was found", async () => {
    await work.destroy();
    for (const host of lab.hosts) expect(await traces(lab, host)).toBe(found[host]);
  });
});
