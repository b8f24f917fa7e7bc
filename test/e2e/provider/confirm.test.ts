/** Changes that may cut off the run's own SSH: the host takes them back by itself unless a new login works. */
import { kill } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import type { Values } from "../../../sdk/provider/wire";
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import type { Declared, Refusal } from "../../sdk/provider/client";
import { connection, host, Network, PREFIXES, side } from "./network";

jest.setTimeout(180_000);

/** Where the lab's operator is (test/lab/topology.ts). */
const OPERATOR = "198.18.0.0/24";
const SETTING = "net/ipv4/conf/all/rp_filter";

describeWhere("lab", "a change that may cut off its own SSH", () => {
  let network: Network;
  const lux = (spec: Values = {}): Declared => host(network.lab, "lux", spec);
  const set = (value: string): Declared => lux({ sysctls: { [SETTING]: value } });
  /** Packets to the operator are refused: no answer of the host gets there. */
  const cutOff = (node: string): Declared => host(network.lab, node, { prefixes: [...PREFIXES, OPERATOR] });

  beforeAll(async () => {
    network = await Network.open(await Lab.up("lab", { name: "confirmb", fresh: true }));
    await Promise.all(["lux", "fra"].map((node) => network.engine.up(host(network.lab, node))));
  });
  afterAll(async () => {
    await network?.close();
    await Lab.down("confirmb");
  });

  async function refused(up: Promise<unknown>): Promise<Refusal> {
    const error = await up.then(
      () => undefined,
      (error: Refusal) => error,
    );
    expect(error?.code).toBe("ABORTED");
    return error as Refusal;
  }

  const bootFile = (node: string) => network.on(node, "cat /etc/overlay/boot.d/10-node");
  const setting = () => network.on("lux", `cat /proc/sys/${SETTING}`);
  const isTidy = (node: string) =>
    network.on(node, "! ls -d /run/overlay/undo.* 2>/dev/null && ! systemctl list-units --all | grep overlay-undo");
  /** Milliseconds until a command holds on a host. */
  async function until(node: string, command: string, limit = 30_000): Promise<number> {
    const began = Date.now();
    while ((await network.lab.exec(node, command)).code !== 0) {
      if (Date.now() - began > limit) throw new Error(`${node}: ${command} does not hold within ${limit} ms`);
      await sleep(100);
    }
    return Date.now() - began;
  }
  const ROUTE = `ip route show proto 111 | grep -q '^unreachable ${OPERATOR}'`;

  test("it costs one more connection; then its boot file is there, and it stays", async () => {
    await network.restart();
    expect(await network.engine.up(set("2"))).toBe("updated");
    expect(network.connections).toBe(2);
    expect(await setting()).toBe("2\n");
    expect(await bootFile("lux")).toContain(`sysctl -w ${SETTING}=2\n`);
    await isTidy("lux");
    expect(await network.engine.refresh(set("2"))).toEqual([]);
    expect(network.connections).toBe(2);
  });

  test("one that cuts it off is back by itself within 20 s, and the host boots as before", async () => {
    await network.restart();
    const [before, kept] = [await bootFile("fra"), network.engine.kept(host(network.lab, "fra")).outputs];
    const ended = refused(network.engine.up(cutOff("fra")));
    await until("fra", ROUTE);
    expect(await bootFile("fra")).toBe(before);
    expect(await until("fra", `! ${ROUTE}`)).toBeLessThan(20_000);
    // What lux was told before that, and confirmed, would have been taken back by now.
    expect(await setting()).toBe("2\n");
    const { reasons } = await ended;
    expect(reasons[0]).toMatch(
      /^root@198\.51\.100\.9: the change to route main 198\.18\.0\.0\/24 unreachable cut off new logins, so the host took it back after 15 s\./,
    );
    expect(reasons[1]).toMatch(/^\+ ip route add unreachable 198\.18\.0\.0\/24 /m);
    expect(await bootFile("fra")).toBe(before);
    await isTidy("fra");
    // State has the host as it is again, with a line that the file of what is wanted is not there.
    const { outputs } = network.engine.kept(host(network.lab, "fra"));
    expect(outputs).toMatchObject({ machine: kept.machine, publicKey: kept.publicKey });
    expect(outputs.config).not.toContain(OPERATOR);
    expect(await network.engine.up(host(network.lab, "fra"))).toBe("updated");
    expect(await network.engine.refresh(host(network.lab, "fra"))).toEqual([]);
  });

  test("a host that loses power before the confirmation boots as it was", async () => {
    await network.restart();
    const before = await bootFile("fra");
    const ended = refused(network.engine.up(cutOff("fra")));
    await until("fra", ROUTE);
    await network.lab.powerOff("fra");
    await network.lab.start("fra");
    await ended;
    expect(await bootFile("fra")).toBe(before);
    await network.on("fra", `! ${ROUTE}`);
    await network.restart();
    expect(await network.engine.up(host(network.lab, "fra"))).toBe("updated");
    expect(await network.engine.refresh(host(network.lab, "fra"))).toEqual([]);
  });

  test("a full disk at the confirmation: the change stays, the boot file is made up for by the next run", async () => {
    await network.restart();
    const full = "mount -t tmpfs -o size=4k tmpfs /etc/overlay/boot.d && echo x >/etc/overlay/boot.d/filler";
    await network.on("lux", full);
    const { reasons } = await refused(network.engine.up(set("0")));
    expect(reasons[0]).toMatch(/`put 0644 \/etc\/overlay\/boot\.d\/10-node` failed .*the disk is full/);
    await isTidy("lux");
    await network.on("lux", "umount /etc/overlay/boot.d");
    expect(await setting()).toBe("0\n");
    expect(await bootFile("lux")).toContain(`${SETTING}=2\n`);
    expect(await network.engine.up(set("0"))).toBe("updated");
    expect(await bootFile("lux")).toContain(`${SETTING}=0\n`);
    expect(await network.engine.refresh(set("0"))).toEqual([]);
  });

  test("a step that fails: what was done is confirmed and stays, the boot file is as it was", async () => {
    await network.restart();
    const boot = await bootFile("lux");
    const unknown = lux({ sysctls: { [SETTING]: "1", "net/ipv4/no_such": "1" } });
    const { reasons } = await refused(network.engine.up(unknown));
    expect(reasons[0]).toMatch(/`sysctl -w net\/ipv4\/no_such=1` failed/);
    expect(await setting()).toBe("1\n");
    await isTidy("lux");
    expect(await bootFile("lux")).toBe(boot);
  });

  test("others than root are confirmed, too", async () => {
    await network.restart();
    const admin = { ...connection(network.lab, "lux"), user: "admin" };
    const declared = { ...set("0"), inputs: { ...set("0").inputs, connection: admin } };
    expect(await network.engine.up(declared)).toBe("updated");
    expect(network.connections).toBe(2);
    await isTidy("lux");
    expect(await network.engine.refresh(declared)).toEqual([]);
    expect(await network.engine.up(set("0"))).toBe("updated");
  });

  describe("and sshd is gone by then", () => {
    const stop = "systemctl stop ssh.socket ssh.service 2>/dev/null; ! ss -Hltn sport = 22 | grep .";
    const start = "systemctl start ssh.service; until ss -Hltn sport = 22 | grep -q .; do sleep 0.1; done";

    test("the host takes it back, and that is said", async () => {
      await network.restart();
      expect(await network.engine.refresh(set("0"))).toEqual([]);
      await network.on("lux", stop);
      try {
        const { reasons } = await refused(network.engine.up(set("1")));
        expect(reasons).toHaveLength(1);
        expect(reasons[0]).toMatch(/lets no new login in \(.*refuses TCP port 22.*takes it back/);
        expect(await setting()).toBe("0\n");
        expect(await bootFile("lux")).toContain(`${SETTING}=0\n`);
        await isTidy("lux");
      } finally {
        await network.on("lux", start);
      }
    });

    test("a run that comes after one that was killed in between waits until it is taken back", async () => {
      await network.restart({ plugin: {} });
      expect(await network.engine.up(set("0"))).toBe("updated");
      await network.on("lux", stop);
      const ended = network.engine.up(set("1")).catch(() => "killed");
      await until("lux", `grep -qx 1 /proc/sys/${SETTING}`);
      kill(network.engine.pid ?? 0, "SIGKILL");
      expect(await ended).toBe("killed");
      await network.on("lux", start);
      await network.restart();
      expect(await network.engine.up(set("1"))).toBe("updated");
      expect(await setting()).toBe("1\n");
      expect(await network.engine.refresh(set("1"))).toEqual([]);
      await isTidy("lux");
    });
  });

  describe("through a link of the overlay itself", () => {
    let inside: (more?: Values) => Declared;

    beforeAll(async () => {
      await network.restart();
      await network.link("lux", "fra");
      await network.on("lux", "ping -c 1 -W 9 10.255.0.2");
      const { hostKey } = connection(network.lab, "fra");
      inside = (more = {}) => {
        const fra = side(network.lab, "fra", "lux", network.outputs("lux", "fra"), more);
        const way = {
          host: "10.255.0.2",
          user: "root",
          hostKey,
          proxyJump: `root@${connection(network.lab, "lux").host}`,
        };
        return { ...fra, inputs: { ...fra.inputs, connection: way } };
      };
    });
    beforeEach(() => network.restart());

    const mtu = () => network.on("fra", "cat /sys/class/net/inter-lux/mtu");

    test("what does not hurt is said so at preview, and confirmed through it", async () => {
      expect(await network.engine.preview(inside({ mtu: 1400 }))).toMatchObject({ outcome: "updated" });
      expect(network.engine.said(inside())).toEqual([
        "link inter-lux may carry this run's own SSH to root@10.255.0.2: the change is taken back after 15 s unless a new login works.",
      ]);
      expect(network.connections).toBe(0);
      expect(await network.engine.up(inside({ mtu: 1400 }))).toBe("updated");
      expect(await mtu()).toBe("1400\n");
      expect(network.connections).toBe(2);
      await isTidy("fra");
    });

    test("a peer that is somebody else is taken back, and the link lives on", async () => {
      const stranger = { publicKey: "Z/nQ151/XO7fH+SlX5Ri5Uf10wssuR5ZNx5DfPaOJiM=" };
      const { reasons } = await refused(network.engine.up(inside({ mtu: 1400, peer: stranger })));
      expect(reasons[0]).toMatch(/wgPeer inter-lux .*(cut off new logins|takes it back)/s);
      await network.on("lux", "ping -c 1 -W 9 10.255.0.2");
      await network.restart();
      expect(await network.engine.up(inside({ mtu: 1400 }))).toBe("updated");
      expect(await network.engine.refresh(inside({ mtu: 1400 }))).toEqual([]);
    });

    test("the near half is changed as long as the far host lets new logins in, and not removed", async () => {
      const near = (more?: Values) => side(network.lab, "lux", "fra", network.outputs("lux", "fra"), more);
      await network.engine.check(inside());
      expect(await network.engine.preview(near({ listenPort: 11902 }))).toMatchObject({ outcome: "updated" });
      expect(network.engine.said(near())).toEqual([
        "root@10.255.0.2 may be reached by inter-fra of this host: the change is taken back after 15 s unless a new login works there, too.",
      ]);
      // fra hears of the new port by lux's next packet.
      expect(await network.engine.up(near({ listenPort: 11902 }))).toBe("updated");
      expect(network.connections).toBe(4); // two to each
      await isTidy("lux");
      const error = await network.engine.destroy(near()).catch((error: Refusal) => error);
      expect((error as Refusal).message).toMatch(/root@10\.255\.0\.2 is reached by inter-fra of this host/);
      await network.on("lux", "ping -c 1 -W 9 10.255.0.2");
      await network.restart();
      expect(await network.engine.up(near())).toBe("updated");
      expect(network.connections).toBe(1); // nobody in this run is reached by it
    });

    test("taken down, it is refused with the cure", async () => {
      const error = await network.engine.destroy(inside({ mtu: 1400 })).catch((error: Refusal) => error);
      expect((error as Refusal).message).toMatch(/inter-lux carries this run's own SSH.*connection\.host/);
      expect(await mtu()).toBe("1400\n");
    });

    test("taken down by force, it is gone with its boot file, though nobody is there to see it", async () => {
      process.env.OVERLAY_FORCE = "on";
      try {
        await network.engine.destroy(inside({ mtu: 1400 }));
      } finally {
        delete process.env.OVERLAY_FORCE;
      }
      expect(network.engine.log.map(({ message }) => message)).toContainEqual(
        expect.stringMatching(/its SSH went with it/),
      );
      await network.on("fra", "! ip link show inter-lux && ! ls /etc/overlay/boot.d/50-inter-lux");
    });
  });

  test("a host that cannot take it back is not changed", async () => {
    await network.restart();
    const before = await setting();
    await network.on("lux", "mv /usr/bin/systemd-run /usr/bin/systemd-run.away");
    const error = await network.engine.up(set("2")).catch((error: Refusal) => error);
    await network.on("lux", "mv /usr/bin/systemd-run.away /usr/bin/systemd-run");
    expect((error as Refusal).message).toMatch(/could not be made to take the change back by itself \(.*systemd-run/);
    expect(await setting()).toBe(before);
    await isTidy("lux");
  });
});
