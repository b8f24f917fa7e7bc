/** The loop guard on real hosts: what is encrypted leaves by the underlay, and never by a tunnel. */
import type { Hosts } from "../../../sdk/host";
import { describeWhere } from "../../can";
import { bring, bringLink, connectionTo, hostsOf, nodeFacts } from "../../e2e/hosts";
import { Lab } from "../../lab";

jest.setTimeout(120_000);

describeWhere("lab", "the loop guard", () => {
  let lab: Lab;
  let hosts: Hosts;
  beforeAll(async () => {
    lab = await Lab.up("lab", { name: "guard", fresh: true });
    hosts = hostsOf(lab);
    await bringLink(lab, hosts);
  });
  afterAll(async () => {
    await hosts?.close();
    await Lab.down("guard");
  });

  const onLux = async (command: string): Promise<string> => {
    const { code, stdout, stderr } = await lab.exec("lux", command);
    if (code !== 0) throw new Error(`${command}: ${stderr}`);
    return stdout;
  };
  const pinged = async (): Promise<boolean> => (await lab.exec("lux", "ping -c 2 -i 0.2 -W 2 10.255.0.2")).code === 0;
  const counted = async (): Promise<number> =>
    Number(/packets (\d+)/.exec(await onLux("nft list counter inet overlay link-inter-fra"))?.[1]);
  /** Sends WireGuard's own packets, marked, to wherever the peer is said to be. */
  const pointPeerAt = async (endpoint: string): Promise<void> => {
    const [peer] = (await onLux("wg show inter-fra peers")).split("\n");
    await onLux(`wg set inter-fra peer ${peer} endpoint ${endpoint}`);
  };

  test("lets through what leaves by the underlay", async () => {
    expect(await pinged()).toBe(true);
    expect(await counted()).toBe(0);
  });

  test("drops a packet that would leave by its own tunnel, and counts it for the link", async () => {
    const underlay = (await onLux("wg show inter-fra endpoints")).trim().split("\t")[1] ?? "";
    await pointPeerAt("10.255.0.2:11001");
    expect(await pinged()).toBe(false);
    const dropped = await counted();
    expect(dropped).toBeGreaterThan(0);
    // A loop makes thousands of one packet.
    expect(dropped).toBeLessThan(20);
    await pointPeerAt(underlay);
    expect(await pinged()).toBe(true);
    expect(await counted()).toBe(dropped);
  });

  test("drops a packet that would leave by somebody else's tunnel", async () => {
    const before = await counted();
    await onLux(
      "ip tuntap add dev foreign mode tun && ip link set foreign up && ip addr add 100.99.0.1/24 dev foreign",
    );
    await pointPeerAt("100.99.0.2:11001");
    expect(await pinged()).toBe(false);
    expect(await counted()).toBeGreaterThan(before);
    await onLux("ip link delete foreign");
  });

  test("a table that only the host has made again guards all the same; the link has no count of its own", async () => {
    await onLux("nft delete table inet overlay");
    await bring(hosts.session(connectionTo(lab, "lux")), nodeFacts("lux"), "10-node");
    await pointPeerAt("10.255.0.2:11001");
    expect(await pinged()).toBe(false);
    const [, general] =
      /counter packets (\d+) bytes \d+ drop/.exec(await onLux("nft list chain inet overlay nested")) ?? [];
    expect(Number(general)).toBeGreaterThan(0);
    expect(Number(general)).toBeLessThan(20);
  });
});
