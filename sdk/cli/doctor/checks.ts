/** What a doctor's looks come to: checks, and of what is wrong the cure. Pure. */
import { byName } from "../order";
import { type Check, type Found, unknown } from "./check";
import { nameOf } from "./concerns";
import { type End, nodeOf } from "./ends";
import { type Examined, pairOf, type Wayless } from "./examine";
import { hostChecks } from "./host";
import { callers, linkChecks } from "./link";
import { type Carrier, segmentChecks } from "./segment";

/** Of each host, then of each pair of a link or a mesh, then of each of a segment. */
export function checksOf(all: readonly Examined[]): Check[] {
  const clock = median([0, ...all.flatMap(({ clock }) => clock ?? [])]);
  // Of a host that was lost on the second look nothing is known that still holds.
  const seen = all.filter(({ look }) => look.seen);
  const ends = seen.flatMap((it) => it.ways.map((way): End => [it, way]));
  const carriers = new Map<string, Carrier>();
  const links = pairs(ends, "WireGuard").flatMap((pair) => {
    const checks = linkChecks(pair, all);
    for (const end of pair) {
      const [, { path }] = end;
      carriers.set(carrierOf(nodeOf(end), path), { of: path.of, checks });
    }
    return ofPair(pair, checks);
  });
  const segments = pairs(ends, "VXLAN").flatMap((pair) => {
    const beneath = pair.map((end) => {
      const { within } = end[1].path;
      return within && carriers.get(carrierOf(nodeOf(end), within));
    });
    return ofPair(pair, segmentChecks(pair, beneath));
  });
  return [
    ...all.flatMap((it) => hostChecks(it, clock).map((check) => ({ of: it.wanted.node.name, ...check }))),
    ...[...links, ...segments],
    ...seen.flatMap((it) => it.wayless.map((one) => unasked(it, one))),
    ...seen.flatMap(callers),
  ];
}

const carrierOf = (node: string, { device, from }: { device: string; from: string }): string =>
  `${node} ${device} ${from}`;

/** Of the one or the two ends of each that were seen. */
function pairs(ends: readonly End[], layer: "WireGuard" | "VXLAN"): End[][] {
  const found = new Map<string, End[]>();
  for (const end of ends) {
    const { path } = end[1];
    if (path.layer !== layer) continue;
    const pair = pairOf(path.of, nodeOf(end), path.to);
    found.set(pair, [...(found.get(pair) ?? []), end]);
  }
  return [...found.values()];
}

const label = (link: string, ...ends: [string, string]) => ({
  of: `${link}: ${ends.sort(byName).join(" and ")}`,
  within: link,
});

function ofPair([first]: readonly End[], checks: readonly Found[]): Check[] {
  if (!first) return [];
  const { path } = first[1];
  return checks.map((check) => ({ ...label(path.of, nodeOf(first), path.to), ...check }));
}

function unasked({ wanted: { node }, look }: Examined, { declared, to }: Wayless): Check {
  const [link, ends] = [nameOf(declared), [node.name, to] as [string, string]];
  const name = `inside, ${to} to ${node.name}`;
  const device: string = declared.spec.bridge ?? declared.spec.device;
  const found = look.seen?.links.some(({ ifname }) => ifname === device)
    ? unknown(
        "doctor/unproven",
        name,
        `${to} has no address there that ${node.name} could ask`,
        `Whether ${link} carries packets between ${[...ends].sort(byName).join(" and ")}, nothing shows: give both an address of one prefix in it, or look from what is behind them.`,
      )
    : unknown("doctor/unproven", name, `${node.name} has no device ${device}`);
  return { ...label(link, ...ends), ...found };
}

/** Of an even number the one that is nearer to zero, where this machine is. */
function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.slice((sorted.length - 1) >> 1, (sorted.length >> 1) + 1);
  return middle.toSorted((a, b) => Math.abs(a) - Math.abs(b))[0] ?? 0;
}
