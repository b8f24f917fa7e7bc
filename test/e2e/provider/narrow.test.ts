/** An underlay of 700 bytes: a link and a segment of IPv4 alone carry in one piece what they say, and IPv6 comes with more. */
import type { Values } from "../../../sdk/provider/wire";
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import type { Declared } from "../../sdk/provider/client";
import { connection, host, Network, OWNER, side } from "./network";

jest.setTimeout(120_000);

/** WireGuard over IPv4 takes 60 bytes of 700, VXLAN over IPv4 50 of these. */
const [LINK, SEGMENT] = [640, 590];
/** Headers of IPv4 and ICMP. */
const HEADERS = 28;

describeWhere("lab", "a link of IPv4 alone", () => {
  let network: Network;
  let known: Record<string, Values>;

  beforeAll(async () => {
    const lab = await Lab.up("lab", { name: "narrow", fresh: true });
    network = await Network.open(lab);
    await lab.break({ kind: "mtu", target: "fra", bytes: 700, silent: false });
    await Promise.all(["lux", "fra"].map((node) => network.engine.up(host(lab, node))));
    known = network.outputs("lux", "fra");
  });
  afterAll(async () => {
    await network?.close();
    await Lab.down("narrow");
  });

  const both = (spec: (id: number) => Values, peer: (id: number) => Values): Declared[] => [
    side(network.lab, "lux", "fra", known, { ...spec(1), peer: peer(2) }),
    side(network.lab, "fra", "lux", known, { ...spec(2), peer: peer(1) }),
  ];
  const ipv4 = (id: number) => ({ addresses: [`10.255.0.${id}`] });
  const narrow = () => both((id) => ({ family: "v4", mtu: LINK, ...ipv4(id) }), ipv4);
  const member = (node: string, id: number): Declared => ({
    type: "overlay:vxlan:Member",
    name: `lan@${node}`,
    inputs: {
      connection: connection(network.lab, node),
      machine: known[node]?.machine,
      spec: {
        ...{ node, owner: OWNER, segment: "lan", device: "vx-lan", id, vni: 100, variant: "static-flood" },
        ...{ family: "v4", mtu: SEGMENT, carrier: LINK, local: `10.255.0.${id}`, mac: `02:00:00:64:00:0${id}` },
        addresses: [`10.100.0.${id}/24`],
        peers: [
          {
            name: node === "lux" ? "fra" : "lux",
            vtep: `10.255.0.${3 - id}`,
            mac: `02:00:00:64:00:0${3 - id}`,
            addresses: [`10.100.0.${3 - id}/24`],
          },
        ],
      },
    },
  });
  const up = (all: Declared[]) => Promise.all(all.map((one) => network.engine.up(one)));
  const drift = (all: Declared[]) => Promise.all(all.map((one) => network.engine.refresh(one)));
  const ping = (address: string, bytes: number, more = "") =>
    network.on("lux", `ping -q -n -c 2 -i 0.2 -w 5 -M do -s ${bytes - HEADERS} ${more} ${address}`);

  test("carries packets of its full MTU in one piece, and none that is larger", async () => {
    expect(await up(narrow())).toEqual(["created", "created"]);
    await ping("10.255.0.2", LINK);
    await expect(ping("10.255.0.2", LINK + 1)).rejects.toThrow(/code 1/);
    // That nothing came in fragments has been seen to.
    expect(narrow().flatMap((one) => [network.engine.said(one), network.engine.kept(one).outputs.pathMtu])).toEqual([
      ...[[], {}],
      ...[[], {}],
    ]);
  });

  test("has nothing of IPv6, and so has a segment over it", async () => {
    expect(await up([member("lux", 1), member("fra", 2)])).toEqual(["created", "created"]);
    await ping("10.100.0.2", SEGMENT);
    await expect(ping("10.100.0.2", SEGMENT + 1)).rejects.toThrow(/code 1/);
    expect(await network.on("lux", "ip -6 addr show dev inter-fra; ip -6 addr show dev vx-lan")).toBe("");
    expect(await drift([...narrow(), member("lux", 1), member("fra", 2)])).toEqual([[], [], [], []]);
    expect(await up([...narrow(), member("lux", 1), member("fra", 2)])).toEqual(["same", "same", "same", "same"]);
  });

  test("becomes one of both families in place", async () => {
    await network.lab.heal();
    await Promise.all(["lux", "fra"].map((node) => network.on(node, "ip route flush cache")));
    const index = () => network.on("lux", "cat /sys/class/net/inter-fra/ifindex");
    const before = await index();
    const whole = both(
      () => ({}),
      () => ({}),
    );
    expect(await up(whole)).toEqual(["updated", "updated"]);
    expect(await index()).toBe(before);
    await network.on("lux", "ping -q -n -c 2 -i 0.2 -w 5 -M do -s 1372 fd00:6f::2");
    expect(await drift(whole)).toEqual([[], []]);
    // No address but ours.
    expect(await network.on("lux", "ip -br -6 addr show dev inter-fra")).toMatch(
      / (fd00:6f::1\/128 fe80::1\/64|fe80::1\/64 fd00:6f::1\/128) \n$/,
    );
  });
});
