/** Snapshots and changes on real hosts: a link that carries packets, and each way a change can fail. */
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Applied,
  apply,
  callAgain,
  type Failure,
  type HostError,
  type Hosts,
  type Session,
  snapshot,
  UNDO_AFTER,
  unanswered,
} from "../../sdk/host";
import { type Fact, queries } from "../../sdk/kernel";
import { describeWhere } from "../can";
import { Lab } from "../lab";
import { bring, bringLink, connectionTo, differences, hostsOf, nodeFacts, OWNER } from "./hosts";

jest.setTimeout(60_000);

describeWhere("lab", "apply", () => {
  let lab: Lab;
  let hosts: Hosts;
  let lux: Session;
  let facts: { lux: Fact[]; fra: Fact[] };
  /** On a host of its own, while the other tests run: it takes half a minute. */
  let waited: Promise<unknown>;
  /** On another one: they are confirmed after the host has taken them back. */
  let late: Promise<Applied[]>;
  beforeAll(async () => {
    lab = await Lab.up("lab", { name: "hostapply", fresh: true });
    hosts = hostsOf(lab);
    lux = hosts.session(connectionTo(lab, "lux"));
    facts = await bringLink(lab, hosts);
    const held = lab.exec("hkg", "mkdir -p /run/overlay && flock /run/overlay/lock sleep 40");
    await sleep(300);
    const hkg = hosts.session(connectionTo(lab, "hkg"));
    waited = apply(hkg, { commands: ["put 0644 /root/x hi"], queries: [] }).catch((error: unknown) => error);
    void held;
    const fra = hosts.rounds(connectionTo(lab, "fra"));
    late = Promise.all(
      ["late-a", "late-b"].map((name) =>
        fra.change({
          commands: [`ip link add dev ${name} type veth peer name ${name}-peer`],
          queries: [],
          undo: [`ip link delete dev ${name}`],
          boot: { file: `90-${name}`, content: "# late\n" },
          others: () => sleep((UNDO_AFTER + 2) * 1000),
        }),
      ),
    );
  });
  afterAll(async () => {
    await hosts?.close();
    await Lab.down("hostapply");
  });

  const on = async (host: string, command: string) => (await lab.exec(host, command)).stdout;
  const change = (...commands: string[]) => apply(lux, { commands, queries: [], owners: [OWNER] });
  const fails = async (...commands: string[]): Promise<Failure> => {
    const { failed } = await change(...commands);
    if (!failed) throw new Error(`${commands.join("; ")} did not fail`);
    return failed;
  };
  /** What `break` does to the host is undone by `mend`, whatever the test finds. */
  const with_ = async (host: string, broken: string, mend: string, test: () => Promise<void>) => {
    expect(await lab.exec(host, broken)).toMatchObject({ code: 0 });
    try {
      await test();
    } finally {
      await lab.exec(host, mend);
    }
  };

  test("a device that is being made in this moment, and has no mark yet, is looked at when it has one", async () => {
    await on("lux", ": >/run/overlay/new.fresh; ip link add dev new type veth peer name new-peer");
    const looking = snapshot(lux, []);
    await sleep(500);
    await on("lux", "ip link set dev new group 28417; rm /run/overlay/new.fresh");
    const { links } = await looking;
    await on("lux", "ip link delete dev new");
    expect(links.find(({ ifname }) => ifname === "new")).toMatchObject({ group: "28417" });
  });

  test("two hosts, one link, and a ping each way in both families", async () => {
    for (const [host, peer] of [
      ["lux", 2],
      ["fra", 1],
    ] as const) {
      for (const address of [`10.255.0.${peer}`, `fd00:6f::${peer}`]) {
        expect(await lab.exec(host, `ping -c 1 -W 9 ${address}`)).toMatchObject({ code: 0 });
      }
    }
  });

  test("the host is as it should be, and bringing it there again tells it nothing", async () => {
    expect(await differences(lux, facts.lux)).toEqual([]);
    const state = () =>
      on(
        "lux",
        "ip -d link show inter-fra; nft -s list ruleset; wg show inter-fra allowed-ips; cat /etc/overlay/boot.d/*",
      );
    const before = await state();
    expect(await bring(lux, nodeFacts("lux"), "10-node")).toEqual([]);
    expect(await state()).toBe(before);
  });

  test("a user with sudo sees and does the same", async () => {
    const admin = hosts.session(connectionTo(lab, "lux", { user: "admin" }));
    const asked = queries(facts.lux);
    const [one, other] = [await snapshot(lux, asked), await snapshot(admin, asked)];
    const still = ({ now: _now, uptime: _uptime, wg: _wg, nft: _nft, ...rest }: typeof one) => rest;
    expect(still(other)).toEqual(still(one));
    expect(other.ssh).toEqual({ client: "198.18.0.2", server: "203.0.113.5", device: "eth0" });
    expect((await apply(admin, { commands: ["put 0600 /etc/overlay/x hi"], queries: [] })).failed).toBeUndefined();
    expect(await on("lux", "stat -c '%U %a' /etc/overlay/x && rm /etc/overlay/x")).toBe("root 600\n");
  });

  test("no private key and no PSK leaves the host", async () => {
    const psk = (await on("lux", "wg genpsk | tee /root/psk")).trim();
    const peer = (await on("lux", "wg show inter-fra peers")).trim();
    await on("lux", `wg set inter-fra peer ${peer} preshared-key /root/psk`);
    const key = (await on("lux", "cat /etc/overlay/keys/wireguard.key")).trim();
    const { stdout, stderr } = await lux.run("snapshot", queries(facts.lux).join("\n"));
    expect(key).toHaveLength(44);
    expect(stdout + stderr).not.toContain(key);
    expect(stdout + stderr).not.toContain(psk);
    expect((await snapshot(lux, [])).wg[0]?.peers[0]?.presharedKey).toBe(true);
    await on("lux", `wg set inter-fra peer ${peer} preshared-key /dev/null; rm /root/psk`);
  });

  test("a call that was heard and whose answer was not, as where two have crossed, is made again", async () => {
    const peerOf = async (host: string, device: string) => (await on(host, `wg show ${device} peers`)).trim();
    const ends = [
      { host: "lux", device: "inter-fra", peer: await peerOf("lux", "inter-fra"), other: "10.255.0.2" },
      { host: "fra", device: "inter-lux", peer: await peerOf("fra", "inter-lux"), other: "10.255.0.1" },
    ] as const;
    type End = (typeof ends)[number];
    const [{ device, peer }] = ends;
    const remade = async ({ host, device, peer }: End) => {
      const [, , endpoint, allowed] = (await on(host, `wg show ${device} dump | grep '^${peer}'`)).split("\t");
      await on(host, `wg set ${device} peer ${peer} remove peer ${peer} endpoint ${endpoint} allowed-ips ${allowed}`);
    };
    const ping = ({ host, other }: End) => lab.exec(host, `ping -c 1 -w 1 ${other}`);
    await on(
      "fra",
      "nft add table ip deaf; nft add chain ip deaf in '{ type filter hook input priority 0; }'; nft add rule ip deaf in udp length 100 drop",
    );
    await Promise.all(ends.map(remade));
    expect(await ping(ends[1])).toMatchObject({ code: 1 });
    const before = await on("lux", "wg showconf inter-fra | grep -v Key");
    const asked = (again: boolean) => unanswered(lux, device, [{ publicKey: peer, again }]);
    await on("fra", "nft delete table ip deaf");
    expect([...(await asked(false)).keys()]).toEqual([peer]);
    expect([...(await asked(true)).keys()]).toEqual([peer]);
    expect(await ping(ends[0])).toMatchObject({ code: 0 });
    expect(await on("lux", "wg showconf inter-fra | grep -v Key")).toBe(before);

    // A session that only one of them has.
    await remade(ends[1]);
    expect(await ping(ends[0])).toMatchObject({ code: 1 });
    expect(await asked(true)).toEqual(new Map());
    await callAgain(lux, device, peer);
    expect(await ping(ends[0])).toMatchObject({ code: 0 });

    // One that is in use keeps its session.
    const handshake = () => on("lux", `wg show ${device} latest-handshakes`);
    const sessions = await handshake();
    await on("lux", `sleep 1; ping -q -c 4 -i 0.1 -s 1300 ${ends[0].other}`);
    await callAgain(lux, device, peer);
    expect(await ping(ends[0])).toMatchObject({ code: 0 });
    expect(await handshake()).toBe(sessions);
  });

  test("the line that fails is named; what came before it stands, what came after was not done, the snapshot tells", async () => {
    const result = await apply(lux, {
      commands: [
        "ip link add dev dummy-a type veth peer name dummy-b",
        "ip link add dev dummy-a type veth peer name dummy-c",
        "ip link add dev dummy-d type veth peer name dummy-e",
      ],
      queries: ["file /etc/overlay/boot.d/90-x"],
      boot: { file: "90-x", content: "# x\n" },
    });
    expect(result.failed).toEqual({
      command: "ip link add dev dummy-a type veth peer name dummy-c",
      code: 1,
      stderr: "RTNETLINK answers: File exists",
      message: "`ip link add dev dummy-a type veth peer name dummy-c` failed (RTNETLINK answers: File exists).",
    });
    const names = result.snapshot.links.map(({ ifname }) => ifname);
    expect(names).toContain("dummy-a");
    expect(names).not.toContain("dummy-d");
    expect(result.snapshot.files).toEqual({ "/etc/overlay/boot.d/90-x": undefined });
    await change("ip link delete dev dummy-a");
  });

  test("the boot file is written last, removed when asked, and shows whose it is", async () => {
    const boot = { file: "90-x", content: "# overlay:test::x\nip link set dev lo up\n" };
    const { snapshot: with_ } = await apply(lux, { commands: [], queries: [], boot });
    expect(with_.boot["90-x"]).toBe("overlay:test::x");
    expect(await on("lux", "cat /etc/overlay/boot.d/90-x")).toBe(boot.content);
    const { snapshot: without } = await apply(lux, { commands: [], queries: [], boot: { ...boot, content: null } });
    expect(without.boot).not.toHaveProperty("90-x");
  });

  test("a machine of another stack is left alone", async () => {
    const refused = apply(lux, { commands: ["ip link delete dev inter-fra"], queries: [], owners: ["net/other"] });
    const error = (await refused.catch((error: unknown) => error)) as HostError;
    expect(error.kind).toBe("owned");
    expect(error.message).toContain(`belongs to the stack ${OWNER}, not to net/other`);
    expect(await differences(lux, facts.lux)).toEqual([]);
    const renamed = await apply(lux, { commands: [], queries: [], owners: ["net/new", OWNER] });
    expect(renamed.failed).toBeUndefined();
  });

  test("two runs at once: one waits for the other", async () => {
    const other = hostsOf(lab);
    const slow = lab.exec("lux", "flock /run/overlay/lock sleep 2");
    await sleep(300);
    const start = Date.now();
    await apply(other.session(connectionTo(lab, "lux")), { commands: ["put 0644 /etc/overlay/x hi"], queries: [] });
    expect(Date.now() - start).toBeGreaterThan(1000);
    await slow;
    await change("remove /etc/overlay/x");
    await other.close();
  });

  const full = "mount -t tmpfs -o size=4k tmpfs /mnt && head -c 4096 /dev/zero >/mnt/zero";
  test("the disk is full", () =>
    with_("lux", full, "umount /mnt", async () => {
      const { message } = await fails("put 0644 /mnt/file hello");
      expect(message).toMatch(/^`put 0644 \/mnt\/file` failed \(.*No space left.*\): the disk is full: make room/);
      expect((await fails("genkey /mnt/key")).message).toContain("the disk is full");
      expect(await on("lux", "ls /mnt")).toBe("zero\n");
    }));

  test("/etc is read-only", () =>
    with_("lux", "mount --bind /etc /etc && mount -o remount,bind,ro /etc", "umount /etc", async () => {
      const { message } = await fails("put 0644 /etc/overlay/boot.d/90-x hello");
      expect(message).toContain("the file system is read-only: mount it for writing");
      expect((await fails("remove /etc/overlay/owner")).message).toContain("the file system is read-only");
    }));

  const hide = (tool: string) =>
    `cd /usr && mkdir -p /root/usr/bin /root/usr/sbin && for f in sbin/${tool} bin/${tool}; do [ ! -e $f ] || mv $f /root/usr/$f; done`;
  const unhide = "cp -a /root/usr/. /usr/ && rm -r /root/usr";

  test.each([
    ["wg", "wg set inter-fra listen-port 11002", "wireguard-tools"],
    ["nft", "nft add table inet overlay-x", "nftables"],
    ["ip", "ip link set dev lo up", "iproute2"],
  ])("%s is missing: the snapshot still comes, a command says what to install", (tool, command, pkg) =>
    with_("lux", hide(tool), unhide, async () => {
      const { commands } = await snapshot(lux, [`command ${tool}`]);
      expect(commands).toEqual({ [tool]: false });
      const { code, message } = await fails(command);
      expect(code).toBe(127);
      expect(message).toContain(`the host has no ${tool}: install it (apt-get install ${pkg})`);
    }),
  );

  test("packages are installed without a question; one that is nowhere is named", async () => {
    await lab.exec("lux", "apt-get -qq remove -y fping");
    expect((await change("apt-get install fping")).failed).toBeUndefined();
    expect(await lab.exec("lux", "fping -v")).toMatchObject({ code: 0 });
    const { message } = await fails("apt-get install nowhere-at-all");
    expect(message).toContain("Unable to locate package nowhere-at-all");
  });

  test("a wireguard-go that does not start says why, without a wait", () =>
    with_(
      "lux",
      "mv /usr/bin/wireguard-go /root && printf '#!/bin/sh\\necho ERROR: no socket; exit 1\\n' >/usr/bin/wireguard-go && chmod 755 /usr/bin/wireguard-go",
      "mv /root/wireguard-go /usr/bin && systemctl stop overlay-wireguard-go@other.service",
      async () => {
        const start = Date.now();
        const { command, stderr } = await fails("ip link add dev other group 28417 type wireguard");
        expect(command).toBe("ip link add dev other group 28417 type wireguard");
        expect(stderr).toMatch(/^ERROR: no socket\nJob for overlay-wireguard-go@other.service failed/);
        expect(Date.now() - start).toBeLessThan(3000);
      },
    ));

  test("a tool that hangs is ended, and the change says so", () =>
    with_(
      "lux",
      "mv /usr/bin/wg /root/wg && printf '#!/bin/sh\\nsleep 100\\n' >/usr/bin/wg && chmod 755 /usr/bin/wg",
      "mv /root/wg /usr/bin/wg",
      async () => {
        const { command, code, message } = await fails("wg set inter-fra listen-port 11002");
        expect([command, code]).toEqual(["wg set inter-fra listen-port 11002", 124]);
        expect(message).toContain("it did not end in time");
      },
    ));

  test("another run that does not end is told after half a minute, and nothing is done", async () => {
    const error = (await waited) as HostError;
    expect(error.kind).toBe("busy");
    expect(error.message).toContain("another run has been changing root@192.0.2.7 for 30 s");
    expect(await lab.exec("hkg", "ls /root/x")).toMatchObject({ code: 2 });
  });

  test("changes that are confirmed too late are taken back all together, and each is told", async () => {
    for (const { takenBack, snapshot } of await late) {
      expect(takenBack).toBe(true);
      expect(snapshot.links.filter(({ ifname }) => ifname.startsWith("late-"))).toEqual([]);
    }
    expect(await on("fra", "ls /etc/overlay/boot.d")).not.toContain("late");
  });

  test("a host with IPv6 switched off gives a snapshot", async () => {
    const hkg = hosts.session(connectionTo(lab, "hkg"));
    expect((await snapshot(hkg, [])).routes6).not.toEqual([]);
    await lab.exec("hkg", "sysctl -w net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.lo.disable_ipv6=1");
    const { routes4, routes6, rules6, addrs } = await snapshot(hkg, []);
    expect(routes4).not.toEqual([]);
    expect({ routes6, rules6: rules6.length }).toEqual({ routes6: [], rules6: 2 });
    expect(addrs.flatMap(({ addr_info }) => addr_info).filter(({ family }) => family === "inet6")).toEqual([]);
  });
});
