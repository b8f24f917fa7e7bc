/** In which order a program's resources are registered, where the stack's configuration says who goes first. */
import * as pulumi from "@pulumi/pulumi";
import { fullMesh, OverlayNode, RosenpassPeer, WgLink, WgMesh } from "../../components";
import { Rollout } from "../../components/rollout";
import { formatWithCodes } from "../../sdk/faults";

const at = (id: number) => ({
  id,
  connection: { host: `host${id}.example` },
  addresses: [`10.255.0.${id}`],
  endpoints: [`203.0.113.${id}`],
});
const nodes = (...names: string[]) => names.map((name, index) => new OverlayNode(name, at(index + 1)));

/** Names of resources that the engine works on at the same time, in the order in which it comes to them. */
async function stages(rollout: unknown, program: () => unknown): Promise<string[]> {
  const config = { "overlay:rollout": typeof rollout === "string" ? rollout : JSON.stringify(rollout) };
  pulumi.runtime.setAllConfig(rollout === undefined ? {} : config);
  const all: string[][] = [];
  let now: string[] | undefined;
  await pulumi.runtime.setMocks({
    newResource: async ({ name, type, inputs, custom }) => {
      if (custom !== false) {
        if (!now) {
          now = [];
          all.push(now);
        }
        const [, kind] = /^overlay:rosenpass:(Psk|Daemon)$/.exec(type) ?? [];
        now.push(kind ? `${kind} ${name}` : name);
        // Who does not wait for these comes at once.
        await new Promise((resolve) => setTimeout(resolve, 100));
        now = undefined;
      }
      return { id: name, state: { ...inputs, machine: `machine-of-${name}`, publicKey: `key-of-${name}` } };
    },
    call: () => ({}),
  });
  await pulumi.runtime.runInPulumiStack(async () => void program());
  await pulumi.runtime.disconnect();
  pulumi.runtime.setAllConfig({});
  return all.map((names) => names.sort().join(" "));
}

test("without it nobody waits for others than he needs", async () => {
  const [machines] = await stages(undefined, () => new WgMesh("mesh", { nodes: nodes("lux", "fra", "hkg") }));
  expect(machines).toBe("fra hkg lux");
});

test("a canary's machine and its devices come before all others'", async () => {
  const mesh = () => new WgMesh("mesh", { nodes: nodes("lux", "fra", "hkg") });
  expect(await stages({ canary: ["hkg"] }, mesh)).toEqual(["hkg", "fra lux", "mesh@hkg", "mesh@fra mesh@lux"]);
});

test("its side of a link is made first, also where it is the one that calls", async () => {
  const links = () => {
    const [lux, fra] = nodes("lux", "fra") as [OverlayNode, OverlayNode];
    const home = new OverlayNode("home", { ...at(3), endpoints: [] });
    fullMesh([lux, home, fra]);
  };
  expect(await stages({ canary: ["home"] }, links)).toEqual([
    "home",
    "fra lux",
    "home-fra@home lux-home@home",
    "home-fra@fra lux-fra@lux lux-home@lux",
    "lux-fra@fra",
  ]);
});

test("so many nodes at once, the canaries first, the others as they are declared", async () => {
  const mesh = () => new WgMesh("m", { nodes: nodes("a", "b", "c", "d", "e", "f") });
  const machines = ["e", "a b", "c d", "f"];
  const devices = machines.map((names) => names.replace(/\w/g, (name) => `m@${name}`));
  expect(await stages({ canary: ["e"], parallel: 2 }, mesh)).toEqual([...machines, ...devices]);
  expect(await stages({ parallel: 4 }, mesh)).toEqual(["a b c d", "e f", "m@a m@b m@c m@d", "m@e m@f"]);
});

test("what both ends of a link have to be there for comes after the devices of all, and that in stages, too", async () => {
  const link = () => {
    const [a, b] = nodes("lux", "fra") as [OverlayNode, OverlayNode];
    new RosenpassPeer("pq", { link: new WgLink("lux-fra", { a, b }) });
  };
  const machines = ["lux", "rosenpass@lux", "fra", "rosenpass@fra"];
  const inStages = (...names: string[]) => names.flatMap((name) => [`${name}@lux`, `${name}@fra`]);
  expect(await stages({ canary: ["lux"] }, link)).toEqual([
    ...machines,
    ...inStages("lux-fra", "Psk lux-fra", "Daemon lux-fra"),
  ]);
  const mesh = () => {
    new WgMesh("mesh", { nodes: nodes("lux", "fra"), postQuantum: { mode: "strict" } });
  };
  expect(await stages({ canary: ["lux"] }, mesh)).toEqual([
    ...machines,
    ...inStages("mesh", "Psk mesh.1-2", "Daemon mesh.1-2"),
  ]);
});

describe("what is said of it", () => {
  const rollout = (configured: unknown, ...names: string[]): Rollout => {
    pulumi.runtime.setAllConfig({ "overlay:rollout": JSON.stringify(configured) });
    const made = new Rollout();
    pulumi.runtime.setAllConfig({});
    for (const name of names) made.join(name);
    return made;
  };

  test("the order in one line", () => {
    expect(rollout({ canary: ["c"], parallel: 2 }, "a", "b", "c", "d").told()).toBe(
      "overlay:rollout: first c; then a, b; then d. Each stage waits until the one before is done.",
    );
  });

  test("in the plugin, which does not know when a program is at its end, there is none", () => {
    expect(formatWithCodes(rollout({ canary: ["lux"] }).elsewhere())).toBe(
      "overlay:rollout: legal is for programs in TypeScript and JavaScript only; remove it, and let what is to come later depend on what is to come first (`dependsOn`). [input/language]",
    );
  });

  test.each([
    ["text", "lux", ['overlay:rollout: found "lux", legal is an object; correct the value. [input/type]']],
    [
      "fields",
      { canary: "lux", paralel: 5, parallel: 0 },
      [
        'overlay:rollout.canary: found "lux", legal is a list; correct the value. [input/type]',
        "overlay:rollout.parallel: found 0, legal is at least 1; correct the value. [input/range]",
        "overlay:rollout.paralel: legal is one of canary, parallel; remove it, or correct its spelling. [input/unknownField]",
      ],
    ],
    [
      "names",
      { canary: ["luxx", "lux", "far"] },
      [
        'overlay:rollout.canary[0]: found "luxx", legal is a node of the program (fra, lux); correct the name, or leave it out. [input/reference]',
        'overlay:rollout.canary[2]: found "far", legal is a node of the program (fra, lux); correct the name, or leave it out. [input/reference]',
      ],
    ],
  ])("faults of its %s, all at once", (_, configured, faults) => {
    expect(formatWithCodes(rollout(configured, "lux", "fra").faults()).split("\n")).toEqual(faults);
  });
});
