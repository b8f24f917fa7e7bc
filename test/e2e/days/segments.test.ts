/** Segments of every variant, from the first `up` to `destroy`: what their packets do, and what others cannot do to them. */
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { asking, eventually, leaks, network, on, rememberKeys, traces } from "./network";
import {
  addressesBehind,
  askedForNobody,
  type By,
  everybody,
  HOSTS_BEHIND,
  injection,
  inside,
  madeAgain,
  pastTheRouter,
  SEGMENTS,
  segments,
  silent,
  Watch,
} from "./segments";
import { type Run, Workspace } from "./workspace";

jest.setTimeout(300_000);

describeWhere(["lab", "engine"], "segments of every variant", () => {
  let lab: Lab;
  let work: Workspace;
  let watch: Watch;
  const found: Record<string, string> = {};

  beforeAll(async () => {
    lab = await Lab.up("rack", { name: "segments", fresh: true });
    await on(lab, "fra", HOSTS_BEHIND);
    for (const host of lab.hosts) found[host] = await traces(lab, host);
    const { nodes, links } = network(lab, ["lux", "fra", "hkg"]);
    const { "lux-fra": _, "lux-hkg": __, ...others } = links;
    work = await Workspace.make(lab, { nodes, links: others, stars: { lux: ["fra", "hkg"] }, segments: segments() });
    watch = new Watch(lab, "lux");
  });
  afterAll(async () => {
    work?.remove();
    await Lab.down("segments");
  });

  test("up makes all; members answer in both families, and so does a host behind a router that is not there", async () => {
    const { logins } = await work.up();
    expect(logins).toEqual({ lux: 1, fra: 1, hkg: 1 });
    await watch.start();
    expect(await silent(lab, "lux", everybody())).toEqual([]);
  });

  test("what is for one goes to that one; what is for nobody goes where the variant says", async () => {
    await watch.seen();
    const behind = [104, 105].flatMap(addressesBehind);
    const asked = [...[103, 104, 105, 107].map((vni) => `10.${vni}.0.2`), ...behind];
    await on(lab, "lux", asked.map((it) => `ping -q -c 20 -i 0.01 -w 5 ${it}`).join(" && "));
    const one = await watch.seen();
    // As VXLAN with its VNI also where it is a route that says so.
    for (const [vni, packets] of Object.entries({ 103: 20, 104: 60, 105: 60, 107: 20 })) {
      expect(one[`${vni} > fra`]).toBeGreaterThanOrEqual(packets);
      // A report of groups may be among them where frames are flooded.
      expect(one[`${vni} > hkg`] ?? 0).toBeLessThan(10);
    }
    expect(one["105 > hkg"]).toBeUndefined();
    // The other of two, the group, or each that is known; nobody where all is known or routed: 105, 115, 107, 117.
    const four = ["101 > fra", "102 > group", "103 > fra", "103 > hkg", "104 > fra", "104 > hkg", "106 > fra"];
    const six = ["111 > fra", "112 > group", "113 > fra", "114 > fra", "116 > fra"];
    expect(await askedForNobody(lab, watch)).toEqual([...four, ...six]);
  });

  test.each(["vx-short4", "vx-short6"] as const)("packets by %s go past a router, both ways", async (device) => {
    // Two pings in each family.
    expect(await pastTheRouter(lab, device)).toEqual({ lux: { past: 4, to: 0 }, fra: { past: 4, to: 0 } });
  });

  test("what routes put into a segment may take as many hops as the segment says", async () => {
    const rules = ["4790 ip ttl 9", "4791 ip6 hoplimit 9"].flatMap((is) => [is.slice(0, 4), is]);
    const chain = "add table inet hops; add chain inet hops out { type filter hook postrouting priority 400 ; }";
    const counted = rules.map((rule) => `add rule inet hops out udp dport ${rule} counter`);
    await on(lab, "lux", `nft '${[chain, ...counted].join("; ")}'`);
    expect(await silent(lab, "lux", [...inside(107, "fra"), ...inside(117, "fra")])).toEqual([]);
    const text = await on(lab, "lux", "nft list table inet hops && nft delete table inet hops");
    const [four = 0, short4, six = 0, short6] = [...text.matchAll(/packets (\d+)/g)].map(([, packets]) =>
      Number(packets),
    );
    expect([four, six].map((packets) => packets >= 4)).toEqual([true, true]);
    expect([short4, short6]).toEqual([four, six]);
  });

  test("who learns has learned, and who does not has what was declared alone", async () => {
    const macs = async (device: string): Promise<string[]> => {
      const text = await on(lab, "lux", `bridge -j fdb show dev ${device}`);
      const entries = JSON.parse(text) as { mac: string; dst?: string; state: string }[];
      return entries.flatMap(({ mac, dst, state }) => (dst ? `${mac} ${dst} ${state}`.trim() : [])).sort();
    };
    expect(await macs("vx-flood4")).toEqual([
      "00:00:00:00:00:00 10.255.0.2 permanent",
      "00:00:00:00:00:00 10.255.0.3 permanent",
      "02:00:00:67:00:02 10.255.0.2",
      "02:00:00:67:00:03 10.255.0.3",
    ]);
    expect(await macs("vx-l24")).toEqual([
      "00:00:00:00:00:00 10.255.0.2 permanent",
      "00:00:00:00:00:00 10.255.0.3 permanent",
      "02:00:00:68:00:02 10.255.0.2 permanent",
      "02:00:00:68:00:03 10.255.0.3 permanent",
      "52:54:00:12:34:04 10.255.0.2 permanent",
    ]);
    expect(await macs("vx-arpnd4")).toEqual([
      "02:00:00:69:00:02 10.255.0.2 permanent",
      "02:00:00:69:00:03 10.255.0.3 permanent",
      "52:54:00:12:34:05 10.255.0.2 permanent",
    ]);
    expect(await macs("vx-route4")).toEqual([]);
  });

  /** Counts what is asked in a segment by ARP, of whom or by whom; what else there is at the same time is no matter. */
  const arps = async (host: string, device: string, which: string): Promise<() => Promise<number>> => {
    const chain = "add table arp watch; add chain arp watch in { type filter hook input priority 0 ; }";
    await on(lab, host, `nft '${chain}; add rule arp watch in iifname ${device} arp ${which} counter'`);
    return async () => {
      const text = await on(lab, host, "nft list table arp watch && nft delete table arp watch");
      return Number(/counter packets (\d+)/.exec(text)?.[1]);
    };
  };

  test("two segments in one bridge are isolated from each other there", async () => {
    // What is asked of everybody in the one, which lux has in a bridge with the other.
    const crossed = async () => {
      const count = await arps("fra", "vx-l26", "daddr ip 10.104.0.98");
      await silent(lab, "hkg", ["10.104.0.98"], 1);
      return count();
    };
    expect(await crossed()).toBe(0);
    const off = (device: string) => `ip link set dev ${device} type bridge_slave isolated off`;
    await on(lab, "lux", `${off("vx-l24")} && ${off("vx-l26")}`);
    await eventually("what is no longer isolated does not cross", async () => (await crossed()) > 0);
  });

  /** On hkg, which is in none of them: a VXLAN device that sends to lux, in clear by the underlay or by its link. */
  const stranger = async (name: string, by: By) => {
    const { device, vni, port, remote, local } = injection(lab, name, by);
    const evil = "ip link add evil address 02:00:00:00:00:66 type vxlan";
    const made = `${evil} id ${vni} dstport ${port} remote ${remote} local ${local}`;
    await on(lab, "hkg", `${made} && ip addr add 10.${vni}.0.66/24 dev evil && ip link set evil up`);
    const count = await arps("lux", device, `saddr ip 10.${vni}.0.66`);
    const unanswered = await silent(lab, "hkg", [`10.${vni}.0.1`], 1);
    await on(lab, "hkg", "ip link del evil");
    return { answered: unanswered.length === 0, taken: (await count()) > 0 };
  };

  test.each<[name: string, by: By[], answers: boolean]>([
    ["pair4", ["link", "underlay"], true],
    ["pair6", ["link"], true],
    ["group6", ["underlay"], true],
    // Whose VNI and VTEP its routes do not say has no answer.
    ["route4", ["link"], false],
  ])("a stranger who injects into %s by %j gets nothing in", async (name, ways, answers) => {
    for (const by of ways) expect(await stranger(name, by)).toEqual({ answered: false, taken: false });
    // It is this table that keeps it out.
    await on(lab, "lux", `nft flush table inet overlay-vx-${name}`);
    for (const by of ways) expect(await stranger(name, by)).toEqual({ answered: answers, taken: true });
  });

  /** Lost by others during a run, of what lux asks fra for in each of these segments. */
  const losses = async (vnis: number[], change: () => Promise<Run>): Promise<[run: Run, lost: number[]]> => {
    const asked = await Promise.all(vnis.map((vni) => asking(lab, "lux", `10.${vni}.0.2`)));
    const run = await change();
    const ends = await Promise.all(asked.map((it) => it.end()));
    for (const { sent } of ends) expect(sent).toBeGreaterThan(100);
    return [run, ends.map(({ lost }) => lost)];
  };
  const LEFT = ["flood4", "l24", "arpnd4"];

  test("each entry that differs is one line, and mended in the run that takes members out; others lose no packet", async () => {
    await on(
      lab,
      "lux",
      `set -e
      bridge fdb del 00:00:00:00:00:00 dev vx-flood4 dst 10.255.0.3
      bridge fdb append 02:aa:00:00:00:01 dev vx-l26 dst fd00:6f::2
      bridge fdb replace 02:00:00:69:00:03 dev vx-arpnd4 dst 10.255.0.2
      ip neigh del 10.105.0.2 dev vx-arpnd4
      ip route del 10.107.0.2/32 dev vx-route4
      ip link set dev vx-flood6 mtu 1280
      ip addr del 10.111.0.1/24 dev vx-pair6
      ip link set dev vx-group4 type vxlan ttl 3
      ip link del vx-short4`,
    );
    for (const name of LEFT) delete work.declared.segments?.[name]?.members.hkg;
    const [{ text }, lost] = await losses([103, 104], () => work.up("--refresh", "--diff"));
    expect(lost).toEqual([0, 0]);
    const lines = text.split("\n").map((line) => line.trim());
    const drift = lines.filter((line) => /^[-+] (ip|bridge|nft|sysctl) /.test(line) && !line.includes("short4"));
    expect([...new Set(drift)].sort()).toMatchInlineSnapshot(`
[
  "+ bridge fdb replace 02:00:00:69:00:03 dev vx-arpnd4 dst 10.255.0.2",
  "+ bridge fdb replace 02:aa:00:00:00:01 dev vx-l26 dst fd00:6f::2",
  "+ ip addr add 10.111.0.1/24 dev vx-pair6",
  "+ ip link add dev vx-group4 type vxlan id 102 dstport 4789 group 239.1.1.1 dev eth0 ttl 3 local 203.0.113.11 learning",
  "+ ip link add dev vx-group4 type vxlan id 102 dstport 4789 group 239.1.1.1 dev eth0 ttl 64 local 203.0.113.11 learning",
  "+ ip link set dev vx-flood6 address 02:00:00:71:00:01 mtu 1280 group 28418 addrgenmode none alias overlay:net/prod:flood6",
  "+ ip link set dev vx-flood6 address 02:00:00:71:00:01 mtu 1350 group 28418 addrgenmode none alias overlay:net/prod:flood6",
  "+ ip link set dev vx-l24 type bridge_slave isolated on",
  "+ ip link set dev vx-l26 type bridge_slave isolated on",
  "+ ip neigh replace 10.105.0.2 lladdr 02:00:00:69:00:02 dev vx-arpnd4 nud permanent",
  "+ ip route add 10.107.0.2/32 dev vx-route4 proto 111 metric 4096 src 10.107.0.1 encap ip id 107 src 10.255.0.1 dst 10.255.0.2 ttl 9",
  "+ nft add rule inet overlay-vx-arpnd4 in udp dport 4789 @th,96,24 105 ip saddr != { 10.255.0.1, 10.255.0.2 } counter drop",
  "+ nft add rule inet overlay-vx-arpnd4 out udp dport 4789 @th,96,24 105 ip daddr != { 10.255.0.1, 10.255.0.2 } counter drop",
  "+ nft add rule inet overlay-vx-flood4 in udp dport 4789 @th,96,24 103 ip saddr != { 10.255.0.1, 10.255.0.2 } counter drop",
  "+ nft add rule inet overlay-vx-flood4 out udp dport 4789 @th,96,24 103 ip daddr != { 10.255.0.1, 10.255.0.2 } counter drop",
  "+ nft add rule inet overlay-vx-group6 in udp dport 4789 @th,96,24 112 ip6 saddr != { 2001:db8:1::11, 2001:db8:1::12 } counter drop",
  "+ nft add rule inet overlay-vx-group6 in udp dport 4789 exthdr frag exists ip6 saddr != { 2001:db8:1::11, 2001:db8:1::12 } counter drop",
  "+ nft add rule inet overlay-vx-group6 out udp dport 4789 @th,96,24 112 ip6 daddr != { 2001:db8:1::11, 2001:db8:1::12, ff05::100 } counter drop",
  "+ nft add rule inet overlay-vx-l24 in udp dport 4789 @th,96,24 104 ip saddr != { 10.255.0.1, 10.255.0.2 } counter drop",
  "+ nft add rule inet overlay-vx-l24 out udp dport 4789 @th,96,24 104 ip daddr != { 10.255.0.1, 10.255.0.2 } counter drop",
  "+ nft add rule inet overlay-vx-pair4 in udp dport 4789 @th,96,24 101 iifgroup != 28417 counter drop",
  "+ nft add rule inet overlay-vx-pair4 in udp dport 4789 @th,96,24 101 ip saddr != { 10.255.0.1, 10.255.0.2 } counter drop",
  "+ nft add rule inet overlay-vx-pair4 out udp dport 4789 @th,96,24 101 ip daddr != { 10.255.0.1, 10.255.0.2 } counter drop",
  "+ nft add rule inet overlay-vx-pair4 out udp dport 4789 @th,96,24 101 oifgroup != 28417 counter drop",
  "+ nft add rule inet overlay-vx-pair6 in udp dport 4789 @th,96,24 111 iifgroup != 28417 counter drop",
  "+ nft add rule inet overlay-vx-pair6 in udp dport 4789 @th,96,24 111 ip6 saddr != { fd00:6f::1, fd00:6f::2 } counter drop",
  "+ nft add rule inet overlay-vx-pair6 in udp dport 4789 exthdr frag exists iifgroup != 28417 counter drop",
  "+ nft add rule inet overlay-vx-pair6 in udp dport 4789 exthdr frag exists ip6 saddr != { fd00:6f::1, fd00:6f::2 } counter drop",
  "+ nft add rule inet overlay-vx-pair6 out udp dport 4789 @th,96,24 111 ip6 daddr != { fd00:6f::1, fd00:6f::2 } counter drop",
  "+ nft add rule inet overlay-vx-pair6 out udp dport 4789 @th,96,24 111 oifgroup != 28417 counter drop",
  "+ nft add rule inet overlay-vx-route4 in meta nfproto ipv6 udp dport 4790 counter drop",
  "+ nft add rule inet overlay-vx-route4 in udp dport 4790 iifgroup != 28417 counter drop",
  "+ nft add rule inet overlay-vx-route4 in udp dport 4790 ip saddr != { 10.255.0.1, 10.255.0.2 } counter drop",
  "+ nft add rule inet overlay-vx-route4 out udp dport 4790 ip daddr != { 10.255.0.1, 10.255.0.2 } counter drop",
  "+ nft add rule inet overlay-vx-route4 out udp dport 4790 oifgroup != 28417 counter drop",
  "- bridge fdb append 00:00:00:00:00:00 dev vx-flood4 dst 10.255.0.3",
  "- bridge fdb append 00:00:00:00:00:00 dev vx-l24 dst 10.255.0.3",
  "- bridge fdb replace 02:00:00:68:00:03 dev vx-l24 dst 10.255.0.3",
  "- bridge fdb replace 02:00:00:69:00:03 dev vx-arpnd4 dst 10.255.0.2",
  "- bridge fdb replace 02:00:00:69:00:03 dev vx-arpnd4 dst 10.255.0.3",
  "- bridge fdb replace 02:aa:00:00:00:01 dev vx-l26 dst fd00:6f::2",
  "- ip addr add 10.111.0.1/24 dev vx-pair6",
  "- ip link add dev vx-group4 type vxlan id 102 dstport 4789 group 239.1.1.1 dev eth0 ttl 3 local 203.0.113.11 learning",
  "- ip link add dev vx-group4 type vxlan id 102 dstport 4789 group 239.1.1.1 dev eth0 ttl 64 local 203.0.113.11 learning",
  "- ip link set dev vx-flood6 address 02:00:00:71:00:01 mtu 1280 group 28418 addrgenmode none alias overlay:net/prod:flood6",
  "- ip link set dev vx-flood6 address 02:00:00:71:00:01 mtu 1350 group 28418 addrgenmode none alias overlay:net/prod:flood6",
  "- ip link set dev vx-l24 type bridge_slave isolated on",
  "- ip link set dev vx-l26 type bridge_slave isolated on",
  "- ip neigh replace 10.105.0.2 lladdr 02:00:00:69:00:02 dev vx-arpnd4 nud permanent",
  "- ip neigh replace 10.105.0.3 lladdr 02:00:00:69:00:03 dev vx-arpnd4 nud permanent",
  "- ip neigh replace fd00:105::3 lladdr 02:00:00:69:00:03 dev vx-arpnd4 nud permanent",
  "- ip route add 10.107.0.2/32 dev vx-route4 proto 111 metric 4096 src 10.107.0.1 encap ip id 107 src 10.255.0.1 dst 10.255.0.2 ttl 9",
  "- nft add rule inet overlay-vx-arpnd4 in udp dport 4789 @th,96,24 105 ip saddr != { 10.255.0.1, 10.255.0.2, 10.255.0.3 } counter drop",
  "- nft add rule inet overlay-vx-arpnd4 out udp dport 4789 @th,96,24 105 ip daddr != { 10.255.0.1, 10.255.0.2, 10.255.0.3 } counter drop",
  "- nft add rule inet overlay-vx-flood4 in udp dport 4789 @th,96,24 103 ip saddr != { 10.255.0.1, 10.255.0.2, 10.255.0.3 } counter drop",
  "- nft add rule inet overlay-vx-flood4 out udp dport 4789 @th,96,24 103 ip daddr != { 10.255.0.1, 10.255.0.2, 10.255.0.3 } counter drop",
  "- nft add rule inet overlay-vx-group6 in udp dport 4789 @th,96,24 112 ip6 saddr != { 2001:db8:1::11, 2001:db8:1::12 } counter drop",
  "- nft add rule inet overlay-vx-group6 in udp dport 4789 exthdr frag exists ip6 saddr != { 2001:db8:1::11, 2001:db8:1::12 } counter drop",
  "- nft add rule inet overlay-vx-group6 out udp dport 4789 @th,96,24 112 ip6 daddr != { 2001:db8:1::11, 2001:db8:1::12, ff05::100 } counter drop",
  "- nft add rule inet overlay-vx-l24 in udp dport 4789 @th,96,24 104 ip saddr != { 10.255.0.1, 10.255.0.2, 10.255.0.3 } counter drop",
  "- nft add rule inet overlay-vx-l24 out udp dport 4789 @th,96,24 104 ip daddr != { 10.255.0.1, 10.255.0.2, 10.255.0.3 } counter drop",
  "- nft add rule inet overlay-vx-pair4 in udp dport 4789 @th,96,24 101 iifgroup != 28417 counter drop",
  "- nft add rule inet overlay-vx-pair4 in udp dport 4789 @th,96,24 101 ip saddr != { 10.255.0.1, 10.255.0.2 } counter drop",
  "- nft add rule inet overlay-vx-pair4 out udp dport 4789 @th,96,24 101 ip daddr != { 10.255.0.1, 10.255.0.2 } counter drop",
  "- nft add rule inet overlay-vx-pair4 out udp dport 4789 @th,96,24 101 oifgroup != 28417 counter drop",
  "- nft add rule inet overlay-vx-pair6 in udp dport 4789 @th,96,24 111 iifgroup != 28417 counter drop",
  "- nft add rule inet overlay-vx-pair6 in udp dport 4789 @th,96,24 111 ip6 saddr != { fd00:6f::1, fd00:6f::2 } counter drop",
  "- nft add rule inet overlay-vx-pair6 in udp dport 4789 exthdr frag exists iifgroup != 28417 counter drop",
  "- nft add rule inet overlay-vx-pair6 in udp dport 4789 exthdr frag exists ip6 saddr != { fd00:6f::1, fd00:6f::2 } counter drop",
  "- nft add rule inet overlay-vx-pair6 out udp dport 4789 @th,96,24 111 ip6 daddr != { fd00:6f::1, fd00:6f::2 } counter drop",
  "- nft add rule inet overlay-vx-pair6 out udp dport 4789 @th,96,24 111 oifgroup != 28417 counter drop",
  "- nft add rule inet overlay-vx-route4 in meta nfproto ipv6 udp dport 4790 counter drop",
  "- nft add rule inet overlay-vx-route4 in udp dport 4790 iifgroup != 28417 counter drop",
  "- nft add rule inet overlay-vx-route4 in udp dport 4790 ip saddr != { 10.255.0.1, 10.255.0.2 } counter drop",
  "- nft add rule inet overlay-vx-route4 out udp dport 4790 ip daddr != { 10.255.0.1, 10.255.0.2 } counter drop",
  "- nft add rule inet overlay-vx-route4 out udp dport 4790 oifgroup != 28417 counter drop",
]
`);
    const known = await on(lab, "lux", "bridge fdb show dev vx-l24; ip neigh show dev vx-arpnd4");
    expect(known).not.toContain("10.255.0.3");
    expect(await on(lab, "hkg", "ip -br link show group 28418")).toBe("");
  });

  test("members that come back cost the others no packet, nor do segments that are made again, or stp; no other is touched", async () => {
    work.declared.segments = segments();
    const { pair6, short4, short6 } = work.declared.segments;
    // A port is what a device has for good.
    Object.assign(pair6 ?? {}, { port: 4799 });
    Object.assign(short4 ?? {}, { port: 4798 });
    // fra's bridge comes before fra's member, and fra's machine before that: each is kept waiting for a second.
    Object.assign(short4?.members.fra ?? {}, { addresses: ["10.106.0.2/24"] });
    Object.assign(work.declared.nodes.fra ?? {}, { sysctls: { "net/core/somaxconn": "4000" } });
    const kept = "flock /run/overlay/lock sh -c 'until grep -q -- \"->\" /proc/locks; do sleep 0.1; done; sleep 1'";
    await on(lab, "fra", `{ ${kept}; ${kept}; } >/dev/null 2>&1 &`);
    Object.assign(short6?.members.fra?.bridge ?? {}, { loopFree: false, stp: true });
    const [{ done }, lost] = await losses([101, 103, 104, 105], () => work.up());
    expect(lost).toEqual([0, 0, 0, 0]);
    const members = [...LEFT.flatMap((name) => lab.hosts.map((host) => `${name}@${host}`)), "pair6@fra", "pair6@lux"];
    const touched = [...members, "br-host98@fra", "br-host99@fra", "fra", "short4@fra", "short4@lux"];
    expect(done.map((it) => it.split(" ")[0])).toEqual(touched.sort());
    expect(await madeAgain(lab, "vx-short4", ["lux", "fra"])).toEqual(["fra", "lux"]);
    expect(await madeAgain(lab, "vx-pair6", ["lux", "fra"])).toEqual(["fra", "lux"]);
    expect(await silent(lab, "lux", [...everybody(), "10.106.0.2"])).toEqual([]);
  });

  test("a second way between ports of a bridge with stp is blocked, and what is there goes on", async () => {
    const join = (end: string) => `ip link set dev ${end} master br-host98 up`;
    await on(lab, "fra", `ip link add loop0 type veth peer name loop1 && ${join("loop0")} && ${join("loop1")}`);
    await eventually("one end is to be blocked", async () => {
      const ports = JSON.parse(await on(lab, "fra", "bridge -j link")) as { ifname: string; state: string }[];
      const state = (port: string) => ports.find(({ ifname }) => ifname === port)?.state;
      return state("loop0") !== "blocking" && state("loop1") === "blocking";
    });
    expect(await silent(lab, "lux", addressesBehind(98))).toEqual([]);
    await on(lab, "fra", "ip link del loop0");
  });

  test("without its links no packet of a segment leaves a host", async () => {
    await on(lab, "lux", "ip link set dev inter-fra down");
    await on(lab, "lux", "ip route add 10.255.0.2/32 dev eth0 && ip -6 route add fd00:6f::2/128 dev eth0");
    const encrypted = SEGMENTS.filter(({ segment }) => segment.encrypted !== false);
    await watch.seen();
    const to = encrypted.flatMap(({ vni }) => inside(vni, "fra"));
    await silent(lab, "lux", to, 1);
    const left = Object.keys(await watch.seen()).filter((it) => it.endsWith("fra") && !/^1[01]2/.test(it));
    expect(left).toEqual([]);
    expect(await on(lab, "lux", "nft list chain inet overlay-vx-arpnd4 out")).toMatch(/counter packets [1-9]/);
  });

  test("after a reboot all is there", async () => {
    await lab.reboot("lux");
    await eventually("all answer", async () => (await silent(lab, "lux", everybody(), 2)).length === 0);
    expect(await work.drift("--target", "**@lux")).toEqual([]);
  });

  test("no private key was seen", async () => {
    await rememberKeys(lab);
    expect(leaks()).toEqual([]);
  });

  test("destroyed, each host is as it was found", async () => {
    await work.destroy();
    // The other end of its cable has another number since the reboot.
    const told = (text = "") => text.replace(/eth0@if\d+/g, "eth0");
    for (const host of lab.hosts) expect(told(await traces(lab, host))).toBe(told(found[host]));
  });
});
