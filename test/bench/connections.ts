/** How often ssh is started, by run and host. */
import type { Lab } from "../lab";
import { fullMesh, withLink, withoutLink } from "./network";
import type { Section } from "./report";
import { Stack } from "./stack";

export async function connections(lab: Lab): Promise<Section> {
  const network = fullMesh(lab);
  const stack = await Stack.make(lab, network);
  const rows: string[][] = [["run", ...lab.hosts]];
  const highest = new Map<string, number>();

  const count = async (title: string, args: string[], settings: string[] = []) => {
    const made = await stack.connections(() => stack.must([...args, "--yes"], settings));
    const counts = Object.values(lab.json.hosts).map(
      ({ addresses }) => made.filter((one) => one === addresses[0]).length,
    );
    rows.push([title, ...counts.map(String)]);
    highest.set(title, Math.max(...counts));
  };
  const declared = async (title: string, now: typeof network) => {
    stack.declare(now);
    await count(title, ["up"]);
  };

  try {
    await count("`up`, the first", ["up"]);
    await count("`up`, nothing to do", ["up"]);
    await declared("`up`, a field of lux-hkg changed", withLink(network, "lux-hkg", { mtu: 1400 }));
    await declared("`up`, lux-hkg removed", withoutLink(network, "lux-hkg"));
    await declared("`up`, lux-hkg added", network);
    await count("`up --refresh --skip-preview`", ["up", "--refresh", "--skip-preview"]);
    await count("`refresh --skip-preview`", ["refresh", "--skip-preview"]);
    await count("`refresh`", ["refresh"]);
    await count("`destroy`", ["destroy"]);
  } finally {
    stack.remove();
  }

  const noop = highest.get("`up`, nothing to do") ?? Number.NaN;
  // The two that Pulumi makes two runs of, see the text.
  const others = [...highest].filter(([title]) => title !== "`refresh`").map(([, count]) => count);
  return {
    title: "SSH connections",
    bars: [
      { measure: "SSH connections, no-op `up`", figure: String(noop), mustBe: "0", met: noop === 0 },
      {
        measure: "SSH connections, any other run, a host",
        figure: String(Math.max(...others)),
        mustBe: "1",
        met: Math.max(...others) === 1,
      },
    ],
    text:
      "The provider's `ssh` is a script that writes down each start. `up`, `refresh` and `destroy` are run as a person " +
      "runs them, with a preview first, where nothing else is said. `pulumi refresh` with its preview is two runs of " +
      "the engine, each with a plugin process of its own, and each looks at the hosts: one connection a host and run.",
    table: rows,
  };
}
