/** Each thing that can be broken: it breaks that and no more, and heals. */
import { describeWhere } from "../can";
import { Lab, run } from ".";

jest.setTimeout(120_000);

describeWhere("lab", "what can be broken", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.up("lab", { name: "tbreak", fresh: true });
  });
  afterAll(() => Lab.down("tbreak"));
  afterEach(() => lab.heal());

  const FRA = "198.51.100.9";
  const FRA6 = "2001:db8:2::9";
  const HKG = "192.0.2.7";

  /** Percent of the pings that came back. */
  async function arrived(from: string, to: string, options = "-c3 -i 0.05"): Promise<number> {
    const { stdout } = await lab.exec(from, `ping -q -W1 ${options} ${to}`);
    return 100 - Number(/(\d+(?:\.\d+)?)% packet loss/.exec(stdout)?.[1]);
  }

  test("drop of a host: nothing to it, nothing from it; the others do not notice", async () => {
    await lab.break({ kind: "drop", target: "fra" });
    const pings = [arrived("lux", FRA), arrived("lux", FRA6), arrived("fra", HKG), arrived("lux", HKG)];
    expect(await Promise.all(pings)).toEqual([0, 0, 0, 100]);
    expect((await lab.status()).map(({ host, broken }) => [host, broken])).toEqual([
      ["lux", []],
      ["fra", ["drop fra"]],
      ["hkg", []],
    ]);
    expect((await run([...lab.json.ssh.split(" "), "-o", "ConnectTimeout=2", "fra", "true"])).stderr).toContain(
      "Connection timed out",
    );
    await lab.heal("drop", "fra");
    expect([await arrived("lux", FRA), await arrived("lux", FRA6)]).toEqual([100, 100]);
  });

  test("drop of a segment", async () => {
    await lab.break({ kind: "drop", target: "segment/hkg" });
    expect([await arrived("lux", HKG), await arrived("lux", FRA)]).toEqual([0, 100]);
    await lab.heal();
    expect(await arrived("lux", HKG)).toBe(100);
  });

  test("loss: each way by itself, and the last of two breaks counts", async () => {
    await lab.break({ kind: "loss", target: "fra", percent: 100 });
    expect(await arrived("lux", FRA)).toBe(0);
    await lab.break({ kind: "loss", target: "fra", percent: 30 });
    // 0.7 * 0.7 = 49 %; of 1,000 pings, 40 % to 58 % is 5.7 standard deviations.
    const through = await arrived("lux", FRA, "-c1000 -i 0.002");
    expect(through).toBeGreaterThan(40);
    expect(through).toBeLessThan(58);
    expect(await arrived("lux", HKG)).toBe(100);
  });

  const full = (bytes: number, address: string): string =>
    `-c2 -i 0.05 -M do -s ${bytes - (address.includes(":") ? 48 : 28)}`;

  test("mtu: the router says what is too big, both ways", async () => {
    await lab.break({ kind: "mtu", target: "fra", bytes: 1400, silent: false });
    for (const [from, to] of [
      ["lux", FRA],
      ["lux", FRA6],
      ["fra", "203.0.113.5"],
      ["fra", "2001:db8:1::5"],
    ] as const) {
      expect([from, to, await arrived(from, to, full(1400, to))]).toEqual([from, to, 100]);
      const { stdout } = await lab.exec(from, `ping -W1 ${full(1401, to)} ${to}`);
      expect([from, to, stdout]).toEqual([from, to, expect.stringMatching(/mtu ?= ?1400/)]);
    }
    expect(await arrived("lux", HKG, full(1500, HKG))).toBe(100);
    await lab.heal("mtu", "fra");
    // Hosts go on knowing what they were told for ten minutes (ip_no_pmtu_disc, mtu_expires).
    await lab.exec("lux", "ip route flush cache");
    expect(await arrived("lux", FRA, full(1500, FRA))).toBe(100);
  });

  test("mtu, silent: a black hole for what is too big", async () => {
    await lab.break({ kind: "mtu", target: "hkg", bytes: 1400, silent: true });
    const { stdout } = await lab.exec("lux", `ping -W1 ${full(1401, HKG)} ${HKG}`);
    expect(stdout).toContain("100% packet loss");
    expect(stdout).not.toMatch(/mtu|frag/i);
    expect(await arrived("lux", HKG, full(1400, HKG))).toBe(100);
  });

  test("link: no carrier, and a cable that is out stays out over a reboot", async () => {
    await lab.break({ kind: "link", target: "fra" });
    expect((await lab.exec("fra", "cat /sys/class/net/eth0/carrier")).stdout).toBe("0\n");
    await lab.reboot("fra");
    expect((await lab.exec("fra", "cat /sys/class/net/eth0/carrier")).stdout).toBe("0\n");
    expect(await arrived("lux", FRA)).toBe(0);
    await lab.heal("link", "fra");
    expect((await lab.exec("fra", "cat /sys/class/net/eth0/carrier")).stdout).toBe("1\n");
    expect(await arrived("lux", FRA, "-c20 -i 0.1")).toBeGreaterThan(50);
  });

  test("reboot: the same machine, and a kernel that remembers nothing", async () => {
    const boot = () => lab.exec("fra", "cat /proc/sys/kernel/random/boot_id");
    const before = (await boot()).stdout;
    await lab.exec(
      "fra",
      "echo kept >/root/file; ip link add vxlan1 type vxlan id 1 dstport 4789; nft add table inet t; sysctl -q -w net.ipv4.ip_forward=1",
    );
    await lab.reboot("fra");
    expect((await boot()).stdout).not.toBe(before);
    const { stdout } = await lab.exec(
      "fra",
      "cat /root/file; ip link show vxlan1; nft list tables; sysctl -n net.ipv4.ip_forward",
    );
    expect(stdout).toBe("kept\n0\n");
    expect((await run([...lab.ssh("fra"), "cat /etc/machine-id"])).stdout.trim()).toBe(lab.json.hosts.fra?.machine);
  });

  test("a reboot that the host's own administrator asks for", async () => {
    const boot = async () => (await run([...lab.ssh("hkg"), "cat /proc/sys/kernel/random/boot_id"])).stdout;
    const before = await boot();
    await run([...lab.ssh("hkg"), "systemctl reboot"]);
    const end = Date.now() + 20_000;
    let now = "";
    while ((now === "" || now === before) && Date.now() < end) now = await boot();
    expect(now).toMatch(/^[0-9a-f-]{36}\n$/);
    expect(now).not.toBe(before);
  });

  test("power: what was synced is there, what was not is lost; the host comes back as the same machine", async () => {
    await lab.exec("fra", "echo synced >/root/synced; sync /root/synced; echo lost >/root/lost");
    await lab.powerOff("fra");
    expect((await lab.status())[1]).toMatchObject({ host: "fra", state: "off", broken: ["power fra"] });
    expect(() => lab.exec("fra", "true")).toThrow("fra of lab tbreak is off");
    expect(await arrived("lux", FRA)).toBe(0);
    await lab.start("fra");
    expect((await lab.status())[1]).toMatchObject({ host: "fra", state: "running", broken: [] });
    const { stdout } = await run([...lab.ssh("fra"), "cat /root/synced; wc -c /root/lost 2>&1; cat /etc/machine-id"]);
    expect(stdout).toBe(`synced\nwc: /root/lost: No such file or directory\n${lab.json.hosts.fra?.machine}\n`);
  });

  test("a host that was powered off from inside starts by heal", async () => {
    await run([...lab.ssh("hkg"), "systemctl poweroff"]);
    const end = Date.now() + 20_000;
    while ((await lab.status())[2]?.state !== "off" && Date.now() < end) await arrived("lux", FRA, "-c1");
    expect((await lab.status())[2]).toMatchObject({ host: "hkg", state: "off" });
    await lab.heal("power", "hkg");
    expect(await arrived("lux", HKG)).toBe(100);
  });

  test("rebuild: another machine at the same addresses, empty, with another host key", async () => {
    await lab.exec("hkg", "touch /root/file; sync");
    const before = { ...lab.json.hosts.hkg };
    await lab.rebuild("hkg");
    const after = lab.json.hosts.hkg;
    expect(after).toEqual({ ...before, machine: expect.any(String), hostKey: expect.any(String) });
    expect([after?.machine === before.machine, after?.hostKey === before.hostKey]).toEqual([false, false]);
    // The operator has been told of the new key.
    const { code, stdout } = await run([...lab.ssh("hkg"), "ls /root; cat /etc/machine-id"]);
    expect([code, stdout]).toEqual([0, `${after?.machine}\n`]);
  });

  test.each([
    [{ kind: "drop", target: "nowhere" }, "neither a host nor a segment of this lab; they are lux, fra, hkg, operator"],
    [{ kind: "link", target: "operator" }, "no host of this lab; its hosts are lux, fra, hkg"],
    [
      { kind: "mtu", target: "nowhere", bytes: 1400, silent: false },
      "no segment of this lab; its segments are lux, fra, hkg, operator",
    ],
  ] as const)("%j is refused", async (broken, message) => {
    await expect(lab.break(broken)).rejects.toThrow(message);
    expect(lab.breaks).toEqual([]);
  });
});
