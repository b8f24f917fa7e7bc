/** A mesh's device of 250 peers on one host: what changes is told to the kernel, and nothing else. */
import type { Values } from "../../../sdk/provider/wire";
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import type { Declared } from "../../sdk/provider/client";
import { publicKeys } from "../../sdk/publicKeys";
import { connection, host, Network, OWNER } from "./network";

jest.setTimeout(120_000);

const COUNT = 250;

describeWhere("lab", `${COUNT} peers`, () => {
  let network: Network;
  let mesh: Declared;
  const keys = publicKeys(COUNT + 1);

  /** Each is called somewhere on hkg's segment. */
  const peer = (index: number, endpoint = `192.0.2.${index + 4}:11000`): Values => ({
    name: `n${index}`,
    id: index + 10,
    publicKey: keys[index],
    addresses: [`10.254.0.${index + 1}`, `fd00:6f:1::${index + 1}`],
    endpoint,
  });
  const withPeers = (peers: Values[]): Declared => ({
    type: "overlay:wireguard:Interface",
    name: "mesh@lux",
    inputs: {
      connection: connection(network.lab, "lux"),
      machine: network.outputs("lux").lux?.machine,
      spec: {
        node: "lux",
        owner: OWNER,
        link: "mesh",
        device: "mesh",
        id: 1,
        mtu: 1420,
        listenPort: 11001,
        addresses: ["10.255.0.1", "fd00:6f::1"],
        peers,
      },
    },
  });

  beforeAll(async () => {
    network = await Network.open(await Lab.up("lab", { name: "peers", fresh: true }));
    await network.engine.up(host(network.lab, "lux"));
    mesh = withPeers(Array.from({ length: COUNT }, (_, index) => peer(index)));
    expect(await network.engine.up(mesh)).toBe("created");
  });
  afterAll(async () => {
    await network?.close();
    await Lab.down("peers");
  });

  /** What a change can be seen by: settings of peers, which have called nobody, and routes. */
  const seen = async (): Promise<string[]> => {
    const commands = [
      "wg show mesh endpoints",
      "wg show mesh allowed-ips",
      "ip route show dev mesh",
      "ip -6 route show dev mesh",
    ];
    return (await network.on("lux", commands.join(" && "))).trim().split("\n");
  };

  /** Lines that went and came, and how many commands it took. */
  async function changed(peers: Values[]): Promise<{ gone: string[]; come: string[]; commands: string | undefined }> {
    const before = await seen();
    const from = network.engine.log.length;
    expect(await network.engine.up(withPeers(peers))).toBe("updated");
    const now = await seen();
    const said = network.engine.log.slice(from).map(({ message }) => message);
    expect(await network.engine.refresh(withPeers(peers))).toEqual([]);
    return {
      gone: before.filter((line) => !now.includes(line)),
      come: now.filter((line) => !before.includes(line)),
      commands: said.find((message) => /^\d+ commands?$/.test(message)),
    };
  }

  const first = () => (mesh.inputs.spec as { peers: Values[] }).peers;

  test("all are there, and are read back as they are", async () => {
    expect((await network.on("lux", "wg show mesh peers")).trim().split("\n").sort()).toEqual(
      keys.slice(0, COUNT).sort(),
    );
    expect(await network.engine.refresh(mesh)).toEqual([]);
    expect(await network.engine.up(mesh)).toBe("same");
  });

  test("one more, one less, another endpoint of one: the others are not touched", async () => {
    const own = [
      `${keys[COUNT]}\t192.0.2.254:11000`,
      `${keys[COUNT]}\t10.254.0.251/32 fd00:6f:1::251/128`,
      expect.stringMatching(/^10\.254\.0\.251 proto 111 .*src 10\.255\.0\.1/),
      expect.stringMatching(/^fd00:6f:1::251 proto 111 .*src fd00:6f::1/),
    ];
    const more = [...first(), peer(COUNT)];
    expect(await changed(more)).toEqual({ gone: [], come: own, commands: "3 commands" });
    expect(await changed(first())).toEqual({ gone: own, come: [], commands: "3 commands" });
    const elsewhere = first().map((one, index) => (index === 7 ? peer(7, "192.0.2.99:443") : one));
    expect(await changed(elsewhere)).toEqual({
      gone: [`${keys[7]}\t192.0.2.11:11000`],
      come: [`${keys[7]}\t192.0.2.99:443`],
      commands: "1 command",
    });
  });

  test("one that hands took away is one line of drift, and one command brings it back", async () => {
    const { engine } = network;
    await engine.up(mesh);
    const before = await seen();
    await network.on("lux", `wg set mesh peer ${keys[9]} remove`);
    expect(await engine.refresh(mesh)).toEqual([expect.stringContaining(`- wg set mesh peer ${keys[9]} `)]);
    const from = engine.log.length;
    expect(await engine.up(mesh)).toBe("updated");
    expect(engine.log.slice(from).map(({ message }) => message)).toContain("1 command");
    expect((await seen()).sort()).toEqual(before.sort());
    expect(await engine.refresh(mesh)).toEqual([]);
  });
});
