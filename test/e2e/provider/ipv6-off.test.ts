/** Hosts that switch IPv6 off for new devices, or for all, as many images do: links need it, and have it. */
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import type { Declared } from "../../sdk/provider/client";
import { Network } from "./network";

jest.setTimeout(120_000);

describeWhere("lab", "IPv6 switched off", () => {
  let network: Network;
  let link: { a: Declared; b: Declared };

  beforeAll(async () => {
    network = await Network.open(await Lab.up("lab", { name: "ipv6off", fresh: true }));
  });
  afterAll(async () => {
    await network?.close();
    await Lab.down("ipv6off");
  });

  // From the host that is rebooted: the other one still believes in the session before.
  const carries = () => network.on("fra", "ping -c 1 -W 9 fd00:6f::1 && ping -c 1 -W 9 10.255.0.1");

  test("for new devices of one host, for all of the other: the link comes up whole", async () => {
    await network.on("lux", "sysctl -q -w net.ipv6.conf.default.disable_ipv6=1");
    await network.on("fra", "sysctl -q -w net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1");
    link = await network.link("lux", "fra");
    for (const side of [link.a, link.b]) expect(await network.engine.refresh(side)).toEqual([]);
    await carries();
  });

  test("by hand on the link's device: drift that names it, and all that went with it comes back", async () => {
    await network.on("lux", "sysctl -q -w net.ipv6.conf.inter-fra.disable_ipv6=1");
    await network.engine.refresh(link.a);
    expect(network.engine.kept(link.a).outputs.config).toContain("sysctl -w net/ipv6/conf/inter-fra/disable_ipv6=1");
    expect(await network.engine.up(link.a)).toBe("updated");
    await carries();
  });

  test("by the host's own settings at boot", async () => {
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
});
