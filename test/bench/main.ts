/**
 * npm run bench [-- MEASURE…]: the figures, on a lab of its own, all of them or those that are named. What was measured is
 * kept in docs/benchmarks.json, each measure with its circumstances, and docs/benchmarks.md is written from that.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Lab } from "../lab";
import { choose } from "./choose";
import { circumstances } from "./circumstances";
import { connections } from "./connections";
import { cutoff } from "./cutoff";
import { delay } from "./delay";
import { fragments, goodput } from "./inside";
import { large } from "./large";
import { links } from "./links";
import { losses, lossesInSegment, lossesOfMany } from "./losses";
import { mesh } from "./mesh";
import { noop } from "./noop";
import { peers } from "./peers";
import { plan } from "./plan";
import { pullRequest } from "./pullRequest";
import { reboot } from "./reboot";
import { Book, load, type Section, sectionText } from "./report";
import { declaredEntries, entries, segment } from "./segments";
import { ROOT } from "./stack";
import { status } from "./status";
import { topology } from "./topology";
import { vm } from "./vm";
import { warm } from "./warm";

/** By topology: each measure has a lab of its own. */
const inLabs: Record<string, Record<string, (lab: Lab) => Promise<Section>>> = {
  lab: {
    ...{ connections, warm, noop, losses, cutoff, reboot, lossesOfMany: lossesOfMany("userspace"), peers, entries },
    ...{ declaredEntries, goodput, fragments, lossesInSegment, choose },
  },
  vm: { lossesInKernel: lossesOfMany("kernel") },
  ten: { mesh, links, delay, status },
};
const withoutLab: Record<string, () => Promise<Section>> = { plan, large, segment, vm, report: pullRequest, topology };

const measures: Record<string, () => Promise<Section>> = {
  ...Object.fromEntries(
    Object.entries(inLabs).flatMap(([topology, within]) =>
      Object.entries(within).map(([name, measure]) => [name, () => inLab(topology, measure)]),
    ),
  ),
  ...withoutLab,
};

const LAB = "bench";

const say = (text: string): void => console.error(text);

/**
 * inotify(7) instances that one user may have. Each wireguard-go takes one, all containers' root is the machine's, and at
 * 128, where kernels begin, a few dozen links are the end.
 */
const INSTANCES = "/proc/sys/fs/inotify/max_user_instances";

async function inLab(topology: string, measure: (lab: Lab) => Promise<Section>): Promise<Section> {
  if (Number(readFileSync(INSTANCES, "utf8")) < 1024) writeFileSync(INSTANCES, "1024");
  const lab = await Lab.up(topology, { name: LAB, fresh: true });
  // Tests spare the machine a quarter of each login's work; people have what OpenSSH prefers.
  const config = join(dirname(lab.json.identity), "ssh_config");
  writeFileSync(config, readFileSync(config, "utf8").replace(/^ *KexAlgorithms .*\n/m, ""));
  try {
    return await measure(lab);
  } finally {
    await Lab.down(LAB);
  }
}

/** One that breaks off is a bar that is missed: the others take half an hour. */
function failed(name: string, error: unknown): Section {
  const text = error instanceof Error ? error.message : String(error);
  say(text);
  const [figure = ""] = text.split("\n");
  return {
    title: name,
    bars: [{ measure: name, figure: `failed: ${figure}`, mustBe: "a figure", met: false }],
    text,
    table: [],
  };
}

async function main(names: string[]): Promise<void> {
  const chosen = names.length === 0 ? Object.keys(measures) : names;
  const unknown = chosen.filter((name) => !(name in measures));
  if (unknown.length > 0)
    throw new Error(`no measure ${unknown.join(", ")}; there are ${Object.keys(measures).join(", ")}`);
  const book = new Book(join(ROOT, "docs"), Object.keys(measures));
  let met = true;
  for (const name of chosen) {
    const before = load();
    say(`${name} …`);
    const began = Date.now();
    const measured = await measures[name]?.().catch((error: unknown) => failed(name, error));
    say(`${name} … ${((Date.now() - began) / 1000).toFixed(0)} s`);
    if (!measured) continue;
    book.enter(name, measured, await circumstances([before, load()]));
    console.log(sectionText(measured));
    met &&= measured.bars.every((bar) => bar.met);
  }
  process.exitCode = met ? 0 : 1;
}

void main(process.argv.slice(2));
