/** Hosts whose way to a peer leads by a tunnel of somebody else's. */
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { host, Network, side } from "./network";

jest.setTimeout(120_000);

describeWhere("lab", "ways by a tunnel", () => {
  let network: Network;

  beforeAll(async () => {
    network = await Network.open(await Lab.up("lab", { name: "ways", fresh: true }));
  });
  afterAll(async () => {
    await network?.close();
    await Lab.down("ways");
  });

  const linkWith = (spec: object = {}) => side(network.lab, "lux", "fra", network.outputs("lux", "fra"), { ...spec });
  const lineOf = (ip: string) => network.on("lux", ip);

  beforeEach(async () => {
    await Promise.all(["lux", "fra"].map((node) => network.engine.up(host(network.lab, node))));
    await lineOf("ip tuntap add dev vpn0 mode tun && ip link set dev vpn0 up && ip addr add 10.9.0.1/32 dev vpn0");
  });
  afterEach(() => lineOf("ip link delete dev vpn0"));

  test.each([
    ["a route", "ip route add 198.51.100.9 dev vpn0", "true"],
    [
      "a table of its own, as wg-quick does",
      "ip rule add pref 4000 to 198.51.100.9 lookup 51820 && ip route add default dev vpn0 table 51820",
      "ip rule del pref 4000",
    ],
  ])("%s: a fault before anything is done; none where the tunnel is named", async (_, leads, leadsNoMore) => {
    await lineOf(leads);
    try {
      await expect(network.engine.up(linkWith())).rejects.toThrow(
        /by vpn0, a tun tunnel.*name it in `underlay.devices` of lux/,
      );
      await network.on("lux", "! ip link show inter-fra");
      expect(await network.engine.up(linkWith({ underlay: ["vpn0"] }))).toBe("created");
      await network.engine.destroy(linkWith());
    } finally {
      await lineOf(leadsNoMore);
    }
  });

  test("what only packets without our mark leave by is none of our business", async () => {
    await lineOf("ip rule add pref 3999 fwmark 0x6f/0xff lookup main");
    await lineOf("ip rule add pref 4000 to 198.51.100.9 lookup 51820 && ip route add default dev vpn0 table 51820");
    expect(await network.engine.up(linkWith())).toBe("created");
    await network.engine.destroy(linkWith());
    await lineOf("ip rule del pref 3999 && ip rule del pref 4000");
  });
});
