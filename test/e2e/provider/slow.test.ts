/** Hosts that answer slowly, let in few, or do not know what time it is. */
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { eventually } from "../days/network";
import { connection, host, Network, side } from "./network";

jest.setTimeout(180_000);

describeWhere("lab", "a host with difficulties", () => {
  let network: Network;
  let link: Awaited<ReturnType<Network["link"]>>;

  beforeAll(async () => {
    network = await Network.open(await Lab.up("lab", { name: "rolloutslow", fresh: true }));
    link = await network.link("lux", "fra");
  });
  afterAll(async () => {
    await network?.close();
    await Lab.down("rolloutslow");
  });
  beforeEach(() => network.restart());

  const withMtu = (mtu: number) => {
    const known = network.outputs("lux", "fra");
    return { a: side(network.lab, "lux", "fra", known, { mtu }), b: side(network.lab, "fra", "lux", known, { mtu }) };
  };
  const mtu = (node: string, device: string) => network.on(node, `cat /sys/class/net/${device}/mtu`);
  const setting = (value: string) => host(network.lab, "lux", { sysctls: { "net/ipv4/conf/all/rp_filter": value } });

  /** A tool of the host that is found before its own. */
  const instead = (tool: string, script: string) =>
    network.on(
      "lux",
      `printf '#!/bin/sh\\n%s\\n' '${script}' >/usr/local/sbin/${tool}; chmod +x /usr/local/sbin/${tool}`,
    );
  const no = (tool: string) => network.on("lux", `rm /usr/local/sbin/${tool}`);

  test("one whose tools and whose sshd take seconds: it is told who is waited for, and all is done", async () => {
    await instead("ip", 'sleep 0.5; exec /usr/sbin/ip "$@"');
    await network.on("lux", "systemctl kill --kill-whom=main -s STOP ssh");
    const done = Promise.all([network.engine.up(withMtu(1400).a), network.engine.up(withMtu(1400).b)]);
    await network.on("lux", "sleep 3; systemctl kill --kill-whom=main -s CONT ssh");
    expect(await done).toEqual(["updated", "updated"]);
    await no("ip");
    expect(network.engine.log.map(({ message }) => message)).toContain("waiting for root@203.0.113.5");
    expect([await mtu("lux", "inter-fra"), await mtu("fra", "inter-lux")]).toEqual(["1400\n", "1400\n"]);
    expect(await network.engine.refresh(link.a)).toEqual([]);
  });

  test("one that allows a connection a single session: links at once, and a change that is confirmed", async () => {
    await network.on("lux", "echo MaxSessions 1 >/etc/ssh/sshd_config.d/00-few.conf && systemctl restart ssh");
    const { engine } = network;
    expect(await Promise.all([engine.up(withMtu(1390).a), engine.up(setting("2"))])).toEqual(["updated", "updated"]);
    expect(network.connections).toBe(2);
    expect([await mtu("lux", "inter-fra"), await engine.refresh(setting("2"))]).toEqual(["1390\n", []]);
    await network.on("lux", "rm /etc/ssh/sshd_config.d/00-few.conf && systemctl restart ssh");
  });

  test("one that says it is 1970 is told so; nothing drifts, an endpoint that somebody set does, and is mended", async () => {
    await network.on("lux", "ping -c 1 -W 9 10.255.0.2");
    // The clock of a container is the machine's own: it is the answer to the question that is changed. A clock that is
    // wrong, and what WireGuard makes of it, is in days/clock.vm.long.test.ts.
    await instead("stat", '/usr/bin/stat "$@" | sed "/ .proc.self. /s/[0-9]*$/100/"');
    const { a } = withMtu(1390);
    expect(await network.engine.refresh(a)).toEqual([]);
    expect(await network.engine.refresh(setting("2"))).toEqual([]);
    const said =
      /^The clock of lux says 1970-01-01T00:01:40\.000Z, which is behind: .*`timedatectl set-ntp true` on lux/;
    await eventually("nobody says so", async () => network.engine.log.some(({ message }) => said.test(message)));
    const endpoint = `${connection(network.lab, "fra").host}:9`;
    const key = network.outputs("fra").fra?.publicKey;
    await network.on("lux", `wg set inter-fra peer ${key} endpoint ${endpoint}`);
    expect(await network.engine.refresh(a)).toEqual([
      expect.stringMatching(/^- wg set/),
      expect.stringContaining(endpoint),
    ]);
    expect(await network.engine.up(a)).toBe("updated");
    expect(await network.engine.up(setting("0"))).toBe("updated");
    expect([await network.engine.refresh(a), await network.engine.refresh(setting("0"))]).toEqual([[], []]);
    expect(network.engine.log.filter(({ message }) => said.test(message))).toHaveLength(1);
    await no("stat");
  });
});
