/** A link removed, a node removed, a server gone, everything destroyed. */
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { kernel, leaks, network, pings, rememberKeys, traces, traffic } from "./network";
import { Workspace } from "./workspace";

jest.setTimeout(300_000);

describeWhere(["lab", "engine"], "what goes", () => {
  let lab: Lab;
  let work: Workspace;
  const found: Record<string, string> = {};

  beforeAll(async () => {
    lab = await Lab.up("lab", { name: "dayslinks", fresh: true });
    for (const host of lab.hosts) found[host] = await traces(lab, host);
    work = await Workspace.make(lab, network(lab));
    const { resources, logins } = await work.up();
    expect({ resources, logins }).toEqual({ resources: ["+ 17 created"], logins: { lux: 1, fra: 1, hkg: 1 } });
    await pings(lab);
    await rememberKeys(lab);
  });
  afterAll(async () => {
    work?.remove();
    await Lab.down("dayslinks");
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

  test("a dead host at delete: the others are as they were found, it is forgotten by the command in its message, and nothing is left", async () => {
    await lab.powerOff("fra");
    const failed = await work.run("destroy", "--yes", "--skip-preview", "--continue-on-error");
    expect(failed.code).not.toBe(0);
    expect(failed.logins).toEqual({ lux: 1, fra: 1 });
    expect(await traces(lab, "lux")).toBe(found.lux);
    const commands = [...failed.text.matchAll(/(pulumi state delete '[^']+')/g)].map(([command]) => command);
    expect([...new Set(commands)]).toEqual([
      "pulumi state delete 'urn:pulumi:prod::net::overlay:index:OverlayNode$overlay:node:Host::fra'",
    ]);
    await work.shell(`${commands[0]} --yes`);
    const { logins, resources } = await work.destroy();
    expect({ logins, resources }).toEqual({ logins: {}, resources: ["- 3 deleted"] });
    expect(JSON.parse(await work.export()).deployment.resources ?? []).toEqual([]);
  });

  test("no private key was seen", () => {
    expect(leaks()).toEqual([]);
  });
});
