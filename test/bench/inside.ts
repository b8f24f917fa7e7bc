/** What goes through a segment, beside one that is built by hand of the same parts; and whether anything that carries it is in pieces. */
import type { Lab } from "../lab";
import { fullMesh, segmentOf } from "./network";
import { median, type Section } from "./report";
import { Stack } from "./stack";

const ROUNDS = 7;
/** Seconds of each flow. */
const FLOW = 8;

async function on(lab: Lab, host: string, command: string, input?: string): Promise<string> {
  const { code, stdout, stderr } = await lab.exec(host, command, input === undefined ? {} : { input });
  if (code !== 0) throw new Error(`${host}: ${command}: code ${code}: ${stderr}${stdout}`);
  return stdout;
}

/** As a guide has it, in the lines of wg(8), ip(8) and bridge(8), with the MTUs that ours has. */
async function byHand(lab: Lab): Promise<void> {
  const ends = [
    { host: "lux", id: 1, other: "fra" },
    { host: "fra", id: 2, other: "lux" },
  ];
  const keys = new Map<string, string>();
  for (const { host } of ends) {
    keys.set(host, await on(lab, host, "umask 077; wg genkey >/root/hand.key; wg pubkey </root/hand.key"));
  }
  for (const { host, id, other } of ends) {
    const far = 3 - id;
    const lines = [
      "set -e",
      "systemd-run --quiet --unit=hand-wireguard wireguard-go -f wghand",
      "for _ in $(seq 100); do wg show wghand >/dev/null 2>&1 && break; sleep 0.05; done",
      `wg set wghand listen-port 12000 private-key /root/hand.key peer ${keys.get(other)?.trim()} allowed-ips 0.0.0.0/0,::/0 endpoint ${lab.json.hosts[other]?.addresses[0]}:12000 persistent-keepalive 25`,
      `ip addr add 10.254.0.${id}/24 dev wghand`,
      "ip link set dev wghand mtu 1420 up",
      `ip link add vxhand type vxlan id 200 dstport 4789 local 10.254.0.${id} nolearning`,
      `ip link set dev vxhand address 02:00:00:c8:00:0${id} mtu 1370 up`,
      `bridge fdb append 00:00:00:00:00:00 dev vxhand dst 10.254.0.${far}`,
      `bridge fdb append 02:00:00:c8:00:0${far} dev vxhand dst 10.254.0.${far}`,
      `ip addr add 10.200.0.${id}/24 dev vxhand`,
    ];
    await on(lab, host, "sh -s", lines.join("\n"));
  }
  await on(lab, "lux", "ping -q -c 2 -i 0.2 -w 20 10.200.0.2");
}

/** Bits a second that arrive. */
async function flow(lab: Lab, address: string): Promise<number> {
  const { end } = JSON.parse(await on(lab, "lux", `iperf3 --json --client ${address} --time ${FLOW}`)) as {
    end: { sum_received: { bits_per_second: number } };
  };
  return end.sum_received.bits_per_second;
}

const served = (lab: Lab): Promise<string> =>
  on(lab, "fra", "iperf3 --server --daemon; until ss -H -l -t -n sport = 5201 | grep -q .; do sleep 0.1; done");

export async function goodput(lab: Lab): Promise<Section> {
  return Stack.whileUp(lab, { ...fullMesh(lab), segment: segmentOf("static-l2", ["lux", "fra"]) }, async () => {
    await byHand(lab);
    await served(lab);
    const rounds: { ours: number; hand: number }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      // Who goes first takes turns, too.
      const first = await flow(lab, round % 2 === 0 ? "10.100.0.2" : "10.200.0.2");
      const last = await flow(lab, round % 2 === 0 ? "10.200.0.2" : "10.100.0.2");
      rounds.push(round % 2 === 0 ? { ours: first, hand: last } : { ours: last, hand: first });
    }
    const ratio = median(rounds.map(({ ours, hand }) => ours / hand));
    const megabits = (bits: number): string => (bits / 1e6).toFixed(0);
    return {
      title: "Goodput inside of a segment",
      bars: [
        {
          measure: "goodput inside of a segment, over that of the same built by hand",
          figure: ratio.toFixed(2),
          mustBe: "0.97 or more",
          met: ratio >= 0.97,
        },
      ],
      text:
        `iperf3, one TCP flow of ${FLOW} s between two containers, over userspace WireGuard and VXLAN with static MAC ` +
        `addresses: ours, and by lines of ip, wg and bridge, in turn; the median ratio of ${ROUNDS} rounds.`,
      table: [
        ["round", "ours, Mbit/s", "by hand, Mbit/s"],
        ...rounds.map(({ ours, hand }, index) => [String(index + 1), megabits(ours), megabits(hand)]),
      ],
    };
  });
}

/** Where fragments are counted as they come in, before anybody puts them together. */
const WHERE = { underlay: "eth0", link: "inter-*", segment: "vx-lan" };

async function counting(lab: Lab, host: string): Promise<() => Promise<Record<keyof typeof WHERE, number>>> {
  const table = "inet bench-fragments";
  const names = Object.keys(WHERE) as (keyof typeof WHERE)[];
  await on(
    lab,
    host,
    "nft -f -",
    [
      `add table ${table}`,
      `add chain ${table} in { type filter hook prerouting priority -450 ; }`,
      ...names.flatMap((name) => [
        `add counter ${table} ${name}`,
        ...["ip frag-off & 0x3fff != 0", "exthdr frag exists"].map(
          (fragment) => `add rule ${table} in iifname "${WHERE[name]}" ${fragment} counter name ${name}`,
        ),
      ]),
      "",
    ].join("\n"),
  );
  return async () => {
    const text = await on(lab, host, `nft -j list counters table ${table}; nft delete table ${table}`);
    const { nftables } = JSON.parse(text) as { nftables: { counter?: { name: string; packets: number } }[] };
    const packets = (name: string) => nftables.find(({ counter }) => counter?.name === name)?.counter?.packets;
    return { underlay: 0, link: 0, segment: 0, ...Object.fromEntries(names.map((name) => [name, packets(name)])) };
  };
}

export async function fragments(lab: Lab): Promise<Section> {
  return Stack.whileUp(lab, { ...fullMesh(lab), segment: segmentOf("static-l2", ["lux", "fra"]) }, async () => {
    await served(lab);
    const seen = await Promise.all(["lux", "fra"].map((host) => counting(lab, host)));
    const pings = ["10.100.0.2", "fd00:100::2"].map((address) =>
      on(lab, "lux", `ping -n -q -c 20 -i 0.2 -w 60 -s 65000 ${address}`),
    );
    const [bits] = await Promise.all([flow(lab, "10.100.0.2"), flow6(lab), ...pings]);
    const counts = await Promise.all(seen.map((look) => look()));
    const sum = (name: keyof typeof WHERE) => counts.reduce((total, count) => total + count[name], 0);
    if (sum("segment") === 0) throw new Error("nobody fragments: pings of 65,000 bytes have to be, inside");
    const bad = sum("underlay") + sum("link");
    return {
      title: "Fragments of what carries a segment",
      bars: [
        {
          measure: "fragments on underlay and link while iperf3 and pings of 65,000 bytes run inside",
          figure: String(bad),
          mustBe: "0",
          met: bad === 0,
        },
      ],
      text:
        "iperf3 over IPv4 and IPv6 and pings of 65,000 bytes over both, inside of a segment between lux and fra, which the " +
        `senders fragment to its MTU of 1370 bytes; ${(bits / 1e6).toFixed(0)} Mbit/s over IPv4. Fragments are counted as they ` +
        "come in on both hosts.",
      table: [
        ["host", "underlay", "link", "inside of the segment"],
        ...counts.map(({ underlay, link, segment }, index) => [
          ["lux", "fra"][index] ?? "",
          ...[underlay, link, segment].map(String),
        ]),
      ],
    };
  });
}

/** By a server of its own: iperf3 has one client at a time. */
async function flow6(lab: Lab): Promise<void> {
  await on(lab, "fra", "iperf3 --server --daemon --port 5202");
  await on(lab, "lux", `iperf3 --client fd00:100::2 --port 5202 --time ${FLOW}`);
}
