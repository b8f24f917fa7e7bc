/** Runs that do not come to their end: killed, cancelled, too slow, or two at once. */
import { kill } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { type Declared, failure } from "../../sdk/provider/client";
import { host, Network, side } from "./network";

jest.setTimeout(180_000);

describeWhere("lab", "interrupted", () => {
  let network: Network;

  beforeAll(async () => {
    network = await Network.open(await Lab.up("lab", { name: "stop", fresh: true }), { plugin: {} });
  });
  afterAll(async () => {
    await network?.close();
    await Lab.down("stop");
  });

  /** No lock is held, and no file is half written. */
  const isTidy = async (node: string) => {
    await network.on(
      node,
      "flock -w 20 /run/overlay/lock true; ! find /etc /usr/local/lib/overlay -name '*.overlay-new' | grep .",
    );
  };

  // Up to the whole time that it takes to make a host on a busy machine.
  test.each([0, 60, 120, 180, 250, 330, 450, 700])(
    "a provider killed after %i ms: the next run ends what it began",
    async (milliseconds) => {
      const lux = host(network.lab, "lux");
      const pid = network.engine.pid ?? 0;
      const ended = network.engine.up(lux).catch(() => "killed");
      await sleep(milliseconds);
      kill(pid, "SIGKILL");
      await ended;
      network.engine.state.clear();
      await network.restart();
      await network.engine.up(lux);
      expect(await network.engine.refresh(lux)).toEqual([]);
      await isTidy("lux");
      expect(await network.engine.up(lux)).toBe("same");
      await network.engine.destroy(lux);
      expect(await network.on("lux", "ls -d /etc/overlay || true")).toBe("");
    },
  );

  describe("with a link", () => {
    let link: Declared;
    const changed = (mtu: number): Declared => side(network.lab, "lux", "fra", network.outputs("lux", "fra"), { mtu });
    const mtu = () => network.on("lux", "cat /sys/class/net/inter-fra/mtu");

    beforeAll(async () => {
      link = (await network.link("lux", "fra")).a;
    });

    /** Somebody else holds the lock for a while. */
    const hold = (seconds: number) =>
      network.on("lux", `systemd-run -q --collect flock /run/overlay/lock sleep ${seconds}; sleep 0.2`);

    /** Resolves when the provider has sent a change to a host, which waits for the lock. */
    async function changing(): Promise<void> {
      const sent = () => network.engine.log.some(({ message }) => /^(removing it: )?\d+ commands?$/.test(message));
      for (let tries = 0; !sent() && tries < 1000; tries++) await sleep(20);
      await sleep(300);
    }

    /** Kills the provider after so many milliseconds, or when it has sent a change; the next run has the same state. */
    async function killed(work: () => Promise<unknown>, when: number | "in the middle"): Promise<void> {
      await network.restart();
      if (when === "in the middle") await hold(2);
      const ended = work().then(
        () => "ended",
        () => "killed",
      );
      if (when === "in the middle") await changing();
      else await sleep(when);
      kill(network.engine.pid ?? 0, "SIGKILL");
      if (when === "in the middle") expect(await ended).toBe("killed");
      await ended;
      await network.restart();
    }

    test.each([0, 10, 30, 80, "in the middle"] as const)(
      "an update that is killed (%p ms) is made by the next run",
      async (when) => {
        const goal = when === "in the middle" ? 1299 : 1300 + when;
        await killed(() => network.engine.up(changed(goal)), when);
        await network.engine.up(changed(goal));
        expect(await mtu()).toBe(`${goal}\n`);
        expect(await network.engine.refresh(changed(goal))).toEqual([]);
        await isTidy("lux");
      },
    );

    test.each([40, 100, "in the middle"] as const)(
      "a link whose making, or whose end, is killed (%p ms) is there, or is gone, after the next run",
      async (when) => {
        await killed(() => network.engine.destroy(link), when);
        // What was killed when it had ended is not there any more, which is nothing to do.
        await network.engine.destroy(link);
        await network.on("lux", "! ip link show inter-fra && ! ls /etc/overlay/boot.d/50-inter-fra");
        expect(await network.on("lux", "nft list table inet overlay")).not.toContain("inter-fra");
        await isTidy("lux");
        await killed(() => network.engine.up(link), when);
        await network.engine.up(link);
        expect(await network.engine.refresh(link)).toEqual([]);
        await network.on("lux", "ping -c 1 -w 15 10.255.0.2");
        await isTidy("lux");
      },
    );

    test("a cancelled run ends at once, keeps what it does not know as half applied, and leaves no lock", async () => {
      await network.restart();
      await hold(8);
      const ended = failure(network.engine.up(changed(1281)));
      await changing();
      const cancelled = Date.now();
      await network.engine.cancel();
      expect(await ended).toMatchObject({ code: "CANCELLED" });
      expect(Date.now() - cancelled).toBeLessThan(1000);
      expect(network.engine.kept(link).initErrors).toEqual([
        expect.stringMatching(/: cancelled in the middle of a change\./),
      ]);
      await isTidy("lux");
      await network.restart();
      expect(await network.engine.up(changed(1282))).toBe("updated");
      expect(await mtu()).toBe("1282\n");
      expect(await network.engine.refresh(changed(1282))).toEqual([]);
    });

    test("an operation that takes longer than its customTimeouts is told so", async () => {
      await network.restart();
      await hold(8);
      const error = await failure(network.engine.up({ ...changed(1283), seconds: 3 }));
      expect(error).toMatchObject({ code: "ABORTED" });
      expect(error.message).toMatch(/root@203\.0\.113\.5 was not done within the 3 s of customTimeouts/);
      await isTidy("lux");
      await network.engine.up(changed(1283));
      expect(await network.engine.refresh(changed(1283))).toEqual([]);
    });

    test("two runs at once: one after the other, and both end well", async () => {
      const other = await Network.open(network.lab, { state: new Map(network.engine.state) });
      const ups = [1290, 1291, 1292, 1293].map((goal, index) => (index % 2 ? other : network).engine.up(changed(goal)));
      const failed = (await Promise.allSettled(ups)).filter(({ status }) => status === "rejected");
      // Each may see what the other made in place of its own; then it says so, and the next run mends it.
      for (const one of failed) expect((one as PromiseRejectedResult).reason.code).toBe("ABORTED");
      await isTidy("lux");
      await network.engine.up(link);
      expect(await network.engine.refresh(link)).toEqual([]);
      await other.close();
    });

    test("two runs that make the same thing at once both succeed", async () => {
      await network.engine.destroy(link);
      const other = await Network.open(network.lab, { state: new Map(network.engine.state) });
      expect(await Promise.all([network.engine.up(link), other.engine.up(link)])).toEqual(["created", "created"]);
      expect(await network.engine.refresh(link)).toEqual([]);
      await other.close();
    });

    test("two runs at once, each with its own memory of the stack: both end well, and the hosts are as declared", async () => {
      const other = await Network.open(network.lab);
      const hosts = ["lux", "fra"].map((node) => host(network.lab, node));
      const goals = [changed(1294), side(network.lab, "fra", "lux", network.outputs("lux", "fra"), { mtu: 1294 })];
      const up = async ({ engine }: Network) => {
        await Promise.all(hosts.map((one) => engine.up(one)));
        return Promise.all(goals.map((one) => engine.up(one)));
      };
      expect(await Promise.all([up(network), up(other)])).toEqual([
        ["updated", "updated"],
        ["created", "created"],
      ]);
      for (const { engine } of [network, other]) {
        for (const one of [...hosts, ...goals]) expect(await engine.refresh(one)).toEqual([]);
      }
      await network.on("lux", "ping -c 1 -w 15 10.255.0.2 && ping -c 1 -w 15 fd00:6f::2");
      await other.close();
    });

    test("a host that loses power in the middle: the next run makes what is missing", async () => {
      await network.restart();
      await hold(8);
      const ended = failure(network.engine.up({ ...changed(1295), seconds: 10 }));
      await changing();
      await network.lab.powerOff("lux");
      expect((await ended).code).toBe("ABORTED");
      await network.lab.start("lux");
      await network.restart();
      expect(await network.engine.up(changed(1295))).toBe("updated");
      expect(await network.engine.refresh(changed(1295))).toEqual([]);
      expect(await network.engine.refresh(host(network.lab, "lux"))).toEqual([]);
    });

    test("the plugin leaves no process behind", async () => {
      const pid = network.engine.pid ?? 0;
      await network.engine.up(changed(1296));
      await network.engine.close();
      expect(() => kill(pid, 0)).toThrow(/ESRCH/);
      await network.restart();
    });
  });
});
