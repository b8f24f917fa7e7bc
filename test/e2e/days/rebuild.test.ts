/** A machine that is another one, a stack that is called otherwise, state that is lost: what stands is kept. */
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { kernel, leaks, network, node, on, pings, publicKey, rememberKeys, traffic } from "./network";
import { errors, Workspace } from "./workspace";

jest.setTimeout(300_000);

const RESOURCES = 14;

describeWhere(["lab", "engine"], "what stands is kept", () => {
  let lab: Lab;
  let work: Workspace;

  beforeAll(async () => {
    lab = await Lab.up("lab", { name: "daysrebuild", fresh: true });
    const { "lux-hkg": _, ...links } = network(lab).links;
    work = await Workspace.make(lab, { ...network(lab), links });
    await work.up();
    await pings(lab, ["lux-fra", "fra-hkg"]);
    await rememberKeys(lab);
  });
  afterAll(async () => {
    work?.remove();
    await Lab.down("daysrebuild");
  });

  const all = async (of: (host: string) => Promise<string>): Promise<Record<string, string>> =>
    Object.fromEntries(await Promise.all(lab.hosts.map(async (host) => [host, await of(host)])));

  test("state is lost: what was made is taken over, keys and all, without a command and without a packet lost", async () => {
    const keys = await all((host) => publicKey(lab, host));
    const kernels = await all((host) => kernel(lab, host));
    const packets = await Promise.all(Object.keys(work.declared.links).map((link) => traffic(lab, link)));
    await work.loseState();
    const { resources, done, logins } = await work.up();
    expect(resources).toEqual([`+ ${RESOURCES} created`]);
    expect(done).toEqual([
      "fra created",
      "fra-hkg@fra created",
      "fra-hkg@hkg created",
      "hkg created",
      "lux created",
      "lux-fra@fra created",
      "lux-fra@lux created",
    ]);
    expect(logins).toEqual({ lux: 1, fra: 1, hkg: 1 });
    for (const one of packets) expect(await one.end()).toMatchObject({ lost: 0 });
    expect(await all((host) => publicKey(lab, host))).toEqual(keys);
    expect(await all((host) => kernel(lab, host))).toEqual(kernels);
  });

  test("the stack is renamed: with `formerly` all is kept, and no packet is lost", async () => {
    const packets = await Promise.all(Object.keys(work.declared.links).map((link) => traffic(lab, link)));
    await work.rename("next");
    for (const one of Object.values(work.declared.nodes)) one.formerly = ["net/prod"];
    const { done } = await work.up();
    expect(done).toEqual([
      "fra updated 1 command",
      "fra-hkg@fra updated 1 command",
      "fra-hkg@hkg updated 1 command",
      "hkg updated 1 command",
      "lux updated 1 command",
      "lux-fra@fra updated 1 command",
      "lux-fra@lux updated 1 command",
    ]);
    for (const one of packets) expect(await one.end()).toMatchObject({ lost: 0 });
    expect(await on(lab, "lux", "cat /etc/overlay/owner")).toBe("net/next\n");
    expect(await kernel(lab, "lux")).not.toContain("net/prod");
  });

  test("a host is rebuilt empty at the same address, another one is the same machine at another: one login to that, and nothing of it changes; `formerly` is needed once", async () => {
    const before = await publicKey(lab, "hkg");
    const others = await traffic(lab, "lux-fra");
    await lab.rebuild("hkg");
    const stranger = await work.tryUp("--refresh");
    expect([...new Set(errors(stranger.text))]).toEqual([
      expect.stringMatching(
        /^root@192\.0\.2\.7 shows another host key \(SHA256:\S{43}\) than the one that connection\.hostKey pins; somebody may be listening in between: only if the host was rebuilt, set connection\.hostKey to its new key \(on its console: cat \/etc\/ssh\/ssh_host_ed25519_key\.pub\)\. \[host\/hostKeyChanged\]$/,
      ),
    ]);
    work.declared.nodes.hkg = node(lab, "hkg");
    for (const one of Object.values(work.declared.nodes)) delete one.formerly;
    const { lux } = work.declared.nodes;
    const [, v6 = ""] = lab.json.hosts.lux?.addresses ?? [];
    if (lux) lux.connection.host = v6;
    const { done, logins, resources } = await work.up();
    await rememberKeys(lab);
    expect({ done, logins, resources }).toEqual({
      done: [
        "fra-hkg@fra updated 2 commands",
        expect.stringMatching(/^fra-hkg@hkg updated 1\d commands$/),
        expect.stringMatching(/^hkg updated 2\d commands$/),
        "lux updated",
      ],
      logins: { lux: 1, fra: 1, hkg: 1 },
      resources: ["~ 4 updated", `${RESOURCES - 4} unchanged`],
    });
    await pings(lab, ["lux-fra", "fra-hkg"]);
    expect(await publicKey(lab, "hkg")).not.toBe(before);
    expect(await others.end()).toMatchObject({ lost: 0 });
  });

  test("a node is renamed: its machine and devices stay, and what bears its name is made again; with `aliases` it is no change, and a link renamed is its mark on its devices", async () => {
    const { lux, fra, hkg } = work.declared.nodes;
    if (!lux || !fra || !hkg) throw new Error("another network");
    work.declared.nodes = { lux1: lux, fra, hongkong: hkg };
    work.declared.links = {
      "lux-fra": { a: "lux1", b: "fra" },
      spine: { a: "fra", b: "hongkong", devices: { a: "inter-hkg" } },
    };
    work.declared.aliases = { hongkong: "hkg", spine: "fra-hkg" };
    const keys = await all((host) => publicKey(lab, host));
    const packets = await traffic(lab, "fra-hkg");
    const { done, logins } = await work.up();
    expect({ done, logins }).toEqual({
      done: [
        "lux deleted nothing to do: another resource has taken it over",
        expect.stringMatching(/^lux-fra@fra updated \d+ commands$/),
        "lux-fra@lux deleted",
        "lux-fra@lux1 created 0 commands",
        "lux1 created 0 commands",
        "spine@fra updated 1 command",
        "spine@hongkong updated 1 command",
      ],
      logins: { lux: 1, fra: 1, hkg: 1 },
    });
    expect(await packets.end()).toMatchObject({ lost: 0 });
    expect(await all((host) => publicKey(lab, host))).toEqual(keys);
    await pings(lab, ["lux-fra"]);
    expect(await all((host) => on(lab, host, "ls /etc/overlay/boot.d | tr '\\n' ' '"))).toEqual({
      lux: "10-node 50-inter-fra ",
      fra: "10-node 50-inter-hkg 50-inter-lux1 ",
      hkg: "10-node 50-inter-fra ",
    });
    expect(await kernel(lab, "fra")).not.toMatch(/inter-lux\b/);
    expect(await work.drift()).toEqual([]);
  });

  test("no private key was seen", () => {
    expect(leaks()).toEqual([]);
  });
});
