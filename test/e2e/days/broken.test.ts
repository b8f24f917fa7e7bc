/**
 * Power that goes, a host that is dead, a run that is cancelled: the next `up` converges. Then what goes: links and a
 * node removed, a server gone, everything destroyed.
 */
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { pause } from "../../lab/run";
import { eventually, kernel, leaks, network, on, pings, rememberKeys, traces, traffic } from "./network";
import { errors, Workspace } from "./workspace";

jest.setTimeout(300_000);

describeWhere(["lab", "engine"], "what breaks, and what goes", () => {
  let lab: Lab;
  let work: Workspace;
  const found: Record<string, string> = {};
  const built: Record<string, string> = {};

  beforeAll(async () => {
    lab = await Lab.up("lab", { name: "daysbroken", fresh: true });
    for (const host of lab.hosts) found[host] = await traces(lab, host);
    const declared = network(lab);
    for (const { connection } of Object.values(declared.nodes)) connection.connectTimeout = 2;
    work = await Workspace.make(lab, declared);
    const { resources, logins } = await work.up();
    expect({ resources, logins }).toEqual({ resources: ["+ 17 created"], logins: { lux: 1, fra: 1, hkg: 1 } });
    await pings(lab);
    await rememberKeys(lab);
    for (const host of lab.hosts) built[host] = await whole(host);
  });
  afterAll(async () => {
    work?.remove();
    await Lab.down("daysbroken");
  });

  /** What a host's kernel has, and what it would have after a boot. */
  const whole = async (host: string): Promise<string> =>
    (await kernel(lab, host)) + (await on(lab, host, "cat /etc/overlay/boot.d/*"));
  const builtWith = (host: string, mtu: number): string => (built[host] ?? "").replaceAll("mtu 1420", `mtu ${mtu}`);

  /** Changes every link, which is a command and a boot file on each of its sides. */
  const change = (mtu: number) => {
    for (const link of Object.values(work.declared.links)) link.mtu = mtu;
  };

  test("the power goes between the kernel's change and the boot file: the boot brings back the old, `up` the new", async () => {
    // The last file of a change is the boot file: whoever syncs one waits, and tells.
    await on(
      lab,
      "lux",
      `cat >/usr/local/sbin/sync <<'EOT'
#!/bin/sh
case $* in *boot.d*) touch /run/reached && exec sleep 60 ;; esac
exec /usr/bin/sync "$@"
EOT
chmod +x /usr/local/sbin/sync`,
    );
    change(1400);
    const running = work.start(["up", "--yes", "--skip-preview"]);
    await eventually(
      "no boot file was written",
      async () => (await lab.exec("lux", "test -e /run/reached")).code === 0,
    );
    expect(await kernel(lab, "lux")).toContain("mtu 1400");
    await lab.powerOff("lux");
    await lab.start("lux");
    await on(lab, "lux", "rm -f /usr/local/sbin/sync");
    const { code, done, text } = await running.ended;
    expect(code).not.toBe(0);
    expect(done.filter((it) => it.includes("@lux") && !it.includes("failed"))).toEqual([]);
    expect(text).toContain("root@203.0.113.5");
    await pings(lab);
    expect(await whole("lux")).toBe(built.lux);
  });

  test("a dead host at apply: it is named with the cure, the others are changed, and a reboot keeps that", async () => {
    await lab.break({ kind: "drop", target: "hkg" });
    change(1410);
    const { code, done, text, logins } = await work.tryUp();
    await lab.heal();
    expect(code).not.toBe(0);
    expect(done).toEqual([
      "fra-hkg@fra updated 1 command",
      "fra-hkg@hkg updating failed",
      "lux-fra@fra updated 1 command",
      "lux-fra@lux updated 1 command",
      "lux-hkg@hkg updating failed",
      "lux-hkg@lux updated 1 command",
    ]);
    const dead =
      "root@192.0.2.7 cannot be reached (ssh: connect to host 192.0.2.7 port 22: Connection timed out): look whether it is up, the address right, and TCP port 22 open from here. [host/unreachable]";
    expect(errors(text)).toEqual([dead, "root@192.0.2.7 does not answer here either. [host/unreachable]"]);
    expect(logins).toEqual({ lux: 1, fra: 1, hkg: 1 });
    await lab.reboot("lux");
    await eventually(
      "the boot units have not ended",
      async () => (await lab.exec("lux", "systemctl is-active overlay-late.service")).stdout === "active\n",
    );
    await pings(lab);
    expect(await whole("lux")).toBe(builtWith("lux", 1410));
    expect(await on(lab, "lux", "ls /etc/overlay/boot.d")).toBe("10-node\n50-inter-fra\n50-inter-hkg\n");
  });

  test("the next `up` does the rest alone; cancelled while a host holds it up, it ends at once, leaves no lock, and does nothing later", async () => {
    const before = await whole("hkg");
    await on(lab, "hkg", "flock /run/overlay/lock sleep 20 >/dev/null 2>&1 & sleep 0.1");
    const running = work.start(["up", "--yes", "--skip-preview"]);
    const waits = async () => (await lab.exec("hkg", "pgrep -f '[f]lock -w'")).code === 0;
    await eventually("no change reached hkg", waits);
    const asked = Date.now();
    running.process.kill("SIGINT");
    const { code, text, done, logins } = await running.ended;
    expect(Date.now() - asked).toBeLessThan(3000);
    expect(code).not.toBe(0);
    expect(text).toContain("cancel");
    expect({ done, logins }).toEqual({
      done: ["fra-hkg@hkg updating failed", "lux-hkg@hkg updating failed"],
      logins: { hkg: 1 },
    });
    expect(work.locks).toEqual([]);
    await on(lab, "hkg", "pkill -x sleep");
    await pause(1000);
    expect(await waits()).toBe(false);
    expect(await on(lab, "hkg", "flock -n /run/overlay/lock echo free")).toBe("free\n");
    expect(await whole("hkg")).toBe(before);
  });

  test("a node and its links are removed: its machine is as it was found, its peers have nothing of it, no packet of others is lost", async () => {
    const packets = await traffic(lab, "lux-fra");
    const { nodes, links } = work.declared;
    const { hkg: _, ...others } = nodes;
    Object.assign(work.declared, { nodes: others, links: { "lux-fra": links["lux-fra"] } });
    const { done, logins } = await work.up();
    expect(done).toEqual([
      expect.stringMatching(/^fra-hkg@fra deleted removing it: \d commands$/),
      "fra-hkg@hkg deleted",
      expect.stringMatching(/^hkg deleted removing it: \d+ commands$/),
      "lux-hkg@hkg deleted",
      expect.stringMatching(/^lux-hkg@lux deleted removing it: \d commands$/),
    ]);
    expect(logins).toEqual({ lux: 1, fra: 1, hkg: 1 });
    expect(await packets.end()).toMatchObject({ lost: 0 });
    expect(await traces(lab, "hkg")).toBe(found.hkg);
    for (const host of ["lux", "fra"]) expect(await kernel(lab, host)).not.toContain("inter-hkg");
    expect(await on(lab, "lux", "ls /etc/overlay/boot.d")).toBe("10-node\n50-inter-fra\n");
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
