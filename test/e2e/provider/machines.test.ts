/** Machines that move, are rebuilt, do not answer, or are to be looked at in every run. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Values } from "../../../sdk/provider/wire";
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { type Declared, failure } from "../../sdk/provider/client";
import { connection, host, Network, side } from "./network";

jest.setTimeout(120_000);

describeWhere("lab", "machines", () => {
  let network: Network;
  let link: Declared;
  const lux = (spec?: Values) => host(network.lab, "lux", spec);
  const known = () => network.outputs("lux", "fra");

  beforeAll(async () => {
    network = await Network.open(await Lab.up("lab", { name: "machin", fresh: true }));
  });
  beforeEach(async () => {
    await network.restart({ config: {} });
    link = (await network.link("lux", "fra")).a;
    await network.restart();
  });
  afterAll(async () => {
    await network?.close();
    await Lab.down("machin");
  });

  const at = (declared: Declared, where: Values): Declared => ({
    ...declared,
    inputs: { ...declared.inputs, connection: where },
  });
  const commands = () => network.engine.log.filter(({ message }) => /^\d+ commands?$/.test(message));

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

  test("a machine at a new address may still be booting, as a new one may", async () => {
    const { engine } = network;
    await network.lab.powerOff("lux");
    const where = {
      ...connection(network.lab, "lux"),
      host: network.lab.json.hosts.lux?.addresses[1],
      connectTimeout: 2,
    };
    const answer = engine.up(at(lux(), where));
    await sleep(5000);
    await network.lab.start("lux");
    expect(await answer).toBe("updated");
    expect(engine.log.map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/^trying again: root@2001:db8:1::5 cannot be reached/),
    );
    expect(await engine.up(lux())).toBe("updated");
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
        /cannot be reached.*pulumi state delete 'urn:pulumi:test::net::overlay:node:Host::lux' \[host\/unreachable\]$/,
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

  test("live: a preview contacts nobody but where a run wants it, and the first one needs no state that says so", async () => {
    const engine = await network.restart({ config: { live: "on" } });
    expect(await engine.preview(link)).toMatchObject({ outcome: "same" });
    await network.on("lux", "ip link set inter-fra mtu 1333");
    await network.restart();
    for (const one of [lux(), link]) expect(await network.engine.preview(one)).toMatchObject({ outcome: "same" });
    expect(network.connections).toBe(0);
    await network.restart({ config: { live: "on" } });
    expect(await network.engine.preview(link)).toMatchObject({ outcome: "updated", diffs: ["config"] });
    // lux was without power a moment ago: fra may not have answered it yet, which is told as well.
    const drift = network.engine.said(link).filter((message) => !/^UDP 11001 from lux to fra does not/.test(message));
    expect(drift).toEqual([expect.stringMatching(/^- .* mtu 1420 .*\n\+ .* mtu 1333 /)]);
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
});
