/** Whose is what: other names, other stacks, other people, and what is taken over. */
import type { Values } from "../../../sdk/provider/wire";
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { type Declared, failure } from "../../sdk/provider/client";
import { host, Network, OWNER, side } from "./network";

jest.setTimeout(120_000);

describeWhere("lab", "whose it is", () => {
  let network: Network;
  let link: Declared;
  const lux = (spec?: Values) => host(network.lab, "lux", spec);
  const known = () => network.outputs("lux", "fra");

  beforeAll(async () => {
    network = await Network.open(await Lab.up("lab", { name: "whose", fresh: true }));
  });
  beforeEach(async () => {
    await network.restart({ config: {} });
    link = (await network.link("lux", "fra")).a;
    await network.restart();
  });
  afterAll(async () => {
    await network?.close();
    await Lab.down("whose");
  });

  describe("names", () => {
    test("a resource renamed without alias: the new one takes over, the old one takes nothing away", async () => {
      const renamed = { ...link, name: "other-name" };
      const { engine } = network;
      const handshake = await network.on(
        "lux",
        "ping -c 1 -W 5 10.255.0.2 >/dev/null; wg show inter-fra latest-handshakes",
      );
      expect(await engine.up(renamed)).toBe("created");
      await engine.destroy(link);
      expect(engine.log.at(-1)?.message).toBe("nothing to do: another resource has taken it over");
      expect(await network.on("lux", "wg show inter-fra latest-handshakes")).toBe(handshake);
      expect(await engine.refresh(renamed)).toEqual([]);
      await engine.destroy(renamed);
      await network.on("lux", "! ip link show inter-fra");
    });

    test("a host renamed without alias keeps its key and its links", async () => {
      const renamed = { ...lux(), name: "other-host" };
      const { engine } = network;
      const { publicKey } = known().lux ?? {};
      expect(await engine.up(renamed)).toBe("created");
      await engine.destroy(lux());
      expect(engine.kept(renamed).outputs.publicKey).toBe(publicKey);
      expect(await engine.refresh(renamed)).toEqual([]);
      expect(await engine.refresh(link)).toEqual([]);
    });

    test("a resource renamed with an alias is the same, and goes when it is told to", async () => {
      const { engine } = network;
      const renamed = { ...link, name: "alias" };
      engine.state.set(engine.urn(renamed), engine.kept(link));
      engine.state.delete(engine.urn(link));
      expect(await engine.up(renamed)).toBe("same");
      expect(network.connections).toBe(0);
      expect(await engine.refresh(renamed)).toEqual([]);
      await engine.destroy(renamed);
      await network.on("lux", "! ip link show inter-fra");
    });

    test("two interfaces that swap their devices", async () => {
      const { engine } = network;
      const { peer } = link.inputs.spec as Values;
      const second = side(network.lab, "lux", "hkg", { ...known(), hkg: known().fra ?? {} });
      await engine.up(second);
      const [a, b] = [link, second].map((one, index) => ({
        ...one,
        inputs: { ...one.inputs, spec: { ...(one.inputs.spec as Values), device: ["inter-hkg", "inter-fra"][index] } },
      })) as unknown as [Declared, Declared];
      expect(peer).toMatchObject({ name: "fra" });
      expect(await engine.up(a)).toBe("updated");
      expect(await engine.up(b)).toBe("updated");
      expect(await engine.refresh(a)).toEqual([]);
      expect(await engine.refresh(b)).toEqual([]);
      expect(await network.on("lux", "wg show inter-hkg listen-port; wg show inter-fra listen-port")).toBe(
        "11002\n11003\n",
      );
      await engine.destroy(b);
      expect(await engine.up(link)).toBe("updated");
      await network.on("lux", "! ip link show inter-hkg && ping -c 1 -W 5 10.255.0.2");
    });
  });

  describe("stacks", () => {
    const renamedOwner = "net/renamed";

    test("a machine of another stack's is left alone, and the error names that one", async () => {
      const stranger = await Network.open(network.lab, { stack: "stranger" });
      const theirs = lux({ owner: "net/stranger" });
      const error = await failure(stranger.engine.up(theirs));
      expect(error.code).toBe("FAILED_PRECONDITION");
      expect(error.message).toMatch(/a machine that belongs to the stack net\/test .*destroy it there first/);
      const other = side(network.lab, "lux", "fra", known(), { owner: "net/stranger", device: "theirs" });
      expect((await failure(stranger.engine.up(other))).message).toMatch(/belongs to the stack net\/test/);
      expect(stranger.engine.state.size).toBe(0);
      await network.on("lux", "! ip link show theirs");
      await stranger.close();
      expect(await network.engine.refresh(lux())).toEqual([]);
    });

    test("a machine that has come to belong to another stack is not emptied by the first", async () => {
      const { engine } = network;
      await network.on("lux", "echo net/other >/etc/overlay/owner");
      await engine.destroy(link);
      expect(engine.said(link)).toEqual([
        "It was left on root@203.0.113.5, which belongs to the stack net/other. [warning/left]",
      ]);
      await network.on("lux", "ip link show inter-fra");
      expect((await failure(engine.up(lux({ underlay: ["tun0"] })))).message).toMatch(
        /belongs to the stack net\/other/,
      );
      await network.on("lux", `echo ${OWNER} >/etc/overlay/owner`);
      expect(await engine.up(lux())).toBe("same");
    });

    test("a renamed stack takes its machines with it by `formerly`, and nothing is made again", async () => {
      const { engine } = network;
      const handshake = await network.on(
        "lux",
        "ping -c 1 -W 5 10.255.0.2 >/dev/null; wg show inter-fra latest-handshakes",
      );
      const { connections } = network;
      expect((await failure(engine.up(lux({ owner: renamedOwner })))).message).toBe(
        "root@203.0.113.5: node: found a machine that belongs to the stack net/test (/etc/overlay/owner), legal is a machine of nobody's or of net/renamed; destroy it there first; or, if net/renamed is that stack under a new name, add \"net/test\" to the node's `formerly`. [host/owned]",
      );
      expect(network.connections - connections).toBeLessThan(2);
      expect(await engine.up(lux({ owner: renamedOwner, formerly: [OWNER] }))).toBe("updated");
      const same = side(network.lab, "lux", "fra", known(), { owner: renamedOwner });
      expect(await engine.up(same)).toBe("updated");
      expect(await network.on("lux", "cat /etc/overlay/owner; ip -o link show inter-fra")).toMatch(
        /^net\/renamed\n.*alias overlay:net\/renamed/,
      );
      expect(await network.on("lux", "wg show inter-fra latest-handshakes")).toBe(handshake);
      expect(await engine.up(lux({ formerly: [renamedOwner] }))).toBe("updated");
      expect(await engine.up(link)).toBe("updated");
    });
  });

  test("a device of the same name that is somebody else's is never touched", async () => {
    const { engine } = network;
    const mine = side(network.lab, "lux", "hkg", { ...known(), hkg: known().fra ?? {} }, { device: "vpn0" });
    await network.on("lux", "ip tuntap add vpn0 mode tun");
    const error = await failure(engine.up(mine));
    expect(error.code).toBe("FAILED_PRECONDITION");
    expect(error.message).toMatch(/The host has a device vpn0 of type tun that this package did not make/);
    expect(engine.state.has(engine.urn(mine))).toBe(false);
    await network.on("lux", "ip link show vpn0 && ip link delete vpn0");
  });

  describe("import", () => {
    const id = () => `${network.lab.json.hosts.lux?.addresses[0]}/inter-fra`;

    test("by HOST/DEVICE: what is there is what the program says", async () => {
      const { engine } = network;
      engine.state.delete(engine.urn(link));
      const found = await engine.read({ ...link, name: "imported" }, id());
      if (!found) throw new Error("nothing found");
      const imported = { ...link, name: "imported" };
      engine.state.set(engine.urn(imported), found);
      expect(await engine.diff(imported, await engine.check(imported))).toEqual([]);
      // What was read makes a program of its own, too.
      expect(await engine.diff(imported, await engine.check({ ...imported, inputs: found.inputs }))).toEqual([]);
      expect(await engine.refresh(imported)).toEqual([]);
      await engine.destroy(imported);
      await network.on("lux", "! ip link show inter-fra");
    });

    test("of what is not there, not ours, or no device", async () => {
      const { engine } = network;
      expect(await engine.read(link, id().replace("inter-fra", "nothing"))).toBeUndefined();
      expect((await failure(engine.read(link, id().replace("inter-fra", "lo")))).message).toMatch(
        /a device lo .*did not make/,
      );
      expect((await failure(engine.read(link, "203.0.113.5"))).message).toMatch(/is HOST\/DEVICE/);
      expect((await failure(engine.read(lux(), "203.0.113.5"))).message).toMatch(/needs no import/);
    });
  });
});
