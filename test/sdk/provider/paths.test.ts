/** How large a packet passes: what follows from what came back and what came in pieces, and which ways are looked at. */
import { HostError, type Probe, type Probed } from "../../../sdk/host";
import { measure, narrow, sizesBetween, whole } from "../../../sdk/host/pathMtu";
import { parseProbed } from "../../../sdk/host/probe";
import type { End, Path } from "../../../sdk/kernel";
import type { Machine } from "../../../sdk/provider/machine";
import { Paths, readPaths } from "../../../sdk/provider/paths";
import { vxlan } from "../../../sdk/vxlan";
import { wireguard } from "../../../sdk/wireguard";
import { member } from "../vxlan/declared";

const path = (to: string, more: Partial<Path> = {}): Path => ({
  device: `inter-${to}`,
  of: "lux-fra",
  to,
  other: `lux-fra@${to}`,
  address: "fe80::2",
  mtu: 1420,
  layer: "WireGuard",
  below: "underlay",
  port: 11002,
  from: to,
  lines: [`ip link set dev inter-${to} mtu 1420`],
  ...more,
});
const SOURCE = "198.51.100.9:11001";
const endpoints = new Map([["inter-fra fra", SOURCE]]);
/** A datagram of the other end's that came in fragments. */
const pieces = (length: number) => ({ address: "198.51.100.9", from: 11001, to: 11002, length });

/** A machine at the end of a way that carries so many bytes over IPv4, in pieces or not at all where that is too few. */
function machine(carries: number, { fragments = false, alive = true, fills = 16, adds = 60 } = {}) {
  const asked: (readonly Probe[])[] = [];
  const called: string[] = [];
  const callAgain = async (device: string, key: string) => void called.push(`${device} ${key}`);
  const probe = async (probes: readonly Probe[]): Promise<Probed> => {
    asked.push(probes);
    const padded = (size: number) => Math.min(1420, Math.ceil(size / fills) * fills);
    const fits = (size: number) => padded(size) + adds <= carries;
    return {
      answered: probes.map(({ sizes }) => (alive ? sizes.filter((size) => fragments || fits(size)) : [])),
      endpoints,
      fragmented: fragments
        ? probes.flatMap(({ sizes }) => sizes.filter((size) => !fits(size)).map((size) => pieces(padded(size) + 40)))
        : [],
    };
  };
  return { ...({ name: "root@lux", probe, callAgain } as unknown as Machine), asked, called };
}

test("what agents/probe.sh prints: what ping, wg and nft say", () => {
  const text = `\x1eanswer
PING fe80::2(fe80::2) from fe80::1%inter-fra inter-fra: 1368 data bytes
1376 bytes from fe80::2%inter-fra: icmp_seq=1 ttl=64 time=0.931 ms
PING 10.255.0.2 (10.255.0.2) from 10.255.0.1 mesh: 1252(1280) bytes of data.

--- 10.255.0.2 ping statistics ---
1 packets transmitted, 0 received, 100% packet loss, time 0ms
1388 bytes from 10.255.0.3: icmp_seq=2 ttl=64 time=0.731 ms

\x1eendpoint
inter-fra\tfra\t198.51.100.9:11001
\x1efragment
table inet overlay-probe {
	set v4_1460 {
		type ipv4_addr . inet_service . inet_service
		size 4096
		flags dynamic
		elements = { 198.51.100.9 . 11001 . 11002,
			     192.0.2.7 . 11001 . 11003 }
	}

	set v6_1448 {
		type ipv6_addr . inet_service . inet_service
		size 4096
		flags dynamic
		elements = { 2001:db8::9 . 11001 . 11002 }
	}

	chain fragments {
		type filter hook prerouting priority -450; policy accept;
		ip frag-off & 16383 == 8192 udp dport { 11001, 11002 } udp length <= 1460 add @v4_1460 { ip saddr . udp sport . udp dport }
	}
}
\x1eend
`;
  const probe = (device: string, address: string, sizes: number[]) => ({
    ...{ device, address, carriers: [{ port: 11002, headers: 40 }], sizes },
  });
  const probes = [
    probe("inter-fra", "fe80::2", [1416, 1408]),
    probe("inter-hkg", "fe80::2", [1416]),
    probe("mesh", "10.255.0.2", [1280]),
    probe("mesh", "10.255.0.3", [1408, 1400]),
  ];
  expect(parseProbed(text, probes)).toEqual({
    answered: [[1416], [], [], [1408]],
    endpoints,
    fragmented: [
      pieces(1460),
      { address: "192.0.2.7", from: 11001, to: 11003, length: 1460 },
      { address: "2001:db8::9", from: 11001, to: 11002, length: 1448 },
    ],
  });
});

describe("what came in one piece", () => {
  const of = (fragmented: Probed["fragmented"], one = path("fra")) =>
    whole(one, [1280, 1408, 1420], { answered: [], endpoints, fragmented });
  test("is all that came back where there were no fragments", () => expect(of([])).toEqual([1280, 1408, 1420]));
  test("is less than the least of those that came in several", () => {
    expect(of([pieces(1460), pieces(1448)])).toEqual([1280]);
    expect(of([pieces(1460)])).toEqual([1280, 1408]);
  });
  test("has nothing to do with fragments of others, or for others", () => {
    expect(of([{ ...pieces(1320), from: 4500 }])).toHaveLength(3);
    expect(of([{ ...pieces(1320), address: "192.0.2.7" }])).toHaveLength(3);
    expect(of([{ ...pieces(1320), to: 11003 }])).toHaveLength(3);
  });
  test("is told of a segment's member by its address alone, because VXLAN's source port is a hash", () => {
    const member = path("fra", { layer: "VXLAN", port: 4789, from: "10.255.0.2" });
    expect(of([{ address: "10.255.0.2", from: 54321, to: 4789, length: 1438 }], member)).toEqual([1280]);
  });
});

test("what came in one piece in a segment came so in its link, too", () => {
  const within = { device: "inter-fra", port: 11002, from: "fra" };
  const member = path("fra", { layer: "VXLAN", port: 4789, from: "10.255.0.2", within });
  const of = (length: number) => whole(member, [1280, 1370], { answered: [], endpoints, fragmented: [pieces(length)] });
  expect(of(1370 + 50 + 40)).toEqual([1280]);
  expect(of(1280 + 50 + 40)).toEqual([]);
});

test("sizes are those that WireGuard does not fill up, few, and from end to end", () => {
  expect(sizesBetween(1281, 1345)).toEqual([1296, 1312, 1328, 1344]);
  expect(sizesBetween(1409, 1420)).toEqual([]);
  const many = sizesBetween(512, 8920);
  expect([many.length, many[0], many.at(-1)]).toEqual([16, 512, 8912]);
  expect(many.every((size) => size % 16 === 0)).toBe(true);
});

describe("a way", () => {
  const found = async (host: ReturnType<typeof machine>, mtu = 1420) => {
    const carried = await measure(host, path("fra", { mtu }), {});
    return [carried?.bytes, host.asked.length];
  };
  test("that carries all is asked once", async () => expect(await found(machine(1480))).toEqual([1420, 1]));
  test.each([1400, 1350, 1280, 600])("of %d bytes is found in three rounds", async (carries) => {
    const most = Math.floor((carries - 60) / 16) * 16;
    expect(await found(machine(carries))).toEqual([most, 3]);
    expect(await found(machine(carries, { fragments: true }))).toEqual([most, 3]);
  });
  test("that nothing comes back by is not known", async () =>
    expect(await found(machine(1480, { alive: false }))).toEqual([undefined, 2]));
  test("that is narrow is told in one line, with what is to be done", () => {
    expect(narrow(path("fra"), { bytes: 1328, outer: "inet6" })).toBe(
      "path lux-fra to fra carries 1328 bytes in one piece, and its MTU is 1420: raise the MTU of the underlay all the " +
        "way (1420 + WireGuard over IPv6 80 = underlay 1500), or say mtu: 1328",
    );
    expect(narrow(path("fra"), { bytes: 1264, outer: "inet" })).toMatch(/underlay 1480\), because IPv6 needs 1280$/);
  });
});

describe("after a change", () => {
  const end = (name: string): End => ({ name: `lux-fra@${name}`, from: name, called: true, calls: [] });
  const both = new Set(["lux-fra@lux", "lux-fra@fra"]);
  const [toFra, toLux] = [path("fra"), path("lux")];
  const prove = (paths: Paths, name: string, way: Path, host: Machine, before = {}, silent = new Set<string>()) =>
    paths.prove(end(name), [way], before, silent, both, host, {});

  test("the end that is there later has both look, and what is less counts", async () => {
    const [paths, lux, fra] = [new Paths(), machine(1480), machine(1400)];
    const early = await paths.prove(end("lux"), [toFra], {}, new Set(), new Set(), lux, {});
    expect([early, lux.asked.length]).toEqual([{ pathMtu: {}, narrow: [] }, 0]);
    const late = await prove(paths, "fra", toLux, fra);
    expect(late.pathMtu).toEqual({ lux: 1328 });
    expect(late.narrow).toEqual([expect.stringMatching(/^The path lux-fra to lux carries 1328 bytes in one piece, /)]);
    expect([lux.asked.length, fra.asked.length]).toEqual([1, 3]);
  });
  test("two that are there in the same moment look once each, and both say so", async () => {
    const [paths, lux, fra] = [new Paths(), machine(1480), machine(1480)];
    const found = await Promise.all([prove(paths, "lux", toFra, lux), prove(paths, "fra", toLux, fra)]);
    expect(found).toEqual([
      { pathMtu: {}, narrow: [] },
      { pathMtu: {}, narrow: [] },
    ]);
    expect([lux.asked.length, fra.asked.length]).toEqual([1, 1]);
  });
  test("where nobody answers the first of a new way, one of both calls again", async () => {
    const [paths, lux, fra] = [new Paths(), machine(0, { alive: false }), machine(0, { alive: false })];
    await Promise.all([prove(paths, "lux", toFra, lux), prove(paths, "fra", toLux, fra)]);
    expect([lux.called, fra.called]).toEqual([["inter-fra fra"], []]);
    await prove(new Paths(), "lux", toFra, lux, { config: "wg set inter-fra peer fra persistent-keepalive 25\n" });
    expect(lux.called).toHaveLength(1);
    expect(lux.asked.length).toBeGreaterThan(2);
    const answers = machine(1480);
    await prove(new Paths(), "lux", toFra, answers);
    expect(answers.called).toEqual([]);
  });
  test("who waits for others waits for those of this run alone", async () => {
    const [paths, host] = [new Paths(), machine(1480)];
    const gather = jest.fn(async () => undefined);
    await paths.prove(end("lux"), [toFra], {}, new Set(), both, host, { gather });
    expect([gather.mock.calls.length, host.asked.length]).toEqual([0, 1]);
    await paths.prove(end("fra"), [toLux], {}, new Set(), both, host, { gather });
    expect(gather).toHaveBeenCalledTimes(1);
  });
  test("that is of something else nobody looks, and what was known stays", async () => {
    const host = machine(1400);
    const before = { config: `${toFra.lines[0]}\n`, pathMtu: { fra: 1392 } };
    expect(await prove(new Paths(), "lux", toFra, host, before)).toEqual({ pathMtu: { fra: 1392 }, narrow: [] });
    expect(host.asked).toEqual([]);
  });
  test("what was narrow is looked at again, and said again", async () => {
    const before = {
      config: `${toFra.lines[0]}\n# path lux-fra to fra carries 1392 bytes …\n`,
      pathMtu: { fra: 1392 },
    };
    expect((await prove(new Paths(), "lux", toFra, machine(1400), before)).narrow).toHaveLength(1);
    expect(await prove(new Paths(), "lux", toFra, machine(1480), before)).toEqual({ pathMtu: {}, narrow: [] });
  });
  test("nobody waits for who does not answer anyway", async () => {
    const host = machine(1400);
    await prove(new Paths(), "lux", toFra, host, {}, new Set(["fra"]));
    expect(host.asked).toEqual([]);
  });
  test("a host that cannot be asked is told to whoever wants to know", async () => {
    const host = { ...machine(1480), probe: () => Promise.reject(new HostError("agent", "it has no ping")) };
    await expect(prove(new Paths(), "lux", toFra, host)).rejects.toThrow("it has no ping");
  });
});

describe("a refresh", () => {
  const way = path("fra");
  const now = 1795258787;
  const seen = (since = 10) =>
    ({ now, wg: [{ device: "inter-fra", peers: [{ publicKey: "fra", latestHandshake: now - since }] }] }) as never;
  const text = `${way.lines[0]}\n`;
  const refresh = (host: Machine, olds = {}, config = text, since = 10) =>
    readPaths([way], olds, config, seen(since), host, {});
  const known = { pathMtu: { fra: 1328 }, config: `${text}# path lux-fra to fra carries 1328 bytes …\n` };

  test("says what is narrow, and no more when it is no longer", async () => {
    const { pathMtu, notes } = await refresh(machine(1400));
    expect([pathMtu, notes]).toEqual([{ fra: 1328 }, [expect.stringMatching(/^# path lux-fra to fra carries 1328 /)]]);
    expect(await refresh(machine(1480), known)).toEqual({ pathMtu: {}, notes: [] });
  });
  test.each<[string, Parameters<typeof refresh>]>([
    ["where somebody has changed the device by hand", [machine(1480), known, "ip link set dev inter-fra mtu 1300\n"]],
    ["where there is no session", [machine(1480), known, text, 600]],
    ["where nothing comes back", [machine(1480, { alive: false }), known]],
  ])("says what it did %s", async (_, given) => {
    expect(await refresh(...given)).toEqual({ pathMtu: known.pathMtu, notes: [known.config.split("\n")[1]] });
  });
});

describe("ways of a WireGuard device", () => {
  const peer = {
    name: "lux",
    id: 1,
    publicKey: "yX6FLV5UjeuxLDIxR/hWYWOnmYR46ClYjjDbesTpjFk=",
    addresses: ["10.255.0.1"],
  };
  const fields = { node: "fra", owner: "net/prod", link: "l", device: "wg", id: 2, mtu: 1420, listenPort: 11001 };
  const of = (more: object) => wireguard.paths?.(wireguard.spec.parse({ ...fields, ...more }), {} as never);

  test("of a link: by its link-local address, and what the kernel is told of it", () => {
    expect(of({ addresses: ["10.255.0.2"], peer: { ...peer, endpoint: "203.0.113.5:11002" } })).toEqual([
      {
        device: "wg",
        of: "l",
        to: "lux",
        other: "l@lux",
        address: "fe80::1",
        mtu: 1420,
        layer: "WireGuard",
        below: "underlay",
        port: 11001,
        from: peer.publicKey,
        lines: [
          "ip link add dev wg type wireguard",
          "ip link set dev wg mtu 1420 group 28417 addrgenmode none alias overlay:net/prod:l",
          "ip link set dev wg up",
          "wg set wg listen-port 11001 fwmark 0x6f private-key /etc/overlay/keys/wireguard.key",
          `wg set wg peer ${peer.publicKey} allowed-ips 0.0.0.0/0,::/0 endpoint 203.0.113.5:11002`,
        ],
      },
    ]);
  });
  test("of a mesh: by an address of the peer's, which is all that it lets in", () =>
    expect(of({ peers: [peer] })).toMatchObject([{ address: "10.255.0.1" }]));
  test("to somebody else's machine only where it can be called: others move about", () => {
    expect(of({ peer: { ...peer, foreign: true } })).toEqual([]);
    const [called] = of({ peer: { ...peer, foreign: true, endpoint: "203.0.113.5:51820" } }) ?? [];
    expect([called?.to, called?.other]).toEqual(["lux", undefined]);
  });
});

describe("ways of a member of a segment", () => {
  const peer = { name: "lux", id: 1, vtep: "10.255.0.1", mac: "02:00:00:64:00:01" };
  const both = ["10.100.0.1/24", "fd00:100::1/64"];
  /** Of a host that has these addresses on a device. */
  const seen = (ifname: string, ...all: string[]) => ({
    links: [{ ifname, mtu: 1350 }],
    routes4: [
      { dst: "10.255.0.1", dev: "inter-hkg", metric: 8195 },
      { dst: "10.255.0.1", dev: "inter-lux", metric: 4096 },
    ],
    wg: ["inter-hkg", "inter-lux"].map((device) => ({ device, listenPort: 11001, peers: [{ publicKey: device }] })),
    addrs: [
      {
        ifname,
        addr_info: all.map((it) => ({ local: it.split("/")[0], prefixlen: Number(it.split("/")[1]) })),
      },
    ],
  });
  const own = { vx: seen("vx-lan", "fe80::2/64", "10.100.0.2/24", "fd00:100::2/64") };
  const of = (more: object, peers: object[], live: object = own.vx) => {
    const { addresses, ...fields } = { ...member, variant: "static-flood", ...more } as Record<string, unknown>;
    return vxlan.paths?.(vxlan.spec.parse({ ...fields, peers }), live as never) ?? [];
  };
  const asked = (...given: Parameters<typeof of>) => of(...given).map(({ device, address }) => [device, address]);

  test("are what its kernel is told of each of the others", () => {
    expect(of({}, [{ ...peer, addresses: both }])).toEqual([
      {
        device: "vx-lan",
        of: "lan",
        to: "lux",
        other: "segment lan@lux",
        address: "fd00:100::1",
        mtu: 1370,
        least: 1280,
        layer: "VXLAN",
        below: "link",
        port: 4789,
        from: "10.255.0.1",
        within: { device: "inter-lux", port: 11001, from: "inter-lux" },
        lines: [
          "ip link add dev vx-lan type vxlan id 100 dstport 4789 ttl 64 local 10.255.0.2 learning",
          "ip link set dev vx-lan address 02:00:00:64:00:02 mtu 1370 group 28418 addrgenmode none alias overlay:net/prod:lan",
          "ip link set dev vx-lan up",
          "bridge fdb append 00:00:00:00:00:00 dev vx-lan dst 10.255.0.1",
        ],
      },
    ]);
  });
  test("lead to an address beside which it has one: of IPv6, of IPv4, or link-local", () => {
    expect(asked({}, [{ ...peer, addresses: ["10.100.0.1/24"] }])).toEqual([["vx-lan", "10.100.0.1"]]);
    expect(asked({}, [peer])).toEqual([["vx-lan", "fe80::1"]]);
    expect(asked({}, [{ ...peer, addresses: both }], seen("vx-lan", "10.100.0.2/24"))).toEqual([
      ["vx-lan", "10.100.0.1"],
    ]);
    expect(asked({}, [peer], seen("vx-lan"))).toEqual([]);
  });
  test.each(["static-arp-nd", "unicast-routing"])("lead nowhere where nobody is declared, in %s", (variant) => {
    expect(asked({ variant }, [peer])).toEqual([]);
    expect(asked({ variant }, [{ ...peer, addresses: both }])).toEqual([["vx-lan", "fd00:100::1"]]);
  });
  test("go by the bridge, with what it sends at most", () => {
    const [way] = of({ bridge: "br-lan" }, [{ ...peer, addresses: both }], seen("br-lan", "10.100.0.2/24"));
    expect(way).toMatchObject({ device: "br-lan", address: "10.100.0.1", mtu: 1350 });
  });
  test("that are narrow are told in a link's words", () => {
    const [way] = of({}, [{ ...peer, addresses: both }]) as [Path];
    expect(narrow(way, { bytes: 1326, outer: "inet" })).toBe(
      "path lan to lux carries 1326 bytes in one piece, and its MTU is 1370: raise the MTU of the link all the way " +
        "(1370 + VXLAN over IPv4 50 = link 1420), or say mtu: 1326",
    );
    const v4 = { ...way, least: 576, below: "underlay" as const };
    expect(narrow(v4, { bytes: 1270, outer: "inet" })).toMatch(
      /MTU of the underlay all the way \(.* = underlay 1420\), or say mtu: 1270$/,
    );
    expect(narrow(v4, { bytes: 570, outer: "inet" })).toMatch(/, because IPv4 needs 576$/);
  });

  const found = async (live: object, host: ReturnType<typeof machine>, more = {}) => {
    const [way] = of(more, [{ ...peer, addresses: both }], live) as [Path];
    const carried = await measure(host, way, {});
    return [carried?.bytes, ...host.asked.map(([probe]) => probe?.sizes[0])];
  };
  test("are found to the byte over WireGuard, and to four of them over a plain underlay", async () => {
    expect(await found(own.vx, machine(1480, { adds: 50 }))).toEqual([1370, 64]);
    // Of 1376 bytes of WireGuard's.
    const over = machine(1376, { fills: 1, adds: 50 });
    expect(await found(own.vx, over)).toEqual([1326, 64, 526, 1310]);
    const plain = machine(1354, { fills: 1, adds: 50 });
    expect(await found(own.vx, plain, { encrypted: false })).toEqual([1302, 64, 514, 1254]);
  });
  test("by which nobody answers are asked once, with little", async () => {
    expect(await found(own.vx, machine(1480, { alive: false }))).toEqual([undefined, 64]);
  });
});
