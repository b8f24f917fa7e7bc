/** What `up` costs when there is nothing to do. */
import type { Lab } from "../lab";
import { fullMesh } from "./network";
import { median, type Section, seconds } from "./report";
import { type Plugin, Stack, type Timed } from "./stack";

const RUNS = 5;

const titles: Record<Plugin, string> = {
  real: "the plugin",
  hostless: "the same, host layer stubbed",
  echo: "a provider that only echoes its inputs",
};

export async function noop(lab: Lab): Promise<Section> {
  const network = fullMesh(lab);
  const took: Record<Plugin, Timed[]> = { real: [], hostless: [], echo: [] };
  await Stack.whileUp(lab, network, async (stack) => {
    const floor = await Stack.make(lab, network);
    floor.plug("echo");
    await floor.up();
    const up = (plugin: Plugin): Promise<Timed> => {
      if (plugin === "echo") return floor.must(["up", "--yes"]);
      stack.plug(plugin);
      return stack.must(["up", "--yes"]);
    };
    const plugins = Object.keys(took) as Plugin[];
    for (const plugin of plugins) await up(plugin); // files into the page cache
    for (let round = 0; round < RUNS; round++) {
      for (const plugin of plugins) took[plugin].push(await up(plugin));
      plugins.push(...plugins.splice(0, 1)); // each is first, second and last
    }
    floor.remove();
  });

  const clock = (plugin: Plugin) => median(took[plugin].map(({ wall }) => wall));
  const processor = (plugin: Plugin) => median(took[plugin].map(({ cpu }) => cpu));
  const ratio = (of: typeof clock, plugin: Plugin) => (of("real") / of(plugin)).toFixed(3);
  const over = clock("real") / clock("hostless");
  return {
    title: "`up` with nothing to do",
    bars: [
      {
        measure: "no-op `up`, over the same program with the host layer stubbed",
        figure: `${ratio(clock, "hostless")} (processor time: ${ratio(processor, "hostless")})`,
        mustBe: "1.05 or less",
        met: over <= 1.05,
      },
    ],
    text:
      `Three nodes and three links, \`pulumi up --yes\` (a preview, then the update): medians of ${RUNS} runs, ` +
      "interleaved. Stubbed: the same plugin, started with a hook that puts nothing in the place of sessions, snapshots " +
      "and changes. The last row is the floor of any provider in Node: the same program and the same engine with a " +
      "provider whose check and diff hand back what they get. Processor time is that of the whole run, all processes.",
    table: [
      ["plugin", "`up`", "ratio", "processor time", "ratio", "fastest and slowest"],
      ...(Object.keys(took) as Plugin[]).map((plugin) => {
        const walls = took[plugin].map(({ wall }) => wall);
        return [
          titles[plugin],
          seconds(clock(plugin)),
          ratio(clock, plugin),
          seconds(processor(plugin)),
          ratio(processor, plugin),
          `${seconds(Math.min(...walls))} to ${seconds(Math.max(...walls))}`,
        ];
      }),
    ],
  };
}
