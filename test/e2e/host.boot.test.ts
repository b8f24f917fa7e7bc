/** What a host is after a reboot, before anybody connects to it. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Hosts, Session } from "../../sdk/host";
import type { Fact } from "../../sdk/kernel";
import { describeWhere } from "../can";
import { Lab } from "../lab";
import { bring, bringLink, connectionTo, differences, hostsOf, nodeFacts } from "./hosts";

jest.setTimeout(120_000);

describeWhere("lab", "boot", () => {
  let lab: Lab;
  let hosts: Hosts;
  let lux: Session;
  let facts: Fact[];
  beforeAll(async () => {
    lab = await Lab.up("lab", { name: "hostboot", fresh: true });
    hosts = hostsOf(lab);
    lux = hosts.session(connectionTo(lab, "lux"));
    facts = (await bringLink(lab, hosts)).lux;
  });
  afterAll(async () => {
    await hosts?.close();
    await Lab.down("hostboot");
  });

  const on = async (command: string) => (await lab.exec("lux", command)).stdout;
  const settled = () => on("systemctl is-system-running --wait");

  test("a rebooted host is in the same state, and its link carries packets", async () => {
    await lab.reboot("lux");
    expect(await settled()).toBe("running\n");
    expect(await differences(lux, facts)).toEqual([]);
    expect(await lab.exec("lux", "ping -c 1 -W 9 fd00:6f::2")).toMatchObject({ code: 0 });
  });

  test("the guard and the devices are there before the network is configured", async () => {
    const order = await on("systemctl show -p ActiveEnterTimestampMonotonic --value overlay-early systemd-networkd");
    const [early = 0, networkd = 0] = order.trim().split(/\s+/).map(Number);
    expect(early).toBeGreaterThan(0);
    expect(early).toBeLessThan(networkd);
    expect(await on("systemctl show -p RequiredBy,RequisiteOf,BoundBy --value overlay-early")).toMatch(/^\s*$/);
  });

  test("a host that lost its power is in the same state", async () => {
    await lab.exec("lux", "sync");
    await lab.powerOff("lux");
    await lab.start("lux");
    await settled();
    expect(await differences(lux, facts)).toEqual([]);
  });

  test("a wireguard-go that dies comes back with its configuration, and only it", async () => {
    const unit = "overlay-wireguard-go@inter-fra.service";
    const before = await on("cat /sys/class/net/inter-fra/ifindex");
    await lab.exec("lux", `systemctl kill -s KILL ${unit}`);
    for (let tries = 0; tries < 50; tries++) {
      if ((await on(`systemctl is-active ${unit}; cat /sys/class/net/inter-fra/ifindex`)) > `active\n${before}`) break;
      await sleep(100);
    }
    expect(await on("cat /sys/class/net/inter-fra/ifindex")).not.toBe(before);
    expect(await differences(lux, facts)).toEqual([]);
    expect(await on("ip -6 addr show dev inter-fra scope link")).toMatch(/fe80::1\/64/);
    expect((await on("ip -6 addr show dev inter-fra scope link")).match(/inet6/g)).toHaveLength(1);
    expect(await lab.exec("lux", "ping -c 1 -W 9 10.255.0.2")).toMatchObject({ code: 0 });
  });

  test("what cannot be done before the network is done after it", async () => {
    const device = "192.0.2.200/32 dev late0";
    await lab.exec(
      "lux",
      `printf '# test::late\\nip route add ${device} proto 111 metric 4096\\n' >/etc/overlay/boot.d/90-late`,
    );
    await lab.exec(
      "lux",
      `printf '[NetDev]\\nName=late0\\nKind=veth\\n[Peer]\\nName=late1\\n' >/etc/systemd/network/late.netdev
       printf '[Match]\\nName=late0\\n[Link]\\nRequiredForOnline=no\\n[Network]\\nAddress=192.0.2.100/32\\n' >/etc/systemd/network/late.network`,
    );
    await lab.reboot("lux");
    expect(await settled()).toBe("running\n");
    expect(await on("ip route show 192.0.2.200")).toContain("dev late0 proto 111");
    expect(await on("cat /run/overlay/boot.todo")).toBe("");
    expect(await on("journalctl -b -u overlay-early")).toContain('Cannot find device "late0"');
    await lab.exec("lux", "rm /etc/systemd/network/late.* /etc/overlay/boot.d/90-late; ip link delete dev late0");
  });

  test("starting the units on a running host changes nothing", async () => {
    const state = () =>
      on("cat /sys/class/net/inter-fra/ifindex; nft -s list ruleset; ip rule; ip route show table all | grep -v eth0");
    const before = await state();
    await lab.exec("lux", "systemctl restart overlay-early overlay-late");
    expect(await differences(lux, facts)).toEqual([]);
    expect(await state()).toBe(before);
  });

  test("a change during a boot is not disturbed by it", async () => {
    await lab.reboot("lux");
    expect(await bring(lux, nodeFacts("lux", { sysctls: { "net/ipv4/ip_forward": "1" } }), "10-node")).toEqual([]);
    await settled();
    expect(await on("cat /proc/sys/net/ipv4/ip_forward")).toBe("1\n");
    await lab.reboot("lux");
    await settled();
    expect(await on("cat /proc/sys/net/ipv4/ip_forward")).toBe("1\n");
  });
});
