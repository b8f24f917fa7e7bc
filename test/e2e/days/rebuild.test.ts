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

  test("the stack is renamed: the error names the owner, `formerly` is the cure, and no packet is lost", async () => {
    const packets = await Promise.all(Object.keys(work.declared.links).map((link) => traffic(lab, link)));
    await work.rename("next");
    const refused = await work.tryUp();
    expect(refused.done).toEqual(["fra updating failed", "hkg updating failed", "lux updating failed"]);
    expect(errors(refused.text)).toEqual(
      ["192.0.2.7", "198.51.100.9", "203.0.113.5"].map(
        (host) =>
          `root@${host}: node: found a machine that belongs to the stack net/prod (/etc/overlay/owner), legal is a machine of nobody's or of net/next; destroy it there first; or, if net/next is that stack under a new name, add "net/prod" to the node's \`formerly\`.`,
      ),
    );
    expect(refused.logins).toEqual({ lux: 1, fra: 1, hkg: 1 });

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

  test("the same machine at another address: one login to it, none to others; `formerly` is needed once", async () => {
    for (const one of Object.values(work.declared.nodes)) delete one.formerly;
    const { lux } = work.declared.nodes;
    const [, v6 = ""] = lab.json.hosts.lux?.addresses ?? [];
    if (lux) lux.connection.host = v6;
    const { done, logins, resources } = await work.up();
    expect({ done, logins, resources }).toEqual({
      done: ["lux updated"],
      logins: { lux: 1 },
      resources: ["~ 1 updated", `${RESOURCES - 1} unchanged`],
    });
  });

  test("a host is rebuilt empty at the same address", async () => {
    const before = await publicKey(lab, "hkg");
    const others = await traffic(lab, "lux-fra");
    await lab.rebuild("hkg");
    const stranger = await work.tryUp("--refresh");
    expect([...new Set(errors(stranger.text))]).toEqual([
      expect.stringMatching(
        /^root@192\.0\.2\.7 shows another host key \(SHA256:\S{43}\) than the one that connection\.hostKey pins; somebody may be listening in between: only if the host was rebuilt, set connection\.hostKey to its new key \(on its console: cat \/etc\/ssh\/ssh_host_ed25519_key\.pub\)\.$/,
      ),
    ]);
    work.declared.nodes.hkg = node(lab, "hkg");
    const { done, logins } = await work.up();
    await rememberKeys(lab);
    expect({ done, logins }).toEqual({
      done: [
        "fra-hkg@fra updated 2 commands",
        expect.stringMatching(/^fra-hkg@hkg updated 1\d commands$/),
        expect.stringMatching(/^hkg updated 2\d commands$/),
      ],
      logins: { fra: 1, hkg: 1 },
    });
    await pings(lab, ["lux-fra", "fra-hkg"]);
    expect(await publicKey(lab, "hkg")).not.toBe(before);
    expect(await others.end()).toMatchObject({ lost: 0 });
  });

  const bootFiles = (): Promise<Record<string, string>> =>
    all((host) => on(lab, host, "ls /etc/overlay/boot.d | tr '\\n' ' '"));

  test("a node and a link are renamed: their machines and devices stay, and what bears a node's name is made again", async () => {
    const { nodes, links } = work.declared;
    const { lux, ...others } = nodes;
    if (!lux) throw new Error("another network");
    work.declared.nodes = { lux1: lux, ...others };
    work.declared.links = {
      "lux-fra": { ...links["lux-fra"], a: "lux1", b: "fra" },
      backbone: { a: "fra", b: "hkg" },
    };
    const keys = await all((host) => publicKey(lab, host));
    const packets = await traffic(lab, "fra-hkg");
    const { done, logins } = await work.up();
    expect({ done, logins }).toEqual({
      done: [
        "backbone@fra created 1 command",
        "backbone@hkg created 1 command",
        "fra-hkg@fra deleted nothing to do: another resource has taken it over",
        "fra-hkg@hkg deleted nothing to do: another resource has taken it over",
        "lux deleted nothing to do: another resource has taken it over",
        expect.stringMatching(/^lux-fra@fra updated \d+ commands$/),
        "lux-fra@lux deleted",
        "lux-fra@lux1 created 0 commands",
        "lux1 created 0 commands",
      ],
      logins: { lux: 1, fra: 1, hkg: 1 },
    });
    expect(await packets.end()).toMatchObject({ lost: 0 });
    expect(await all((host) => publicKey(lab, host))).toEqual(keys);
    await pings(lab, ["lux-fra"]);
    expect(await bootFiles()).toEqual({
      lux: "10-node 50-inter-fra ",
      fra: "10-node 50-inter-hkg 50-inter-lux1 ",
      hkg: "10-node 50-inter-fra ",
    });
    expect(await kernel(lab, "fra")).not.toMatch(/inter-lux\b/);
  });

  test("with `aliases` a node renamed is no change, and a link renamed is its mark on its devices", async () => {
    const { hkg, ...others } = work.declared.nodes;
    const first = work.declared.links["lux-fra"];
    if (!hkg || !first) throw new Error("another network");
    work.declared.nodes = { ...others, hongkong: hkg };
    work.declared.links = { "lux-fra": first, spine: { a: "fra", b: "hongkong", devices: { a: "inter-hkg" } } };
    work.declared.aliases = { hongkong: "hkg", spine: "backbone" };
    const packets = await traffic(lab, "fra-hkg");
    const { done, logins, resources } = await work.up();
    expect({ done, logins, resources }).toEqual({
      done: ["spine@fra updated 1 command", "spine@hongkong updated 1 command"],
      logins: { fra: 1, hkg: 1 },
      resources: ["~ 2 updated", `${RESOURCES - 2} unchanged`],
    });
    expect(await packets.end()).toMatchObject({ lost: 0 });
    expect(await work.drift()).toEqual([]);
  });

  test("no private key was seen", () => {
    expect(leaks()).toEqual([]);
  });
});
