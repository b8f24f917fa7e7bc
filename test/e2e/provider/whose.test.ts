/** Whose is what: other machines, other names, other stacks, other people, and hosts that do not answer. */
import type { Values } from "../../../sdk/provider/wire";
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import type { Declared, Refusal } from "../../sdk/provider/client";
import { connection, host, Network, OWNER, side } from "./network";

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

  const failure = (promise: Promise<unknown>): Promise<Refusal> =>
    promise.then(
      () => Promise.reject(new Error("it did not fail")),
      (error: Refusal) => error,
    );
  const at = (declared: Declared, where: Values): Declared => ({
    ...declared,
    inputs: { ...declared.inputs, connection: where },
  });
  const commands = () => network.engine.log.filter(({ message }) => /^\d+ commands?$/.test(message));

  describe("machines", () => {
    test("the same machine at a new address: its own resource calls there, nobody else", async () => {
      const moved = { ...connection(network.lab, "lux"), host: network.lab.json.hosts.lux?.addresses[1] };
      const { engine } = network;
      expect(await engine.preview(at(lux(), moved))).toMatchObject({ outcome: "updated", diffs: ["connection"] });
      expect((await engine.preview(at(lux(), moved))).outputs).toMatchObject(known().lux ?? {});
      expect(network.connections).toBe(0);
      expect(await engine.up(at(lux(), moved))).toBe("updated");
      expect(network.connections).toBe(1);
      expect(await engine.up(at(link, moved))).toBe("same");
      expect(network.connections).toBe(1);
      expect(commands()).toEqual([]);
      // Later changes go to the new address, which state has by now.
      expect(engine.kept(link).inputs.connection).toMatchObject({ host: moved.host });
      expect(await engine.up(lux())).toBe("updated");
    });

    test("a rebuilt machine at the same address gets everything afresh", async () => {
      const { engine } = network;
      const before = known().lux;
      await network.lab.rebuild("lux");
      const stale = at(lux(), {
        ...(lux().inputs.connection as Values),
        connectTimeout: 9,
        hostKey: connection(network.lab, "fra").hostKey,
      });
      expect((await failure(engine.up(stale))).message).toMatch(/shows another host key/);

      await network.restart();
      expect(await network.engine.preview(lux())).toMatchObject({ outcome: "updated", diffs: ["connection"] });
      expect(await network.engine.up(lux())).toBe("updated");
      expect(known().lux?.machine).toBe(network.lab.json.hosts.lux?.machine);
      expect(known().lux?.publicKey).not.toBe(before?.publicKey);
      const again = side(network.lab, "lux", "fra", known());
      expect(await network.engine.preview(again)).toMatchObject({ outcome: "updated", diffs: ["machine"] });
      expect(await network.engine.up(again)).toBe("updated");
      expect(await network.engine.up(side(network.lab, "fra", "lux", known()))).toBe("updated");
      expect(network.connections).toBe(2);
      await network.on("lux", "ping -c 2 -W 5 10.255.0.2");
      expect(await network.engine.refresh(again)).toEqual([]);
    });

    test("a rebuilt machine that nobody told of is seen by a refresh", async () => {
      await network.lab.rebuild("lux");
      const { engine } = network;
      for (const one of [lux(), link]) engine.kept(one).inputs.connection = connection(network.lab, "lux");
      expect(await engine.refresh(lux())).toContain("- wg genkey > /etc/overlay/keys/wireguard.key");
      expect(known().lux?.machine).toBe(network.lab.json.hosts.lux?.machine);
      expect(await engine.refresh(link)).toBe(false);
      expect(await engine.up(lux())).toBe("updated");
      expect(await engine.up(side(network.lab, "lux", "fra", known()))).toBe("created");
      expect(await engine.up(side(network.lab, "fra", "lux", known()))).toBe("updated");
      await network.on("lux", "ping -c 2 -W 5 10.255.0.2");
    });
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
      expect((await failure(engine.up(lux({ owner: renamedOwner })))).message).toMatch(
        /add "net\/test" to the node's `formerly`/,
      );
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

  describe("a dead host", () => {
    beforeEach(async () => {
      await network.lab.powerOff("lux");
      const soon = { ...connection(network.lab, "lux"), connectTimeout: 2 };
      for (const one of [lux(), link]) network.engine.kept(one).inputs.connection = soon;
    });
    afterEach(async () => {
      await network.lab.start("lux");
      await network.restart();
    });
    test("shows in no preview, and in an apply by its name; state stays", async () => {
      const { engine } = network;
      const soon = { ...connection(network.lab, "lux"), connectTimeout: 2 };
      const changed = at(side(network.lab, "lux", "fra", known(), { mtu: 1400 }), soon);
      expect(await engine.preview(changed)).toMatchObject({ outcome: "updated" });
      const error = await failure(engine.up(changed));
      expect(error.code).toBe("FAILED_PRECONDITION");
      expect(error.message).toMatch(/^root@203\.0\.113\.5 cannot be reached/);
      expect(engine.kept(link).initErrors).toBeUndefined();
      expect((await failure(engine.refresh(link))).message).toMatch(/^root@203\.0\.113\.5 cannot be reached/);
    });

    test("can be forgotten: the error of a delete has the command", async () => {
      const error = await failure(network.engine.destroy(lux()));
      expect(error.message).toMatch(
        /cannot be reached.*pulumi state delete 'urn:pulumi:test::net::overlay:node:Host::lux'$/,
      );
    });

    test("is tried once in a live preview, and is one warning", async () => {
      const engine = await network.restart({ config: { live: "on" } });
      for (const one of [lux(), link]) expect(await engine.refresh(one)).toEqual([]);
      expect(network.connections).toBe(1);
      const said = engine.log.filter(({ severity }) => severity === 2).map(({ message }) => message);
      expect(said).toEqual([expect.stringMatching(/^root@203\.0\.113\.5 cannot be reached.*remembers/)]);
    });
  });

  test("live: the first run that wants it needs no state that says so", async () => {
    const engine = await network.restart({ config: { live: "on" } });
    expect(await engine.preview(link)).toMatchObject({ outcome: "same" });
    await network.on("lux", "ip link set inter-fra mtu 1333");
    await network.restart({ config: { live: "on" } });
    expect(await network.engine.preview(link)).toMatchObject({ outcome: "updated", diffs: ["config"] });
    expect(network.engine.said(link)).toEqual([expect.stringMatching(/^- .* mtu 1420 .*\n\+ .* mtu 1333 /)]);
    expect(network.connections).toBe(1);
    expect(await network.engine.up(link)).toBe("updated");
    expect(await network.on("lux", "cat /sys/class/net/inter-fra/mtu")).toBe("1420\n");
  });

  test("live: every run reads first, for as long as somebody wants it", async () => {
    let engine = await network.restart({ config: { live: "on" } });
    await engine.refresh(link);
    expect(engine.kept(link).refreshBeforeUpdate).toBe(true);
    await network.on("lux", "ip link set inter-fra mtu 1333");
    expect(await engine.up(link)).toBe("updated");
    expect(await network.on("lux", "cat /sys/class/net/inter-fra/mtu")).toBe("1420\n");
    expect(engine.kept(link).refreshBeforeUpdate).toBe(true);

    engine = await network.restart({ config: { live: "off" } });
    await engine.up(link);
    expect(engine.kept(link).refreshBeforeUpdate).toBe(false);
    await network.restart();
    expect(await network.engine.up(link)).toBe("same");
    expect(network.connections).toBe(0);
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
