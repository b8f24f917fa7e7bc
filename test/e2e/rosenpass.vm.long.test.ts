/** Keys of Rosenpass for the WireGuard of a kernel, on a host whose clock is its own. */
import { describeWhere } from "../can";
import { Lab } from "../lab";
import { kill, Pair } from "../sdk/host/rosenpass";

jest.setTimeout(300_000);

describeWhere(["lab", "vm", "rosenpass"], "Rosenpass in the kernel's WireGuard", () => {
  let pair: Pair;
  beforeAll(async () => {
    const lab = await Lab.up("vm", { name: "rosenkernel", fresh: true });
    const of = (host: string) => lab.json.hosts[host]?.addresses ?? [];
    pair = await Pair.make(lab, [
      { host: "lux", id: 1, calledAt: of("lux") },
      { host: "hkg", id: 3, calledAt: of("hkg") },
    ]);
  });
  afterAll(() => Lab.down("rosenkernel"));

  test("strict from the start, the first key begins the first session", async () => {
    await pair.turn("strict");
    // On a busy machine both may call at once: that their keys differ is seen after some 15 s (watch.sh, judge).
    await pair.within(40, "what goes by the link is protected", () => pair.passes("lux"));
    expect(await pair.on("lux", "ip -d link show inter-hkg")).toContain(" wireguard ");
  });

  test("a clock that is set back an hour changes nothing", async () => {
    await pair.on("lux", "date -s '1 hour ago'");
    await pair.renewed(25, "both have a new key", () => kill(pair, "hkg", "TERM"));
    expect(await pair.ping("lux")).toBe(true);
    await pair.renewed(25, "both have a new key", () => kill(pair, "lux", "TERM"));
    expect(await pair.passes("lux")).toBe(true);
    await pair.on("lux", "date -s '1 hour'");
  });

  test("a host that boots is closed until the first key, which comes by itself", async () => {
    await pair.lab.reboot("lux");
    expect(await pair.on("lux", "wg show inter-hkg preshared-keys")).not.toContain("(none)");
    await pair.within(40, "what goes by the link is protected", () => pair.passes("lux"));
  });
});
