/** One link from nothing to nothing, over gRPC against hosts that boot. */
import type { Values } from "../../../sdk/provider/wire";
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import type { Declared } from "../../sdk/provider/client";
import { HOST, INTERFACE } from "./fields";
import { host, Network } from "./network";

jest.setTimeout(120_000);

/** Whoever calls would be known by where the call comes from. */
const QUIET = "table inet quiet {\n chain in {\n type filter hook input priority -400\n udp dport 11002 drop\n }\n}";

describeWhere("lab", "the life of a link", () => {
  let lab: Lab;
  let network: Network;
  let sides: { a: Declared; b: Declared };

  beforeAll(async () => {
    lab = await Lab.up("lab", { name: "life", fresh: true });
    network = await Network.open(lab);
  });
  afterAll(async () => {
    await network?.close();
    await Lab.down("life");
  });

  /** The words of the last change, as the status column had them. */
  const commands = () => network.engine.log.filter(({ message }) => /^\d+ commands?$/.test(message)).length;

  test("two hosts and a link are made over one connection each, and a ping passes", async () => {
    sides = await network.link("lux", "fra");
    expect(network.connections).toBe(2);
    await network.on("lux", "ping -c 3 -i 0.2 -W 5 10.255.0.2 && ping -c 3 -i 0.2 -W 5 fd00:6f::2");
    expect(network.outputs("lux").lux).toMatchObject({
      machine: lab.json.hosts.lux?.machine,
      wireguard: "userspace",
      resource: "overlay:node:Host::lux",
    });
  });

  test("the kernel says what the text says", async () => {
    expect(await network.engine.refresh(sides.a)).toEqual([]);
    expect(await network.engine.refresh(sides.b)).toEqual([]);
    expect(await network.engine.refresh(host(lab, "lux"))).toEqual([]);
  });

  test("with nothing to do nobody is connected to", async () => {
    const engine = await network.restart();
    for (const declared of [host(lab, "lux"), host(lab, "fra"), sides.a, sides.b]) {
      expect(await engine.preview(declared)).toMatchObject({ outcome: "same", diffs: [] });
      expect(await engine.up(declared)).toBe("same");
    }
    expect(network.connections).toBe(0);
  });

  const changedTo = (declared: Declared, { peer = {}, ...change }: Values & { peer?: Values }): Declared => {
    const spec = declared.inputs.spec as Values;
    const changed = { ...spec, ...change, peer: { ...(spec.peer as Values), ...peer } };
    return { ...declared, inputs: { ...declared.inputs, spec: changed } };
  };

  test.each(INTERFACE)("an interface's %s changes, %j, and nothing else; a second run does nothing", async (...row) => {
    const [, change, proof, quiet] = row;
    const { engine } = network;
    const changed = changedTo(sides.a, change);
    const settings = () => network.on("lux", "grep . /proc/sys/net/ipv4/conf/inter-fra/*");
    const found = await settings();
    if (quiet) await network.on("lux", `nft -f - <<'EOT'\n${QUIET}\nEOT`);
    expect(await engine.preview(changed)).toMatchObject({ outcome: "updated", diffs: ["config"] });
    expect(await engine.up(changed)).toBe("updated");
    await network.on("lux", proof);
    if (quiet) await network.on("lux", "nft delete table inet quiet");
    expect(await engine.refresh(changed)).toEqual([]);
    const before = commands();
    expect(await engine.up(changed)).toBe("same");
    expect(commands()).toBe(before);
    expect(await engine.up(sides.a)).toBe("updated");
    expect(await engine.refresh(sides.a)).toEqual([]);
    expect(await settings()).toBe(found);
  });

  test.each(HOST)("a host's %s change, %j, and go again", async (_, change, proof) => {
    const { engine } = network;
    const forwarding = () =>
      network.on("lux", "cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding");
    const before = await forwarding();
    expect(await engine.up(host(lab, "lux", change))).toBe("updated");
    await network.on("lux", proof);
    expect(await engine.up(host(lab, "lux", change))).toBe("same");
    expect(await engine.up(host(lab, "lux"))).toBe("updated");
    expect(await forwarding()).toBe(before);
    expect(await engine.refresh(host(lab, "lux"))).toEqual([]);
    await network.on("lux", "ping -c 1 -W 5 10.255.0.2");
  });

  test("an interface goes, and takes with it what is its own", async () => {
    await network.engine.destroy(sides.a);
    await network.on(
      "lux",
      "! ip link show inter-fra; ! ls /etc/overlay/boot.d/50-inter-fra; ls /etc/overlay/boot.d/10-node",
    );
    expect(await network.on("lux", "nft list map inet overlay guard; nft list counters")).not.toMatch(/inter-fra/);
    expect(await network.engine.refresh(host(lab, "lux"))).toEqual([]);
  });

  test("a host goes with everything that this stack has there", async () => {
    await network.engine.destroy(host(lab, "fra"));
    const left = await network.on(
      "fra",
      "ls -d /etc/overlay /usr/local/lib/overlay /etc/systemd/system/overlay* 2>/dev/null; nft list tables; ip rule; ip -6 rule; ip route show table all proto 111; ip -6 route show table all proto 111; ip link; systemctl list-units --no-legend 'overlay*'",
    );
    expect(left).not.toMatch(/overlay|5111|proto 111|inter-lux/);
    // Its link went with it: there is nothing left to do for that.
    await network.engine.destroy(sides.b);
    await network.engine.destroy(host(lab, "lux"));
    expect(network.engine.state.size).toBe(0);
  });

  test("what was made, lost by the state, and made again is taken over as it is", async () => {
    await network.link("lux", "fra");
    const key = network.outputs("lux").lux?.publicKey;
    const handshake = await network.on(
      "lux",
      "ping -c 1 -w 15 10.255.0.2 >/dev/null; wg show inter-fra latest-handshakes",
    );
    network.engine.state.clear();
    await network.restart();
    const again = await network.link("lux", "fra");
    expect(network.outputs("lux").lux?.publicKey).toBe(key);
    expect(await network.on("lux", "wg show inter-fra latest-handshakes")).toBe(handshake);
    expect(await network.engine.refresh(again.a)).toEqual([]);
  });
});
