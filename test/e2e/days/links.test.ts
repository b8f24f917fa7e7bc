/** A link removed, a node removed, a server gone, everything destroyed. */
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { kernel, leaks, network, node, pings, rememberKeys, traces, traffic } from "./network";
import { Workspace } from "./workspace";

jest.setTimeout(300_000);

describeWhere(["lab", "engine"], "what goes", () => {
  let lab: Lab;
  let work: Workspace;
  const found: Record<string, string> = {};

  beforeAll(async () => {
    lab = await Lab.up("lab", { name: "days", fresh: true });
    for (const host of lab.hosts) found[host] = await traces(lab, host);
    work = await Workspace.make(lab, network(lab));
    const { resources, logins } = await work.up();
    expect({ resources, logins }).toEqual({ resources: ["+ 17 created"], logins: { lux: 1, fra: 1, hkg: 1 } });
    await pings(lab);
    await rememberKeys(lab);
  });
  afterAll(async () => {
    work?.remove();
    await Lab.down("days");
  });

  const withoutLink = (gone: string) => {
    const { [gone]: _, ...links } = work.declared.links;
    work.declared.links = links;
  };
  const withoutNode = (gone: string) => {
    const { [gone]: _, ...nodes } = work.declared.nodes;
    work.declared.nodes = nodes;
    for (const [name, { a, b }] of Object.entries(work.declared.links)) if (a === gone || b === gone) withoutLink(name);
  };

  test("a link is removed: its two sides go, the third host is not contacted, no packet of the others is lost", async () => {
    const packets = await Promise.all(["lux-fra", "fra-hkg"].map((link) => traffic(lab, link)));
    withoutLink("lux-hkg");
    const { done, logins } = await work.up();
    expect(done).toEqual([
      expect.stringMatching(/^lux-hkg@hkg deleted removing it: \d commands$/),
      expect.stringMatching(/^lux-hkg@lux deleted removing it: \d commands$/),
    ]);
    expect(logins).toEqual({ lux: 1, hkg: 1 });
    for (const one of packets) expect(await one.end()).toMatchObject({ lost: 0 });
    expect(await kernel(lab, "lux")).not.toContain("inter-hkg");
    expect(await kernel(lab, "hkg")).not.toContain("inter-lux");
    expect((await lab.exec("lux", "ls /etc/overlay/boot.d")).stdout).toBe("10-node\n50-inter-fra\n");
  });

  test("a node is removed: its machine is as it was found, its peers have nothing of it, no packet of others is lost", async () => {
    const packets = await traffic(lab, "lux-fra");
    withoutNode("hkg");
    const { done, logins } = await work.up();
    expect(done).toEqual([
      expect.stringMatching(/^fra-hkg@fra deleted removing it: \d commands$/),
      "fra-hkg@hkg deleted",
      expect.stringMatching(/^hkg deleted removing it: \d+ commands$/),
    ]);
    expect(logins).toEqual({ fra: 1, hkg: 1 });
    expect(await packets.end()).toMatchObject({ lost: 0 });
    expect(await traces(lab, "hkg")).toBe(found.hkg);
    expect(await kernel(lab, "fra")).not.toContain("inter-hkg");
  });

  test("a node goes with the user's server: nobody calls there", async () => {
    work.declared.nodes.hkg = node(lab, "hkg");
    work.declared.servers = ["hkg"];
    work.declared.links["fra-hkg"] = { a: "fra", b: "hkg" };
    await work.up();
    await pings(lab, ["fra-hkg"]);
    await rememberKeys(lab);
    await lab.powerOff("hkg");
    work.declared.servers = [];
    withoutNode("hkg");
    const { done, logins } = await work.up();
    expect(done).toEqual([
      expect.stringMatching(/^fra-hkg@fra deleted removing it: \d commands$/),
      "fra-hkg@hkg deleted",
      "hkg deleted",
    ]);
    expect(logins).toEqual({ fra: 1 });
    await lab.start("hkg");
  });

  test("everything is destroyed: the machines are as they were found", async () => {
    const { logins, resources } = await work.destroy();
    expect({ logins, resources }).toEqual({ logins: { lux: 1, fra: 1 }, resources: ["- 9 deleted"] });
    expect(await traces(lab, "lux")).toBe(found.lux);
    expect(await traces(lab, "fra")).toBe(found.fra);
  });

  test("no private key was seen", () => {
    expect(leaks()).toEqual([]);
  });
});
