/** Changes that a host does not carry out to the end: what was done is known, told with its cure, and gone on with. */
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import type { Declared, Refusal } from "../../sdk/provider/client";
import { host, Network, side } from "./network";

jest.setTimeout(120_000);

describeWhere("lab", "half-applied", () => {
  let network: Network;
  let link: Declared;

  beforeAll(async () => {
    network = await Network.open(await Lab.up("lab", { name: "half", fresh: true }));
    link = (await network.link("lux", "fra")).a;
  });
  afterAll(async () => {
    await network?.close();
    await Lab.down("half");
  });

  const linkWith = (spec: object): Declared =>
    side(network.lab, "lux", "fra", network.outputs("lux", "fra"), { ...spec });

  /** What `up` was refused with. */
  async function refused(declared: Declared): Promise<Refusal> {
    const error = await network.engine.up(declared).then(
      () => undefined,
      (error: Refusal) => error,
    );
    expect(error?.code).toBe("ABORTED");
    return error as Refusal;
  }

  const READ_ONLY = "mount --bind /etc /etc && mount -o remount,ro,bind /etc";
  const WRITABLE = "umount /etc";
  const FULL =
    "mkdir -p /run/small && mount -t tmpfs -o size=4k tmpfs /etc/overlay/boot.d && echo x >/etc/overlay/boot.d/filler";
  const ROOMY = "umount /etc/overlay/boot.d";

  test.each([
    ["a read-only /etc", READ_ONLY, WRITABLE, /read-only: mount it for writing/],
    [
      "a full disk",
      FULL,
      ROOMY,
      /\(cat: write error: No space left on device\): the disk is full: make room and run again\./,
    ],
    [
      "an immutable boot file",
      "chattr +i /etc/overlay/boot.d/50-inter-fra",
      "chattr -i /etc/overlay/boot.d/50-inter-fra",
      /boot.d\/50-inter-fra/,
    ],
  ])("%s: the kernel has the change, the boot file has not", async (_, breaks, heals, cure) => {
    const { engine } = network;
    await network.on("lux", breaks);
    const changed = linkWith({ mtu: 1400 });
    const { reasons } = await refused(changed);
    expect(reasons[0]).toMatch(/^root@203\.0\.113\.5: `put 0644 \/etc\/overlay\/boot\.d\/50-inter-fra`/);
    expect(reasons[0]).toMatch(cure);
    expect(reasons[1]).toMatch(/^- # \/etc\/overlay\/boot.d\/50-inter-fra (differs|is missing)/m);
    expect(reasons[1]?.split("\n").slice(2)).toEqual(["[provider/failed]"]);
    await network.on("lux", "grep -x 1400 /sys/class/net/inter-fra/mtu");

    // It stays in state as what it is, and the next run tries again.
    const kept = engine.kept(link);
    expect(kept.initErrors).toEqual(reasons);
    expect(kept.outputs.config).toMatch(/mtu 1400(.|\n)*# \/etc\/overlay\/boot.d\/50-inter-fra/);
    expect(await engine.preview(changed)).toMatchObject({ outcome: "updated", diffs: ["config"] });
    await refused(changed);

    await network.on("lux", heals);
    expect(await engine.up(changed)).toBe("updated");
    expect(await engine.refresh(changed)).toEqual([]);
    expect(await engine.up(changed)).toBe("same");
    expect(await engine.up(link)).toBe("updated");
  });

  test("a missing tool: what stands on it is missing, the rest is there, and only that is made up for", async () => {
    const { engine } = network;
    const fra = network.outputs("fra").fra ?? {};
    const other = side(network.lab, "lux", "hkg", { ...network.outputs("lux"), hkg: { publicKey: fra.publicKey } });
    await network.on("lux", "mv /usr/sbin/nft /usr/sbin/nft.away");
    const { reasons } = await refused(other);
    expect(reasons[0]).toMatch(
      /`nft add counter inet overlay link-inter-hkg` failed .*install it \(apt-get install nftables\)/,
    );
    expect(reasons[1]).toMatch(/\+ nft add element inet overlay guard \{ 11003 : "link-inter-hkg" \}/);
    await network.on("lux", "ip link show inter-hkg | grep mtu.1420");

    await network.on("lux", "mv /usr/sbin/nft.away /usr/sbin/nft");
    engine.log.length = 0;
    expect(await engine.up(other)).toBe("updated");
    expect(engine.log.map(({ message }) => message)).toContain("2 commands");
    expect(await engine.refresh(other)).toEqual([]);
    await engine.destroy(other);
  });

  test("one that was never whole can be removed", async () => {
    const other = side(network.lab, "lux", "hkg", {
      lux: network.outputs("lux").lux ?? {},
      hkg: network.outputs("fra").fra ?? {},
    });
    await network.on("lux", READ_ONLY);
    await refused(other);
    await network.on("lux", `${WRITABLE}; ip link show inter-hkg`);
    await network.engine.destroy(other);
    await network.on("lux", "! ip link show inter-hkg && ! ls /etc/overlay/boot.d/50-inter-hkg");
    expect(await network.engine.refresh(host(network.lab, "lux"))).toEqual([]);
  });

  test("a device half-way to another name is forgotten under neither", async () => {
    const renamed = linkWith({ device: "renamed" });
    await network.on("lux", "chmod -x /usr/bin/wireguard-go");
    const { reasons } = await refused(renamed);
    expect(reasons[0]).toMatch(/overlay-wireguard-go@renamed/);
    expect(network.engine.kept(link).outputs.former).toHaveLength(2);
    await network.on("lux", "chmod +x /usr/bin/wireguard-go; ls /etc/overlay/boot.d/50-inter-fra");
    await network.engine.destroy(link);
    await network.on(
      "lux",
      "! ls /etc/overlay/boot.d | grep -v 10-node; ! ip link show inter-fra; ! ip link show renamed",
    );
    expect(await network.engine.up(link)).toBe("created");
  });

  test("a host that cannot be written to at all has nothing of ours, and is gone on with once it can", async () => {
    const hkg = host(network.lab, "hkg");
    await network.on("hkg", READ_ONLY);
    const { reasons } = await refused(hkg);
    expect(reasons[0]).toMatch(/read-only/);
    expect(network.engine.kept(hkg).outputs.machine).toBe(network.lab.json.hosts.hkg?.machine);
    expect((await network.engine.preview(hkg)).outputs.publicKey).toMatch(/^04da6b54-/);
    await network.on("hkg", WRITABLE);
    expect(await network.engine.up(hkg)).toBe("updated");
    expect(await network.engine.refresh(hkg)).toEqual([]);
  });
});
