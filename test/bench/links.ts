/** 45 links between ten hosts, beside the same run without hosts, and plain ssh. */
import type { Lab } from "../lab";
import { fullMesh, withLink } from "./network";
import { Plain } from "./plain";
import { median, ROUNDS, type Section, seconds, spread } from "./report";
import { Stack } from "./stack";

const destroy = ["destroy", "--yes", "--skip-preview"];

export async function links(lab: Lab): Promise<Section> {
  const network = fullMesh(lab);
  const plain = new Plain(lab);
  const [stack, stubbed] = [await Stack.make(lab, network), await Stack.make(lab, network)];
  stubbed.plug("hostless");
  const took: Record<"real" | "stubbed" | "plain", number[]> = { real: [], stubbed: [], plain: [] };
  let contacted = Number.NaN;
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const began = performance.now();
      await plain.links(lab.hosts);
      took.plain.push(performance.now() - began);
      await plain.check(lab.hosts);
      await plain.remove(lab.hosts);
      took.stubbed.push((await stubbed.up()).wall);
      await stubbed.must(destroy);
      took.real.push((await stack.up(network)).wall);
      if (round === 0) {
        const [first = ""] = Object.keys(network.links);
        contacted = new Set(await stack.connections(() => stack.up(withLink(network, first, { mtu: 1400 })))).size;
      }
      await stack.must(destroy);
    }
  } finally {
    stack.remove();
    stubbed.remove();
  }
  const more = median(took.real) - median(took.stubbed);
  return {
    title: "45 links between ten hosts",
    bars: [
      {
        measure: "45 WgLinks on 10 hosts, first `up`: more than with the host layer stubbed, over plain parallel ssh",
        figure: (more / median(took.plain)).toFixed(2),
        mustBe: "2.00 or less",
        met: more <= 2 * median(took.plain),
      },
      {
        measure: "hosts contacted when one of the links changes",
        figure: String(contacted),
        mustBe: "2",
        met: contacted === 2,
      },
    ],
    text:
      `Topology \`ten\`, a WgLink between every two hosts, \`pulumi up --yes --skip-preview\` from nothing: medians of ` +
      `${ROUNDS} rounds. Stubbed: a model of each host in memory in place of the ` +
      "host layer (test/bench/hostless.ts). Plain ssh as for the mesh.",
    table: [
      ["run", "median", "fastest and slowest"],
      ...Object.entries({ "`up`": took.real, "`up`, host layer stubbed": took.stubbed, "plain ssh": took.plain }).map(
        ([title, all]) => [title, seconds(median(all)), spread(all)],
      ),
    ],
  };
}
