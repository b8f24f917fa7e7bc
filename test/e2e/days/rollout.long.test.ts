/** Who goes first, and what does not go: a canary that fails saves the others, and a `destroy` that nobody meant does nothing. */
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { eventually, kernel, leaks, network, on, PREFIXES, pings, publicKey, rememberKeys } from "./network";
import { type Run, Workspace, well } from "./workspace";

jest.setTimeout(300_000);

/** Where the lab's operator is (test/lab/topology.ts). */
const OPERATOR = "198.18.0.0/24";
/** Somebody else's machine. */
const PHONE = {
  publicKey: "Z/nQ151/XO7fH+SlX5Ri5Uf10wssuR5ZNx5DfPaOJiM=",
  name: "phone",
  id: 50,
  addresses: ["10.255.0.50", "fd00:6f::50"],
};
const ONE_BY_ONE = { "overlay:rollout": { canary: ["hkg"], parallel: 1 } };

describeWhere(["lab", "engine"], "a rollout", () => {
  let lab: Lab;
  let work: Workspace;

  beforeAll(async () => {
    lab = await Lab.up("lab", { name: "rolloutday", fresh: true });
    const declared = network(lab);
    declared.links["hkg-phone"] = { a: "hkg", peer: PHONE };
    for (const { connection } of Object.values(declared.nodes)) connection.connectTimeout = 2;
    work = await Workspace.make(lab, declared);
    work.configure(ONE_BY_ONE);
  });
  afterAll(async () => {
    work?.remove();
    await Lab.down("rolloutday");
  });

  const change = (mtu: number) => {
    for (const link of Object.values(work.declared.links)) link.mtu = mtu;
  };
  const mtu = (host: string): Promise<string> =>
    on(lab, host, "cat /sys/class/net/inter-*/mtu | sort -u").then((text) => text.trim());
  const timeout = (host: string): Promise<string> =>
    on(lab, host, "cat /proc/sys/net/ipv4/tcp_fin_timeout").then((text) => text.trim());
  const others = async () => [await mtu("lux"), await mtu("fra")];

  /** Keys, machines and devices in the order in which they were done. */
  const order = ({ text }: Run): string[] => [
    ...new Set(
      [...text.matchAll(/overlay:(node:Key|node:Host|wireguard:Interface) (\S+) (?:created|updated) /g)].map(
        ([, type = "", name = ""]) => (type === "node:Key" ? `key of ${name}` : name),
      ),
    ),
  ];

  test("a preview says who goes first, and so it is done: all keys, the canary's machine, its devices, then others", async () => {
    const run = well(await work.run("up", "--yes"));
    expect(run.text.split("\nUpdating ")[0]).toContain(
      "overlay:rollout: first hkg; then lux; then fra. Each stage waits until the one before is done.",
    );
    const nodes = ["hkg", "lux", "fra"];
    const [done, keys] = [order(run), nodes.map((name) => `key of ${name}`)];
    expect(done.slice(0, 3)).toEqual(keys);
    expect(done.slice(3).map((name) => name.replace(/^.*@/, "device of "))).toEqual([
      ...["hkg", ...Array(3).fill("device of hkg")],
      ...["lux", ...Array(2).fill("device of lux")],
      ...["fra", ...Array(2).fill("device of fra")],
    ]);
    await pings(lab);
  });

  test("a canary's three links are confirmed by one login more, though nothing of them carries SSH", async () => {
    change(1400);
    const { logins, done } = await work.up();
    expect(logins).toEqual({ hkg: 2, lux: 1, fra: 1 });
    const first = done.filter((it) => it.includes("it goes first: the change is taken back after 15 s"));
    expect(first.map((it) => it.split(" ")[0])).toEqual(["fra-hkg@hkg", "hkg-phone@hkg", "lux-hkg@hkg"]);
    expect(await others()).toEqual(["1400", "1400"]);
  });

  test("the order may go and come: a node's key stays as it is, and no device is told anything", async () => {
    const keys = () => Promise.all(lab.hosts.map((host) => publicKey(lab, host)));
    const files = () =>
      Promise.all(lab.hosts.map((host) => on(lab, host, "ls /etc/overlay/boot.d | grep -c key || :")));
    const before = await keys();
    const turn = async (config: object, becomes: string, count: string) => {
      work.configure({ ...config });
      const { done, text } = well(await work.run("up", "--yes"));
      expect(text.split("\nUpdating ")[0]).not.toContain("known after");
      const names = ["fra", "hkg", "lux"].map((name) => `${name} ${becomes}`);
      expect(done.map((it) => it.split(" ").slice(0, 2).join(" "))).toEqual(names);
      expect(await keys()).toEqual(before);
      expect(await files()).toEqual([count, count, count]);
    };
    await turn({}, "deleted", "0\n");
    await turn(ONE_BY_ONE, "created", "1\n");
  });

  const destroy = (OVERLAY_ALLOW_DESTROY: string): Promise<Run> =>
    work.start(["destroy", "--yes", "--skip-preview"], { OVERLAY_ALLOW_DESTROY }).ended;

  test("what does not go is all of it: not by destroy, not by a program without it, and nothing has changed", async () => {
    const before = await Promise.all(lab.hosts.map((host) => kernel(lab, host)));
    const { nodes, links } = work.declared;
    for (const run of [
      () => destroy(""),
      () => work.start(["up", "--yes", "--skip-preview"], { OVERLAY_ALLOW_DESTROY: "" }).ended,
    ]) {
      const { code, text } = await run();
      expect(code).not.toBe(0);
      const said = text.slice(text.indexOf("\nDiagnostics:\n"));
      expect(said.match(/This run is to remove more than 20 % of the stack's links/g)).toHaveLength(1);
      expect(await Promise.all(lab.hosts.map((host) => kernel(lab, host)))).toEqual(before);
      Object.assign(work.declared, { nodes: {}, links: {} });
      work.configure({});
    }
    Object.assign(work.declared, { nodes, links });
    work.configure(ONE_BY_ONE);
  });

  test("a canary that is dead fails the run before others are called", async () => {
    change(1390);
    await lab.break({ kind: "drop", target: "hkg" });
    const { code, logins, text } = await work.tryUp();
    await lab.heal();
    expect(code).not.toBe(0);
    expect(text).toContain("root@192.0.2.7 cannot be reached");
    expect(logins).toEqual({ hkg: 1 });
    expect(await others()).toEqual(["1400", "1400"]);
  });

  test("a canary whose device fails saves the others, machines and devices: nobody else is called", async () => {
    const { nodes, links } = work.declared;
    Object.assign(links["lux-hkg"] ?? {}, { ports: { b: 12399 } });
    const other = { clampMss: false, sysctls: { "net/ipv4/tcp_fin_timeout": "59" } };
    for (const node of Object.values(nodes)) Object.assign(node, other);
    const all = async (host: string) => [await kernel(lab, host), await timeout(host)];
    const before = await Promise.all(["lux", "fra"].map(all));
    await on(lab, "hkg", "systemd-run -q --collect --unit squatter systemd-socket-activate -d -l 12399 true");
    const { code, text, logins } = await work.tryUp();
    await on(lab, "hkg", "systemctl stop squatter");
    expect(code).not.toBe(0);
    expect(text).toContain("Address already in use");
    expect(Object.keys(logins)).toEqual(["hkg"]);
    expect(await Promise.all(["lux", "fra"].map(all))).toEqual(before);
    expect([await timeout("hkg"), await timeout("lux")]).toEqual(["59", "60"]);
    const clamps = async (host: string) => (await on(lab, host, "nft list table inet overlay")).includes("maxseg");
    expect([await clamps("hkg"), await clamps("lux"), await clamps("fra")]).toEqual([false, true, true]);
  });

  test("a canary that cuts itself off takes it back, and the others are not called; what is mended then goes on", async () => {
    const { hkg } = work.declared.nodes;
    Object.assign(hkg ?? {}, { prefixes: [...PREFIXES, OPERATOR] });
    const before = await kernel(lab, "hkg");
    const { code, text, logins } = await work.tryUp();
    expect(code).not.toBe(0);
    expect(text).toMatch(/cut off new logins, so the host took it back|lets no new login in/);
    expect(Object.keys(logins)).toEqual(["hkg"]);
    expect(await others()).toEqual(["1400", "1400"]);
    await eventually("hkg has not taken it back", async () => (await kernel(lab, "hkg")) === before);
    Object.assign(hkg ?? {}, { prefixes: PREFIXES });
    work.declared.provider = { ...work.declared.provider, allowDestroy: "on" };
    await work.up();
    expect([await mtu("hkg"), ...(await others())]).toEqual(["1390", "1390", "1390"]);
  });

  test("no private key was seen", async () => {
    await rememberKeys(lab);
    expect(leaks()).toEqual([]);
  });

  test("allowed in configuration all of it goes, when an `up` has told so", async () => {
    expect((await destroy("")).code).toBe(0);
    expect(await Promise.all(lab.hosts.map((host) => on(lab, host, "ip -o link show group 28417")))).toEqual([
      "",
      "",
      "",
    ]);
  });
});
