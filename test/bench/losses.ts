/** Packets that other links lose while one is added, changed and removed. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Lab } from "../lab";
import { CHAIN, type Change, firewallChanges, inMesh, linkChanges, meshChanges, nodeChanges } from "./changes";
import { Flow } from "./flow";
import { crowded, fullMesh, type Network, segmentOf } from "./network";
import { pingedMeanwhile } from "./pings";
import type { Bar, Section } from "./report";
import { Stack } from "./stack";

type Work = () => Promise<unknown>;

type Step = (title: string, work: Work) => Promise<void>;

/** Changes one after the other, after each of which all is made as at first. */
async function each(stack: Stack, network: Network, changes: Record<string, Change>, step: Step) {
  for (const [title, change] of Object.entries(changes)) {
    await step(title, () => stack.up(change(network)));
    await step(`${title}, back`, () => stack.up(network));
  }
}

/** The same of a link, and of a mesh that takes its place for a while. */
async function eachOfLink(stack: Stack, network: Network, step: Step) {
  await each(stack, network, linkChanges, step);
  await stack.up(inMesh(network));
  await each(stack, inMesh(network), meshChanges, step);
  await stack.up(network);
}

/** And of a node that two links share. */
const eachOfNode = (stack: Stack, network: Network, step: Step) =>
  each(stack, network, { ...nodeChanges, ...firewallChanges }, step);

const none = (measure: string, lost: number): Bar => ({ measure, figure: String(lost), mustBe: "0", met: lost === 0 });

const HOW =
  "Links lux-fra (IPv4 inside) and fra-hkg (IPv6 inside) carry a ping each millisecond while lux-hkg is changed by " +
  "`pulumi up`, and then what the links of lux stand on. Every echo is accounted for by its number. The first two " +
  "rows are the baseline. A busy machine sends less than 1000 a second.";

export async function losses(lab: Lab): Promise<Section> {
  const network = fullMesh(lab);
  const rows: string[][] = [["change", "sent", "a second and link", "lost"]];
  let lost = 0;
  await lab.exec("lux", CHAIN.made);
  await Stack.whileUp(lab, network, async (stack) => {
    const step = async (title: string, work: Work, counts = true) => {
      const pinged = await pingedMeanwhile(lab, work);
      if (counts) lost += pinged.lost;
      rows.push([title, String(pinged.sent), pinged.rate.toFixed(0), String(pinged.lost)]);
    };
    await step("none, for 5 s", () => sleep(5000), false);
    await step("none, `up` with nothing to do", () => stack.up(), false);
    await eachOfLink(stack, network, step);
    await eachOfNode(stack, network, step);
  });
  return {
    title: "Packets lost by the other links",
    bars: [none("pings lost by the other links while one is added, changed, removed", lost)],
    text: HOW,
    table: rows,
  };
}

/** The same where lux has 50 links, with a TCP flow beside the pings. */
export const lossesOfMany =
  (kind: "userspace" | "kernel") =>
  async (lab: Lab): Promise<Section> => {
    // Each change of a node concerns each of its links: 50 of an emulated machine take longer than anybody waits.
    const ofNode = kind === "kernel" ? fullMesh(lab) : crowded(lab);
    const runs: [Network, (stack: Stack, step: Step) => Promise<void>][] = [
      [crowded(lab), (stack, step) => eachOfLink(stack, crowded(lab), step)],
      [ofNode, (stack, step) => eachOfNode(stack, ofNode, step)],
    ];
    const rows: string[][] = [["change", "pings sent", "a second and link", "lost", "TCP, MB", "sent again", "lost"]];
    let lost = 0;
    let segments = 0;
    const step = async (title: string, work: Work, counts = true) => {
      let tcp = { lost: 0, again: 0, bytes: 0 };
      const pinged = await pingedMeanwhile(lab, async () => {
        const flow = await Flow.start(lab);
        await work().finally(async () => {
          tcp = await flow.stop();
        });
      });
      if (counts) lost += pinged.lost;
      if (counts) segments += tcp.lost;
      const { sent, rate } = pinged;
      const flowed = [(tcp.bytes / 1e6).toFixed(1), `${tcp.again}`, `${tcp.lost}`];
      rows.push([title, `${sent}`, rate.toFixed(0), `${pinged.lost}`, ...flowed]);
    };
    await lab.exec("lux", CHAIN.made);
    for (const [network, changes] of runs) {
      const links = Object.keys(network.links).length;
      await Stack.whileUp(lab, network, async (stack) => {
        await step(`none, for 5 s, ${links} links`, () => sleep(5000), false);
        await step("none, `up` with nothing to do", () => stack.up(), false);
        await changes(stack, step);
        await stack.must(["destroy", "--yes", "--skip-preview"]);
      });
    }
    return {
      title: `Packets lost by the other links of a host with 50, WireGuard in ${kind === "kernel" ? "the kernel" : "user space"}`,
      bars: [
        none(`${kind}, a host with 50 links: pings lost by the others, for every kind of change`, lost),
        none(`${kind}, the same: segments of a TCP flow`, segments),
      ],
      text:
        `${HOW} lux has 48 links more, with somebody else's machines. The TCP flow (iperf3) goes from lux to fra with 64 KB ` +
        "on its way at most, at 8 Mbit/s; what lux has sent and fra has not got, when both hold still, is lost. A busy machine " +
        "answers late now and then, and what is sent again then was not." +
        (kind === "kernel"
          ? " What is changed of a node is changed without those 48: each of its links takes part."
          : ""),
      table: rows,
    };
  };

/** By what lux asks fra in the segment. */
const INSIDE = [
  { from: "lux", address: "10.100.0.2" },
  { from: "lux", address: "fd00:100::2" },
];

/** Between two members, while a third comes and goes. */
export async function lossesInSegment(lab: Lab): Promise<Section> {
  const network = fullMesh(lab);
  const rows: string[][] = [["variant", "change", "sent", "a second and family", "lost"]];
  let lost = 0;
  await Stack.whileUp(lab, network, async (stack) => {
    for (const variant of ["static-flood", "static-l2", "static-arp-nd"] as const) {
      const of = (...nodes: string[]): Network => ({ ...network, segment: segmentOf(variant, nodes) });
      await stack.up(of("lux", "fra"));
      const changes = { "none, for 3 s": undefined, added: of("lux", "fra", "hkg"), removed: of("lux", "fra") };
      for (const [title, change] of Object.entries(changes)) {
        const pinged = await pingedMeanwhile(lab, () => (change ? stack.up(change) : sleep(3000)), INSIDE);
        if (change) lost += pinged.lost;
        rows.push([variant, title, String(pinged.sent), pinged.rate.toFixed(0), String(pinged.lost)]);
      }
    }
  });
  return {
    title: "Packets lost in a segment when a member is added or removed",
    bars: [none("pings lost in a segment when a member is added or removed", lost)],
    text:
      "Members lux and fra of a segment over links ping each other inside, over IPv4 and IPv6, each millisecond, while " +
      "`pulumi up` makes hkg a member and takes it out again. Every echo is accounted for by its number.",
    table: rows,
  };
}
