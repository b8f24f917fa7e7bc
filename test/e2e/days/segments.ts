/** Every variant of a segment side by side, and ways to look at what its packets do. */
import type { Lab } from "../../lab";
import { on } from "./network";
import type { Segment } from "./program";

const IDS: Record<string, number> = { lux: 1, fra: 2, hkg: 3 };
const ALL = ["lux", "fra", "hkg"];
/** The router that is not there. */
const ROUTER = { mac: "02:00:5e:00:01:01" };
/** Hosts behind fra that call everything else by way of it, each in a prefix of its own, by the device that leads there. */
const BEHIND = { "vx-short4": 99, "vx-short6": 98 };
/** Segments in which there is a host behind fra's bridge, which is known by its addresses. */
const KNOWN_BEHIND = [104, 105];
const macBehind = (net: number): string => `52:54:00:12:34:${String(net).slice(-2)}`;
export const addressesBehind = (net: number): string[] => [`10.${net}.0.50`, `fd00:${net}::50`];

type Outer = "inet" | "inet6";

interface Tried {
  name: string;
  vni: number;
  port: number;
  outer: Outer;
  members: string[];
  segment: Segment;
}

/** `10.103.0.2`, `fd00:103::2`: of node fra in the segment with VNI 103. */
export const inside = (vni: number, node: string): [string, string] => [
  `10.${vni}.0.${IDS[node]}`,
  `fd00:${vni}::${IDS[node]}`,
];

const addresses = (vni: number, node: string): string[] => {
  const [four, six] = inside(vni, node);
  return [`${four}/24`, `${six}/64`];
};

function tried(
  name: string,
  vni: number,
  members: string[],
  args: Partial<Segment> & { variant: Segment["variant"] },
): Tried {
  const { port = 4789, outer = "inet", members: more = {} } = args;
  const all = members.map((node) => [node, { addresses: addresses(vni, node), ...more[node] }] as const);
  const segment: Segment = { ...args, vni, port, outer, members: Object.fromEntries(all) };
  return { name, vni, port, outer, members, segment };
}

/** fra's bridge with the host behind it; the addresses are fra's own. */
const bridged = (net: number, addresses: string[]) => ({
  addresses,
  bridge: { device: `br-host${net}`, ports: [`port${net}`], loopFree: true },
  behind: [{ mac: macBehind(net), addresses: addressesBehind(net) }],
});
const routed = (vni: number, net: number) => ({
  router: {
    ...ROUTER,
    addresses: [`10.${vni}.0.254`, `fd00:${vni}::fe`],
    routes: [`10.${net}.0.0/24`, `fd00:${net}::/64`],
  },
  members: { fra: bridged(net, []) },
});
const known = (vni: number) => ({ members: { fra: bridged(vni, addresses(vni, "fra")) } });
const grouped = (group: string) => ({
  encrypted: false,
  group,
  members: Object.fromEntries(["lux", "fra"].map((node) => [node, { underlay: "eth0" }])),
});
const isolated = (vni: number) => ({
  members: { lux: { addresses: addresses(vni, "lux"), bridge: { device: "br-two" } } },
});

/** The three that tell all of whom they know have a third member. */
export const SEGMENTS: Tried[] = [
  tried("pair4", 101, ["lux", "fra"], { variant: "point-to-point" }),
  tried("pair6", 111, ["lux", "fra"], { variant: "point-to-point", outer: "inet6" }),
  tried("group4", 102, ["lux", "fra"], { variant: "multicast", ...grouped("239.1.1.1") }),
  tried("group6", 112, ["lux", "fra"], { variant: "multicast", outer: "inet6", ...grouped("ff05::100") }),
  tried("flood4", 103, ALL, { variant: "static-flood" }),
  tried("flood6", 113, ["lux", "fra"], { variant: "static-flood", outer: "inet6" }),
  tried("l24", 104, ALL, {
    variant: "static-l2",
    members: { ...isolated(104).members, ...known(104).members },
  }),
  tried("l26", 114, ["lux", "fra"], { variant: "static-l2", outer: "inet6", ...isolated(114) }),
  tried("arpnd4", 105, ALL, { variant: "static-arp-nd", ...known(105) }),
  tried("arpnd6", 115, ["lux", "fra"], { variant: "static-arp-nd", outer: "inet6" }),
  tried("short4", 106, ["lux", "fra"], { variant: "route-short-circuit", ...routed(106, 99) }),
  tried("short6", 116, ["lux", "fra"], {
    variant: "route-short-circuit",
    outer: "inet6",
    ...routed(116, 98),
  }),
  tried("route4", 107, ["lux", "fra"], { variant: "unicast-routing", port: 4790, ttl: 9 }),
  tried("route6", 117, ["lux", "fra"], { variant: "unicast-routing", port: 4791, outer: "inet6", ttl: 9 }),
];

export const segments = (some = SEGMENTS): Record<string, Segment> =>
  Object.fromEntries(some.map(({ name, segment }) => [name, structuredClone(segment)]));

const linked = (node: string, outer: Outer): string =>
  outer === "inet" ? `10.255.0.${IDS[node]}` : `fd00:6f::${IDS[node]}`;
const plainly = (lab: Lab, node: string, outer: Outer): string | undefined =>
  lab.json.hosts[node]?.addresses[outer === "inet" ? 0 : 1];

/** Packets of a segment that leave a host, by VNI and whom they are sent to: `104 > fra`, `102 > group`. */
export class Watch {
  constructor(
    private readonly lab: Lab,
    private readonly host: string,
  ) {}

  async start(): Promise<void> {
    const rules = SEGMENTS.flatMap(({ vni, port, outer, segment }) => {
      const ip = outer === "inet" ? "ip" : "ip6";
      const to = ALL.map((node) => [node, this.vtep(segment, outer, node)]);
      return [...to, ["group", segment.group]].flatMap(([who, address]) =>
        address === undefined
          ? []
          : `add counter inet watch c${vni}-${who}\nadd rule inet watch out udp dport ${port} @th,96,24 ${vni} ${ip} daddr ${address} counter name c${vni}-${who}`,
      );
    });
    // Last of all: what was dropped before has not left.
    const chain = "add table inet watch\nadd chain inet watch out { type filter hook postrouting priority 400 ; }";
    const { code, stderr } = await this.lab.exec(this.host, ["nft", "-f", "-"], {
      input: [chain, ...rules, ""].join("\n"),
    });
    if (code !== 0) throw new Error(stderr);
  }

  private vtep({ encrypted }: Segment, outer: Outer, node: string): string | undefined {
    return encrypted === false ? plainly(this.lab, node, outer) : linked(node, outer);
  }

  #before: Record<string, number> = {};

  /** Since the last time, those that are not 0. */
  async seen(): Promise<Record<string, number>> {
    const text = await on(this.lab, this.host, "nft -j list counters table inet watch");
    const { nftables } = JSON.parse(text) as { nftables: { counter?: { name: string; packets: number } }[] };
    const all = nftables.flatMap(({ counter }): [string, number][] =>
      counter ? [[counter.name.slice(1).replace("-", " > "), counter.packets]] : [],
    );
    const since = all.map(([name, packets]): [string, number] => [name, packets - (this.#before[name] ?? 0)]);
    this.#before = Object.fromEntries(all);
    return Object.fromEntries(since.filter(([, packets]) => packets > 0));
  }
}

export type By = "link" | "underlay";

/** What hkg says of a device that sends to lux into a segment that hkg is not in. */
export function injection(lab: Lab, name: string, by: By) {
  const { vni, port, outer } = SEGMENTS.find((it) => it.name === name) as Tried;
  const at = (host: string) => (by === "link" ? linked(host, outer) : plainly(lab, host, outer));
  return { device: `vx-${name}`, vni, port, remote: at("lux"), local: at("hkg") };
}

/** Pings all at once; those that did not answer within so many seconds. */
export async function silent(lab: Lab, host: string, to: string[], seconds = 4): Promise<string[]> {
  const lines = to.map(
    (address) => `{ ping -n -q -c 2 -i 0.2 -w ${seconds} ${address} >/dev/null 2>&1 || echo ${address}; } &`,
  );
  const { stdout } = await lab.exec(host, ["sh", "-s"], { input: [...lines, "wait", ""].join("\n") });
  return stdout.split("\n").filter(Boolean).sort();
}

/** Brings the hosts behind fra up. Of two segments that lux has in one bridge fra would answer in either. */
export const HOSTS_BEHIND = [
  ...[...Object.values(BEHIND), ...KNOWN_BEHIND].map(
    (net) => `
ip link add port${net} type veth peer name h0
ip netns add behind${net}
ip link set h0 netns behind${net}
ip link set port${net} mtu 1280 up
ip -n behind${net} link set h0 address ${macBehind(net)} mtu 1280 up
ip -n behind${net} addr add 10.${net}.0.50/24 dev h0
ip -n behind${net} addr add fd00:${net}::50/64 dev h0 nodad
`,
  ),
  ...Object.values(BEHIND).map(
    (net) => `
ip -n behind${net} neigh add 10.${net}.0.254 lladdr ${ROUTER.mac} dev h0
ip -n behind${net} neigh add fd00:${net}::fe lladdr ${ROUTER.mac} dev h0
ip -n behind${net} route add default via 10.${net}.0.254
ip -n behind${net} route add default via fd00:${net}::fe
`,
  ),
  "sysctl -qw net.ipv4.conf.all.arp_ignore=1",
].join("");

/** All that lux can call, in both families. */
export const everybody = (): string[] => {
  const members = SEGMENTS.flatMap(({ members, segment }) =>
    members.filter((to) => to !== "lux").flatMap((to) => segment.members[to]?.addresses as string[]),
  );
  const behind = [...Object.values(BEHIND), ...KNOWN_BEHIND].flatMap(addressesBehind);
  return [...members.map((address) => address.replace(/\/.*/, "")), ...behind];
};

/** What segments of lux send, and to whom, where nobody is asked for: `101 > fra`. */
export async function askedForNobody(lab: Lab, watch: Watch, some = SEGMENTS): Promise<string[]> {
  await watch.seen();
  const nobody = some.flatMap(({ vni }) => [`10.${vni}.0.99`, `fd00:${vni}::99`]);
  await silent(lab, "lux", nobody, 1);
  // What the plain underlay's two have learned of each other is asked for, too.
  const asked = Object.keys(await watch.seen()).filter((it) => !/^1[01]2 > fra/.test(it));
  return asked.sort();
}

interface Captured {
  /** Frames with the router's MAC address as their source, as they have that were sent past it. */
  past: number;
  /** Frames that were sent to it. */
  to: number;
}

/** What comes out of the VXLAN device of either end when lux and a host behind the router that is not there ping each other. */
export async function pastTheRouter(lab: Lab, device: keyof typeof BEHIND): Promise<Record<string, Captured>> {
  const tables = { lux: ["netdev", `ingress device ${device}`, ""], fra: ["bridge", "forward", `iifname ${device} `] };
  const all = Object.entries(tables);
  const captures = all.map(([host, [family, hook, from]]) => {
    const table = `${family} captured`;
    const words = [
      `add table ${table}; add counter ${table} past; add counter ${table} to`,
      `add chain ${table} frames { type filter hook ${hook} priority 0; }`,
      `add rule ${table} frames ${from}ether saddr ${ROUTER.mac} counter name past`,
      `add rule ${table} frames ${from}ether daddr ${ROUTER.mac} counter name to`,
    ];
    return on(lab, host, `nft '${words.join("; ")}'`);
  });
  await Promise.all(captures);
  const unanswered = await silent(lab, "lux", addressesBehind(BEHIND[device]), 10);
  if (unanswered.length > 0) throw new Error(`no answer from ${unanswered}`);
  const seen = await Promise.all(
    all.map(async ([host, [family]]) => {
      const table = `table ${family} captured`;
      const text = await on(lab, host, `nft list ${table} && nft delete ${table}`);
      const packets = (name: string) => Number(new RegExp(`counter ${name} {\\s+packets (\\d+)`).exec(text)?.[1]);
      return [host, { past: packets("past"), to: packets("to") }] as const;
    }),
  );
  return Object.fromEntries(seen);
}

/** Hosts in the order in which a segment's device was changed there last: its boot file is written in the member's turn. */
export async function madeAgain(lab: Lab, device: string, hosts: string[]): Promise<string[]> {
  const file = `/etc/overlay/boot.d/60-${device}`;
  const all = await Promise.all(
    hosts.map(async (host) => ({ host, time: await on(lab, host, `stat -c %.9Y ${file}`) })),
  );
  return all.sort((a, b) => Number(a.time) - Number(b.time)).map(({ host }) => host);
}
