/** Keys of a device's own: side by side until nobody needs the old one, and never lost on the way. */
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import type { Declared } from "../../sdk/provider/client";
import { host, Network, OWNER, side } from "./network";

jest.setTimeout(120_000);

describeWhere("lab", "a device's own key", () => {
  let network: Network;
  const key = (node: string, device: string, label: string): Declared => ({
    type: "overlay:wireguard:Key",
    name: `${node}/${device}.${label}`,
    inputs: {
      connection: host(network.lab, node).inputs.connection,
      machine: network.outputs(node)[node]?.machine,
      spec: { node, owner: OWNER, device, label },
    },
  });
  const publicKey = (of: Declared) => ({ publicKey: network.engine.kept(of).outputs.publicKey });
  /** Both sides with keys of this label. */
  const sides = (label: string) => {
    const [lux, fra] = [key("lux", "inter-fra", label), key("fra", "inter-lux", label)];
    return {
      keys: [lux, fra],
      link: () => [
        side(network.lab, "lux", "fra", network.outputs("lux", "fra"), { key: label, peer: publicKey(fra) }),
        side(network.lab, "fra", "lux", network.outputs("lux", "fra"), { key: label, peer: publicKey(lux) }),
      ],
    };
  };
  const files = (node: string) => network.on(node, "ls /etc/overlay/keys");
  const ping = () => network.on("lux", "ping -q -c 1 -W 10 10.255.0.2");

  beforeAll(async () => {
    network = await Network.open(await Lab.up("lab", { name: "keysown", fresh: true }));
    await network.link("lux", "fra");
  });
  afterAll(async () => {
    await network?.close();
    await Lab.down("keysown");
  });

  test("a run that dies between the two sides is finished by the next, and the old keys go last", async () => {
    const { engine } = network;
    const [before, after] = [sides("one"), sides("two")];
    for (const one of before.keys) expect(await engine.up(one)).toBe("created");
    for (const one of before.link()) expect(await engine.up(one)).toBe("updated");
    await ping();

    for (const one of after.keys) await engine.up(one);
    const [lux, fra] = after.link() as [Declared, Declared];
    expect(await engine.up(lux)).toBe("updated");
    // Here it dies. A boot of either host finds the key that its boot file names.
    for (const node of ["lux", "fra"]) {
      expect(await files(node)).toMatch(/^inter-\w+\.one\.key\ninter-\w+\.two\.key\nwireguard\.key\n$/);
      const [named] = /\/etc\/overlay\/keys\/\S+/.exec(await network.on(node, "cat /etc/overlay/boot.d/50-*")) ?? [];
      expect(await network.on(node, `wg pubkey <${named}`)).toBe(
        await network.on(node, "wg show all public-key | cut -f 2"),
      );
    }

    await network.restart();
    for (const one of [...after.keys, lux]) expect(await network.engine.up(one)).toBe("same");
    expect(await network.engine.up(fra)).toBe("updated");
    await ping();
    for (const one of before.keys) await network.engine.destroy(one);
    expect(await files("lux")).toBe("inter-fra.two.key\nwireguard.key\n");
    for (const one of [...after.keys, lux, fra]) expect(await network.engine.refresh(one)).toEqual([]);
    const id = `${network.lab.json.hosts.lux?.addresses[0]}/inter-fra`;
    expect((await network.engine.read({ ...lux, name: "imported" }, id))?.inputs.config).toBe(
      network.engine.kept(lux).inputs.config,
    );
  });

  test("a key that is gone is drift, and the next run makes another", async () => {
    const { engine } = network;
    const lost = key("lux", "inter-fra", "three");
    await engine.up(lost);
    const { publicKey: first } = publicKey(lost);
    await network.on("lux", "rm /etc/overlay/keys/inter-fra.three.key");
    expect(await engine.refresh(lost)).toEqual(["- wg genkey > /etc/overlay/keys/inter-fra.three.key"]);
    expect(await engine.up(lost)).toBe("updated");
    expect(publicKey(lost).publicKey).not.toBe(first);
  });

  test("with the node go all its keys", async () => {
    await network.engine.destroy(host(network.lab, "lux"));
    await network.on("lux", "! ls /etc/overlay");
  });
});
