/** Keys of Rosenpass where one end cannot be called: who boots, and how soon what goes by the link is protected again. */
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { Pair } from "./rosenpass";

jest.setTimeout(180_000);

describeWhere(["lab", "rosenpass"], "Rosenpass with a host behind NAT", () => {
  let pair: Pair;
  beforeAll(async () => {
    const lab = await Lab.up("home", { name: "rosenhome", fresh: true });
    pair = await Pair.make(lab, [
      { host: "lux", id: 1, calledAt: ["203.0.113.5"] },
      { host: "nas", id: 2, calledAt: [] },
    ]);
  });
  afterAll(() => Lab.down("rosenhome"));

  /** Seconds from the end of a boot until pings of the host behind NAT are protected. */
  async function afterBoot(host: string, limit: number): Promise<number> {
    const asking =
      host === "lux" &&
      pair.lab.exec("nas", ["timeout", "90", "ping", "-q", "-n", "-i", "0.1", pair.address("lux")], {
        timeout: 100_000,
      });
    await pair.lab.reboot(host);
    const took = await pair.within(limit, `protected after a boot of ${host}`, () => pair.passes("nas"));
    await pair.on("nas", "pkill -INT ping || :");
    await asking;
    return took;
  }

  test.each([
    ["permissive", "lux", 40],
    ["permissive", "nas", 20],
    ["strict", "lux", 40],
    ["strict", "nas", 20],
  ] as const)("%s: %s boots, and what goes by the link is protected again", async (mode, host, limit) => {
    await pair.turn(mode);
    await pair.within(8, "both have one key", () => pair.agree());
    expect(await afterBoot(host, limit)).toBeLessThan(limit);
  });
});
