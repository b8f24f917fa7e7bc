/** What many entries of a segment take on a host, and many members in a program. */
import type { Fact } from "../../sdk/kernel";
import { vxlan } from "../../sdk/vxlan";
import { bring, connectionTo, hostsOf, nodeFacts, OWNER } from "../e2e/hosts";
import type { Lab } from "../lab";
import { fullMesh, meshNodes, meshOf, type Network, segmentOf, withLink } from "./network";
import { median, ROUNDS, type Section, seconds, spread } from "./report";
import { Stack } from "./stack";

const ENTRIES = 10_000;
const MEMBERS = 30;
const DECLARED = 2_000;

const behindOf = (count: number): { mac: string }[] =>
  Array.from({ length: count }, (_, index) => ({
    mac: `52:54:${index.toString(16).padStart(8, "0").match(/../g)?.join(":")}`,
  }));

/** A member that knows so many hosts behind another one. */
function memberFacts(count: number): Fact[] {
  const behind = behindOf(count);
  const own = { node: "lux", owner: OWNER, segment: "lan", device: "vx-lan", id: 1, vni: 100, mtu: 1370 };
  const peers = [{ name: "fra", vtep: "10.255.0.2", mac: "02:00:00:64:00:02", behind }];
  const at = { local: "10.255.0.1", mac: "02:00:00:64:00:01", addresses: ["10.100.0.1/24"] };
  return vxlan.plan(vxlan.spec.parse({ ...own, ...at, variant: "static-l2", peers }));
}

export async function entries(lab: Lab): Promise<Section> {
  const hosts = hostsOf(lab);
  const session = hosts.session(connectionTo(lab, "lux"));
  const took = new Map<string, number[]>();
  const become = async (title: string, count: number) => {
    const began = performance.now();
    const differs = await bring(session, memberFacts(count), "60-vx-lan");
    if (differs.length > 0) throw new Error(`the host is not as it should be: ${differs.slice(0, 3).join("; ")}`);
    took.set(title, [...(took.get(title) ?? []), performance.now() - began]);
  };
  const titles = ["from nothing", "one entry more", "nothing to do, looked at twice"] as const;
  try {
    await bring(session, nodeFacts("lux"), "10-node");
    for (let round = 0; round < ROUNDS; round++) {
      await lab.exec("lux", "ip link del vx-lan 2>/dev/null; nft delete table inet overlay-vx-lan 2>/dev/null; true");
      await become(titles[0], ENTRIES);
      await become(titles[1], ENTRIES + 1);
      await become(titles[2], ENTRIES + 1);
    }
  } finally {
    await hosts.close();
  }
  const of = (title: string): number[] => took.get(title) ?? [];
  const [first, more] = [median(of(titles[0])), median(of(titles[1]))];
  const bar = (measure: string, is: number, most: number) => ({
    measure,
    figure: seconds(is),
    mustBe: `${seconds(most)} or less`,
    met: is <= most,
  });
  return {
    title: `A segment's member with ${ENTRIES.toLocaleString("en")} entries`,
    bars: [bar(`${ENTRIES} entries, first apply`, first, 3_000), bar("one entry more", more, 500)],
    text:
      `Planned, looked at, changed by one \`bridge -batch\` and looked at again, on one host over a connection that is ` +
      `open; medians of ${ROUNDS} rounds. The boot file is written each time.`,
    table: [
      ["operation", "median", "fastest and slowest"],
      ...titles.map((it) => [it, seconds(median(of(it))), spread(of(it))]),
    ],
  };
}

/** A segment of two with so many hosts behind one of them, which the other is told. */
function crowdedSegment(network: Network, count: number): Network {
  const { members, ...segment } = segmentOf("static-l2", ["lux", "fra"]);
  const [lux, fra] = members;
  if (!lux || !fra) throw new Error("a segment of two");
  return { ...network, segment: { ...segment, members: [lux, { ...fra, bridge: {}, behind: behindOf(count) }] } };
}

/** Entries through the engine, beside one line of something else in the same program. */
export async function declaredEntries(lab: Lab): Promise<Section> {
  const network = fullMesh(lab);
  const took = { first: [] as number[], more: [] as number[], other: [] as number[] };
  await Stack.whileUp(lab, network, async (stack) => {
    const timed = async (what: keyof typeof took, changed: Network) => took[what].push((await stack.up(changed)).wall);
    for (let round = 0; round < ROUNDS; round++) {
      await timed("first", crowdedSegment(network, DECLARED));
      // Whatever else is to be seen of a round weighs on both.
      for (let turn = 0; turn < 2; turn++) {
        const count = DECLARED + 1 - turn;
        await timed("more", crowdedSegment(turn === 0 ? network : keepalive(network), count));
        await timed("other", crowdedSegment(turn === 0 ? keepalive(network) : network, count));
      }
      await stack.up(network);
    }
    await stack.must(["destroy", "--yes", "--skip-preview"]);
  });
  const [first, more, other] = [median(took.first), median(took.more), median(took.other)];
  const ratio = median(took.more.map((one, index) => one / (took.other[index] ?? Number.NaN)));
  return {
    title: `A segment of two with ${DECLARED.toLocaleString("en")} hosts behind one of them`,
    bars: [
      {
        measure: `${DECLARED} entries through \`pulumi up\``,
        figure: seconds(first),
        mustBe: "10.00 s or less",
        met: first <= 10_000,
      },
      {
        measure: "one entry more, over a one-line change of a link in the same program",
        figure: ratio.toFixed(2),
        mustBe: "1.00 or less",
        met: Number(ratio.toFixed(2)) <= 1,
      },
    ],
    text:
      `\`pulumi up --yes --skip-preview\` on three hosts with links between them. An entry more and a link's \`keepalive\` are ` +
      `changed in turn, there and back; medians of ${ROUNDS} rounds, and of the ratios of two that followed each other.`,
    table: [
      ["`up`", "median", "fastest and slowest"],
      ["the segment, with all entries", seconds(first), spread(took.first)],
      ["one entry more or less", seconds(more), spread(took.more)],
      ["a link's keepalive", seconds(other), spread(took.other)],
    ],
  };
}

const keepalive = (network: Network): Network => withLink(network, "lux-fra", { keepalive: 15 });

export async function segment(): Promise<Section> {
  const network = meshOf(meshNodes(MEMBERS));
  const members = Object.keys(network.nodes).map((node, index) => ({ node, addresses: [`10.100.0.${index + 1}/24`] }));
  const stack = await Stack.make(undefined, { ...network, segment: { vni: 100, variant: "static-l2", members } });
  stack.plug("hostless");
  const all: number[] = [];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      all.push((await stack.up()).wall);
      await stack.must(["destroy", "--yes", "--skip-preview"]);
    }
  } finally {
    stack.remove();
  }
  const is = median(all);
  return {
    title: `A segment of ${MEMBERS} members, host layer stubbed`,
    bars: [
      {
        measure: `\`up\` of a ${MEMBERS}-member segment and its mesh, host layer stubbed`,
        figure: seconds(is),
        mustBe: "10.00 s or less",
        met: is <= 10_000,
      },
    ],
    text: `\`pulumi up --yes --skip-preview\` from nothing, medians of ${ROUNDS} rounds, over a mesh of the same nodes.`,
    table: [
      ["", "median", "fastest and slowest"],
      ["mesh and segment", seconds(is), spread(all)],
    ],
  };
}
