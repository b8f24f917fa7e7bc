/** What a way carries, found out with packets: at `up`, where an underlay is smaller than declared; and when it shrinks later. */
import { memberMac } from "../../../sdk/network/mac";
import type { Values } from "../../../sdk/provider/wire";
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import type { Declared } from "../../sdk/provider/client";
import { connection, host, Network, OWNER } from "./network";

jest.setTimeout(120_000);

describeWhere("lab", "an underlay", () => {
  let network: Network;
  let link: { a: Declared; b: Declared };

  beforeAll(async () => {
    network = await Network.open(await Lab.up("lab", { name: "mtu", fresh: true }));
  });
  afterAll(async () => {
    await network?.close();
    await Lab.down("mtu");
  });

  const pathMtu = (): unknown[] => [link.a, link.b].map((side) => network.engine.kept(side).outputs.pathMtu);
  const refresh = () => Promise.all([link.a, link.b].map((side) => network.engine.refresh(side)));
  /** What the sides are told, which is what they were told when they were made. */
  const said = (): string[] => [link.a, link.b].flatMap((side) => network.engine.said(side));
  const narrow = (to: string, bytes: number) =>
    `path fra-lux to ${to} carries ${bytes} bytes in one piece, and its MTU is 1420: raise the MTU of the underlay all the way (1420 + WireGuard over IPv4 60 = underlay 1480), or say mtu: ${bytes}`;

  test("that carries 150 bytes less than declared is found and named when the link is made", async () => {
    await network.lab.break({ kind: "mtu", target: "fra", bytes: 1350, silent: false });
    link = await network.link("lux", "fra");
    // The side that is there last has both look.
    const [to] = Object.keys(Object.assign({}, ...(pathMtu() as object[])));
    expect(pathMtu()).toContainEqual({ [String(to)]: 1280 });
    expect(said()).toEqual([`The ${narrow(String(to), 1280)}. [warning/narrow]`]);
  });

  test("that does so is drift of both sides, told again by the next up, until it is mended", async () => {
    expect(await refresh()).toEqual([[`+ # ${narrow("fra", 1280)}`], [`+ # ${narrow("lux", 1280)}`]]);
    expect(pathMtu()).toEqual([{ fra: 1280 }, { lux: 1280 }]);
    expect(await refresh()).toEqual([[], []]);
    expect(await network.engine.up(link.a)).toBe("updated");
    expect(network.engine.said(link.a).at(-1)).toBe(`The ${narrow("fra", 1280)}. [warning/narrow]`);
    await network.lab.heal();
    // For ten minutes a host remembers what it was told of a way: net.ipv4.route.mtu_expires.
    await Promise.all(["lux", "fra"].map((node) => network.on(node, "ip route flush cache")));
    expect(await refresh()).toEqual([[], [`- # ${narrow("lux", 1280)}`]]);
    expect(pathMtu()).toEqual([{}, {}]);
  });

  test("that shrinks later, and says so to nobody, is drift", async () => {
    await network.lab.break({ kind: "mtu", target: "fra", bytes: 1400, silent: true });
    expect(await network.engine.refresh(link.a)).toEqual([`+ # ${narrow("fra", 1328)}`]);
    await network.lab.heal();
    expect(await network.engine.refresh(link.a)).toEqual([`- # ${narrow("fra", 1328)}`]);
  });

  /** Requests of ping that lux has sent so far. */
  const echoes = () => network.on("lux", "nstat -asz IcmpOutEchos Icmp6OutEchos | grep Echos");

  test("is not tried where nothing changes, nor again where something else does", async () => {
    const before = await echoes();
    expect(await network.engine.up(link.a)).toBe("same");
    const spec = link.a.inputs.spec as Values;
    const more = { ...link.a, inputs: { ...link.a.inputs, spec: { ...spec, alsoPorts: [443] } } };
    expect(await network.engine.up(more)).toBe("updated");
    expect(await echoes()).toBe(before);
    expect(await network.engine.refresh(more)).toEqual([]);
    expect(await echoes()).not.toBe(before);
    expect(await network.on("lux", "nft list tables")).not.toContain("overlay-probe");
  });

  describe("below two segments, one of them in bridges,", () => {
    const IDS = { lux: 1, fra: 2 };
    type Node = keyof typeof IDS;
    /** One over either family and inside of the other, so that both are tried for both. */
    const SEGMENTS = {
      flood: { vni: 100, variant: "static-flood", mtu: 1370, vteps: "10.255.0.", prefix: "fd00:100::", length: 64 },
      macs: { vni: 104, variant: "static-l2", mtu: 1350, vteps: "fd00:6f::", prefix: "10.104.0.", length: 24 },
    };
    type Name = keyof typeof SEGMENTS;

    const part = (type: string, name: string, node: Node, spec: Values): Declared => ({
      ...{ type, name: `${name}@${node}` },
      inputs: {
        connection: connection(network.lab, node),
        machine: network.outputs(node)[node]?.machine,
        spec: { node, owner: OWNER, id: IDS[node], ...spec },
      },
    });
    const inside = (name: Name, node: Node): string[] => {
      const { prefix, length } = SEGMENTS[name];
      return [`${prefix}${IDS[node]}/${length}`];
    };
    const bridge = (node: Node): Declared => {
      const spec = { device: "br-macs", mtu: SEGMENTS.macs.mtu, mac: memberMac(104, IDS[node]) };
      return part("overlay:vxlan:Bridge", "br-macs", node, { ...spec, addresses: inside("macs", node) });
    };
    function member(name: Name, node: Node): Declared {
      const { vni, variant, mtu, vteps } = SEGMENTS[name];
      const peer = node === "lux" ? "fra" : "lux";
      const own = (node: Node) => ({ mac: memberMac(vni, IDS[node]), addresses: inside(name, node) });
      return part("overlay:vxlan:Member", name, node, {
        ...{ segment: name, device: `vx-${name}`, vni, variant, mtu, local: `${vteps}${IDS[node]}`, ...own(node) },
        ...(name === "macs" && { bridge: "br-macs", addresses: [] }),
        peers: [{ name: peer, id: IDS[peer], vtep: `${vteps}${IDS[peer]}`, ...own(peer) }],
      });
    }
    const all = () => (["flood", "macs"] as const).flatMap((name) => [member(name, "lux"), member(name, "fra")]);
    const eachPathMtu = () => all().map((one) => network.engine.kept(one).outputs.pathMtu);
    const refreshAll = () => Promise.all(all().map((one) => network.engine.refresh(one)));
    const narrower = (name: Name, to: Node, bytes: number) => {
      const sum = { flood: "1370 + VXLAN over IPv4 50", macs: "1350 + VXLAN over IPv6 70" }[name];
      return `# path ${name} to ${to} carries ${bytes} bytes in one piece, and its MTU is ${SEGMENTS[name].mtu}: raise the MTU of the link all the way (${sum} = link 1420), or say mtu: ${bytes}`;
    };
    test("and as wide as declared, is nothing to speak of, and tried when something of a way changes", async () => {
      await network.engine.up(link.a);
      await Promise.all([bridge("lux"), bridge("fra")].map((one) => network.engine.up(one)));
      await Promise.all(all().map((one) => network.engine.up(one)));
      expect(eachPathMtu()).toEqual([{}, {}, {}, {}]);
      expect(all().flatMap((one) => network.engine.said(one))).toEqual([]);
      expect(await refreshAll()).toEqual([[], [], [], []]);

      const before = await echoes();
      const own = member("flood", "lux");
      expect(await network.engine.up(own)).toBe("same");
      const spec = own.inputs.spec as Values;
      const more = {
        ...own,
        inputs: { ...own.inputs, spec: { ...spec, addresses: ["10.100.0.1/24", ...inside("flood", "lux")] } },
      };
      expect(await network.engine.up(more)).toBe("updated");
      expect(await network.engine.up(own)).toBe("updated");
      expect(await echoes()).toBe(before);
    });

    test("that shrinks under way, and loses what is larger, is drift", async () => {
      await network.lab.break({ kind: "mtu", target: "fra", bytes: 1420, silent: true });
      const refresh = () =>
        Promise.all([member("flood", "lux"), member("macs", "lux")].map((one) => network.engine.refresh(one)));
      const told = (sign: string) => [
        [`${sign} ${narrower("flood", "fra", 1310)}`],
        [`${sign} ${narrower("macs", "fra", 1290)}`],
      ];
      expect(await refresh()).toEqual(told("+"));
      await network.lab.heal();
      expect(await refresh()).toEqual(told("-"));
    });

    test("that shrinks under way, and has it sent in pieces, is drift of each end, with the pathMtu there", async () => {
      await network.lab.break({ kind: "mtu", target: "fra", bytes: 1440, silent: false });
      const told = (sign: string) => [
        [`${sign} ${narrower("flood", "fra", 1326)}`],
        [`${sign} ${narrower("flood", "lux", 1326)}`],
        [`${sign} ${narrower("macs", "fra", 1306)}`],
        [`${sign} ${narrower("macs", "lux", 1306)}`],
      ];
      expect(await refreshAll()).toEqual(told("+"));
      expect(eachPathMtu()).toEqual([{ fra: 1326 }, { lux: 1326 }, { fra: 1306 }, { lux: 1306 }]);
      for (const [name, bytes] of [
        ["flood", 1326],
        ["macs", 1306],
      ] as const) {
        const one = member(name, "lux");
        expect(await network.engine.up(one)).toBe("updated");
        expect(network.engine.said(one)).toEqual([`The ${narrower(name, "fra", bytes).slice(2)}. [warning/narrow]`]);
      }
      expect(
        await Promise.all([member("flood", "lux"), member("macs", "lux")].map((one) => network.engine.refresh(one))),
      ).toEqual([[`+ ${narrower("flood", "fra", 1326)}`], [`+ ${narrower("macs", "fra", 1306)}`]]);
      await network.lab.heal();
      await Promise.all(["lux", "fra"].map((node) => network.on(node, "ip route flush cache")));
      expect(await refreshAll()).toEqual(told("-"));
    });
  });

  test("that says nothing lets TCP between networks behind the nodes through, because its segments are clamped", async () => {
    const nets = { lux: "192.168.8", fra: "192.168.7" };
    const behind = (node: "lux" | "fra"): string[] => [`${nets[node]}.0/24`];
    for (const node of ["lux", "fra"] as const) {
      await network.on(
        node,
        `ip netns add lan && ip link add lan type veth peer name eth0 netns lan && ip link set lan up &&
        ip addr add ${nets[node]}.1/24 dev lan && ip -n lan addr add ${nets[node]}.2/24 dev eth0 &&
        ip -n lan link set eth0 up && ip -n lan route add default via ${nets[node]}.1 &&
        sysctl -qw net.ipv4.ip_forward=1 && nft 'table inet mute { chain o { type filter hook output priority 0; icmp code frag-needed drop; }; }'`,
      );
    }
    const routed = (side: Declared, own: "lux" | "fra", far: "lux" | "fra"): Declared => {
      const spec = side.inputs.spec as Values;
      const peer = { ...(spec.peer as Values), routes: behind(far) };
      return { ...side, inputs: { ...side.inputs, spec: { ...spec, behind: behind(own), peer } } };
    };
    await Promise.all([
      network.engine.up(routed(link.a, "lux", "fra")),
      network.engine.up(routed(link.b, "fra", "lux")),
    ]);
    await network.on("fra", "ip netns exec lan iperf3 -s -D");
    const sent = async () =>
      (await network.lab.exec("lux", "timeout 3 ip netns exec lan iperf3 -c 192.168.7.2 -n 1M")).code;
    expect(await sent()).toBe(0);
    const without = (node: string) => network.engine.up(host(network.lab, node, { clampMss: false }));
    expect(await Promise.all([without("lux"), without("fra")])).toEqual(["updated", "updated"]);
    expect(await sent()).toBe(124);
  });
});
