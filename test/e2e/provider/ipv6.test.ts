/**
 * IPv6 as hosts have it: switched off for new devices, or for all, as many images do, where links need it, and have it;
 * and a default route by router advertisement, which forwarding would take away.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { type Declared, failure } from "../../sdk/provider/client";
import { host, Network } from "./network";

jest.setTimeout(120_000);

describeWhere("lab", "IPv6", () => {
  let network: Network;
  let link: { a: Declared; b: Declared };

  beforeAll(async () => {
    network = await Network.open(await Lab.up("lab", { name: "ipvsix", fresh: true }));
  });
  afterAll(async () => {
    await network?.close();
    await Lab.down("ipvsix");
  });

  // From the host that is rebooted: the other one still believes in the session before.
  const carries = () => network.on("fra", "ping -c 1 -W 9 fd00:6f::1 && ping -c 1 -W 9 10.255.0.1");

  test("switched off for new devices of one host, for all of the other: the link comes up whole", async () => {
    await network.on("lux", "sysctl -q -w net.ipv6.conf.default.disable_ipv6=1");
    await network.on("fra", "sysctl -q -w net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1");
    link = await network.link("lux", "fra");
    for (const side of [link.a, link.b]) expect(await network.engine.refresh(side)).toEqual([]);
    await carries();
  });

  test("switched off by hand on the link's device: drift that names it, and all that went with it comes back", async () => {
    await network.on("lux", "sysctl -q -w net.ipv6.conf.inter-fra.disable_ipv6=1");
    await network.engine.refresh(link.a);
    expect(network.engine.kept(link.a).outputs.config).toContain("sysctl -w net/ipv6/conf/inter-fra/disable_ipv6=1");
    expect(await network.engine.up(link.a)).toBe("updated");
    await carries();
  });

  test("switched off by the host's own settings at boot", async () => {
    await network.on(
      "fra",
      "printf 'net.ipv6.conf.%s.disable_ipv6=1\n' all default >/etc/sysctl.d/90-no-ipv6.conf && sync",
    );
    await network.lab.reboot("fra");
    await network.on("fra", "systemctl is-system-running --wait");
    await network.on("fra", "grep -x 1 /proc/sys/net/ipv6/conf/default/disable_ipv6");
    expect(await network.engine.refresh(link.b)).toEqual([]);
    await carries();
  });

  describe("forwarding where a router has advertised the default route", () => {
    const pair = { a: { name: "lux", addresses: ["fd00:6f::1"] }, b: { name: "fra", addresses: ["fd00:6f::2"] } };
    const relay = (sysctls?: Record<string, string>) =>
      host(network.lab, "hkg", { relay: [pair], ...(sysctls && { sysctls }) });
    const way = () => network.on("hkg", "ip -6 route show default dev uplink");
    const settings = () =>
      network
        .on("hkg", "cd /proc/sys/net/ipv6/conf && cat uplink/accept_ra all/forwarding")
        .then((it) => it.split("\n"));
    const script = readFileSync(join(__dirname, "advertise.sh"), "utf8");
    const advertise = async (to: string) => {
      const said = await network.lab.exec("hkg", ["sh", "-s", to], { input: script });
      expect(said).toMatchObject({ code: 0, stderr: "" });
      expect(await way()).toContain("proto ra");
    };

    test("to networkd: its route stays, and nothing is to be declared for that", async () => {
      await advertise("networkd");
      expect(await settings()).toEqual(["0", "0", ""]);
      expect(await network.engine.up(relay())).toBe("created");
      expect(await settings()).toEqual(["0", "1", ""]);
      expect(await way()).toContain("proto ra");
      await network.engine.destroy(relay());
      await network.on(
        "hkg",
        "ip link del uplink && ip netns del router && rm /run/systemd/network/10-uplink.network && networkctl reload",
      );
    });

    test("to the kernel: refused with the setting that keeps the route, and with it kept", async () => {
      await advertise("kernel");
      const { message } = await failure(network.engine.up(relay()));
      expect(message).toContain("net/ipv6/conf/uplink/accept_ra = 2 together with net/ipv6/conf/all/forwarding");
      expect(message).toContain('add "net/ipv6/conf/uplink/accept_ra": "2"');
      expect(await way()).toContain("proto ra");
      expect(await network.engine.up(relay({ "net/ipv6/conf/uplink/accept_ra": "2" }))).toBe("created");
      expect(await settings()).toEqual(["2", "1", ""]);
      expect(await way()).toContain("proto ra");
    });
  });
});
