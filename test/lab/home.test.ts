/** A machine at home, behind a NAT router. */
import { join } from "node:path";
import { describeWhere } from "../can";
import { Lab, run } from ".";

jest.setTimeout(120_000);

describeWhere("lab", "a home behind NAT", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.up("home", { name: "thome", fresh: true });
  });
  afterAll(() => Lab.down("thome"));

  test("from inside one gets out, under the router's address", async () => {
    await lab.exec("lux", "iperf3 -s -1 -D");
    expect((await lab.exec("nas", "iperf3 -c 203.0.113.5 -n 1M --connect-timeout 3000")).code).toBe(0);
    await lab.exec("lux", "systemd-run --quiet --unit=seen timeout 10 tcpdump -lnc1 -i eth0 icmp");
    await lab.exec("lux", "until journalctl -u seen | grep -q 'listening on'; do sleep 0.02; done");
    await lab.exec("nas", "ping -q -c1 -W1 203.0.113.5");
    await lab.exec("lux", "while systemctl -q is-active seen; do sleep 0.02; done");
    expect((await lab.exec("lux", "journalctl -u seen -o cat")).stdout).toContain(
      "IP 198.51.100.20 > 203.0.113.5: ICMP echo request",
    );
  });

  test("from outside nobody gets in, but by a forwarded port", async () => {
    expect((await lab.exec("lux", "ping -c1 -W1 192.168.1.10")).stdout).toContain("Destination Net Unreachable");
    const banner = (port: number) =>
      lab.exec("lux", `timeout 2 bash -c 'read -r line </dev/tcp/198.51.100.20/${port} && echo "$line"'`);
    expect((await banner(2222)).stdout).toContain("SSH-2.0-OpenSSH");
    expect((await banner(22)).stdout).toBe("");
    expect(lab.json.hosts.nas).toMatchObject({
      addresses: ["192.168.1.10"],
      host: "198.51.100.20",
      port: 2222,
      segment: "home",
    });
    expect((await run([...lab.ssh("nas"), "cat /etc/machine-id"])).stdout.trim()).toBe(lab.json.hosts.nas?.machine);
  });

  test("the router loses fragments, and there is no IPv6", async () => {
    const ping = (size: number) => lab.exec("nas", `ping -q -c2 -i 0.1 -W1 -s ${size} 203.0.113.5`);
    expect((await ping(1472)).code).toBe(0);
    expect((await ping(1473)).code).toBe(1);
    expect((await lab.exec("nas", "ip -6 -o addr show scope global; ip -6 route show default")).stdout).toBe("");
  });

  test("an MTU at home that is smaller than the cable says", async () => {
    await lab.break({ kind: "mtu", target: "home", bytes: 1492, silent: false });
    const ping = (bytes: number) => lab.exec("nas", `ping -c2 -i 0.1 -W1 -M do -s ${bytes - 28} 203.0.113.5`);
    expect((await ping(1492)).code).toBe(0);
    expect((await ping(1493)).stdout).toMatch(/mtu ?= ?1492/);
    await lab.heal();
  });
});

describeWhere("lab", "a home behind NAT, an office that is routed, and a private line", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.up(join(__dirname, "golden/routed.yaml"), { name: "trouted", fresh: true });
  });
  afterAll(() => Lab.down("trouted"));

  const ping = async (from: string, to: string, bytes: number) => {
    const size = bytes - (to.includes(":") ? 48 : 28);
    const { code, stdout } = await lab.exec(from, `ping -c2 -i 0.1 -W1 -M do -s ${size} ${to}`);
    return [from, to, bytes, code, /mtu ?[=:] ?(\d+)/.exec(stdout)?.[1]];
  };

  test("each gets where it should, in packets as large as the way allows", async () => {
    for (const [from, to, bytes] of [
      ["nas", "10.1.0.10", 1492],
      ["nas", "2001:db8:a::10", 1492],
      ["nas", "172.16.0.3", 9000],
      ["alone", "172.16.0.2", 9000],
      ["desk", "203.0.113.20", 1500],
    ] as const) {
      expect(await ping(from, to, bytes)).toEqual([from, to, bytes, 0, undefined]);
    }
    expect((await lab.exec("desk", "ping -c1 -W1 192.168.1.10")).code).not.toBe(0);
    expect((await lab.exec("alone", "ping -c1 -W1 10.1.0.10")).stderr).toContain("Network is unreachable");
  });

  test("the operator reaches the office as admin, and nobody reaches the home", async () => {
    expect(lab.json.hosts.desk).toMatchObject({ host: "10.1.0.10", port: 22, user: "admin" });
    expect((await run([...lab.ssh("desk"), "id -un"])).stdout).toBe("admin\n");
    expect(lab.json.hosts.nas?.host).toBeUndefined();
  });

  test("an MTU on the way holds for what is routed behind it, too", async () => {
    await lab.break({ kind: "mtu", target: "isp", bytes: 1400, silent: false });
    expect(await ping("desk", "198.18.0.2", 1400)).toEqual(["desk", "198.18.0.2", 1400, 0, undefined]);
    expect(await ping("desk", "198.18.0.2", 1401)).toEqual(["desk", "198.18.0.2", 1401, 1, "1400"]);
    await lab.heal();
  });
});
