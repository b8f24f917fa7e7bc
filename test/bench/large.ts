/** A mesh of more nodes than a lab has: what the engine, the program and the plugin take. */
import { meshNodes, meshOf } from "./network";
import { median, ROUNDS, type Section, seconds, spread } from "./report";
import { Stack } from "./stack";

const NODES = 100;

export async function large(): Promise<Section> {
  const stack = await Stack.make(undefined, meshOf(meshNodes(NODES)));
  stack.plug("hostless");
  const took: number[] = [];
  const noop: number[] = [];
  let [size, text] = [Number.NaN, Number.NaN];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      took.push((await stack.up()).wall);
      noop.push((await stack.up()).wall);
      ({ size, text } = stack.size());
      await stack.must(["destroy", "--yes", "--skip-preview"]);
    }
  } finally {
    stack.remove();
  }
  const ratio = size / text;
  return {
    title: `A mesh of ${NODES} nodes, host layer stubbed`,
    bars: [
      {
        measure: `\`up\` of a ${NODES}-node WgMesh, host layer stubbed`,
        figure: seconds(median(took)),
        mustBe: "25.00 s or less",
        met: median(took) <= 25_000,
      },
      {
        measure: "its state, over the text of all its resources",
        figure: ratio.toFixed(2),
        mustBe: "4.00 or less",
        met: ratio <= 4,
      },
    ],
    text:
      `\`pulumi up --yes --skip-preview\` from nothing, medians of ${ROUNDS} rounds. A model of each host in memory stands ` +
      "in place of the host layer: what it is told is planned, compared and carried out.",
    table: [
      ["", "median", "fastest and slowest"],
      ["`up`, first", seconds(median(took)), spread(took)],
      ["`up`, nothing to do", seconds(median(noop)), spread(noop)],
      ["text", `${(text / 1e6).toFixed(2)} MB`, ""],
      ["state", `${(size / 1e6).toFixed(2)} MB`, ""],
    ],
  };
}
