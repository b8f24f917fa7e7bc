/** In which order a program's resources are registered, where the stack's configuration says who goes first. */
import * as pulumi from "@pulumi/pulumi";
import { fullMesh, OverlayNode, RosenpassPeer, WgLink, WgMesh } from "../../components";
import { Rollout } from "../../components/rollout";
import { formatWithCodes } from "../../sdk/faults";
import { Interface, Key, NodeKey } from "../../sdk/provider/resources";

const at = (id: number) => ({
  id,
  connection: { host: `host${id}.example` },
  addresses: [`10.255.0.${id}`],
  endpoints: [`203.0.113.${id}`],
});
const nodes = (...names: string[]) => names.map((name, index) => new OverlayNode(name, at(index + 1)));

interface Made {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
}

/**
 * Names of resources that the engine works on at the same time, in the order in which it comes to them. `made`: takes all
 * resources.
 */
async function stages(rollout: unknown, program: () => unknown, preview = false, made: Made[] = []): Promise<string[]> {
  const config = { "overlay:rollout": typeof rollout === "string" ? rollout : JSON.stringify(rollout) };
  pulumi.runtime.setAllConfig(rollout === undefined ? {} : config);
  const all: string[][] = [];
  let now: string[] | undefined;
  const newResource = async ({ name, type, inputs, custom }: pulumi.runtime.MockResourceArgs) => {
    if (custom !== false) {
      made.push({ type, name, inputs });
      if (!now) {
        now = [];
        all.push(now);
      }
      const together = now;
      const [, kind] = /^overlay:(?:node|rosenpass):(Key|Psk|Daemon)$/.exec(type) ?? [];
      together.push(kind ? `${kind} ${name}` : name);
      // Who does not wait for these comes at once.
      await new Promise((resolve) => setTimeout(resolve, 100));
      if (now === together) now = undefined;
    }
    // A preview knows nothing of what is not made yet.
    if (preview && type === NodeKey.type) return { id: "", state: inputs };
    return { id: name, state: { ...inputs, machine: `machine-of-${name}`, publicKey: `key-of-${name}` } };
  };
  await pulumi.runtime.setMocks({ newResource, call: () => ({}) }, "net", "prod", preview);
  await pulumi.runtime.runInPulumiStack(async () => void program());
  await pulumi.runtime.disconnect();
  pulumi.runtime.setAllConfig({});
  return all.map((names) => names.sort().join(" "));
}

test("without it nobody waits for others than he needs", async () => {
  const [machines] = await stages(undefined, () => new WgMesh("mesh", { nodes: nodes("lux", "fra", "hkg") }));
  expect(machines).toBe("fra hkg lux");
});

const keys = (...nodes: string[]): string => nodes.map((node) => `Key ${node}`).join(" ");

test("after the keys of all a canary's machine and its devices come before all others'", async () => {
  const mesh = () => new WgMesh("mesh", { nodes: nodes("lux", "fra", "hkg") });
  expect(await stages({ canary: ["hkg"] }, mesh)).toEqual([
    ...[keys("hkg"), keys("fra", "lux")],
    ...["hkg", "mesh@hkg"],
    ...["fra lux", "mesh@fra mesh@lux"],
  ]);
});

test("its side of a link is made first, also where it is the one that calls", async () => {
  const links = () => {
    const [lux, fra] = nodes("lux", "fra") as [OverlayNode, OverlayNode];
    const home = new OverlayNode("home", { ...at(3), endpoints: [] });
    fullMesh([lux, home, fra]);
  };
  expect(await stages({ canary: ["home"] }, links)).toEqual([
    ...[keys("home"), keys("fra", "lux")],
    ...["home", "home-fra@home lux-home@home"],
    ...["fra lux", "home-fra@fra lux-fra@lux lux-home@lux", "lux-fra@fra"],
  ]);
});

test("keys of a link's own are there before any machine changes, and know theirs", async () => {
  const link = () => {
    const [a, b] = nodes("lux", "fra") as [OverlayNode, OverlayNode];
    new WgLink("lux-fra", { a, b, rotate: "2026" });
  };
  const made: Made[] = [];
  expect(await stages({ canary: ["fra"] }, link, false, made)).toEqual([
    ...[keys("fra"), "lux-fra@fra/inter-lux.2026", keys("lux"), "lux-fra@lux/inter-fra.2026"],
    ...["fra", "lux-fra@fra", "lux", "lux-fra@lux"],
  ]);
  const machines = made.filter(({ type }) => type === Key.type).map(({ inputs }) => inputs.machine);
  expect(machines).toEqual(["machine-of-fra", "machine-of-lux"]);
});

test("a preview, which changes nobody, has no order, and the keys from Hosts that are there", async () => {
  const made: Made[] = [];
  const mesh = () => new WgMesh("mesh", { nodes: nodes("lux", "fra") });
  expect(await stages({ canary: ["fra"] }, mesh, true, made)).toEqual([
    keys("fra", "lux"),
    "fra lux",
    "mesh@fra mesh@lux",
  ]);
  const specs = made.filter(({ type }) => type === Interface.type).map(({ inputs }) => inputs.spec);
  expect(specs.map((spec) => JSON.parse(String(spec)).peers[0].publicKey)).toEqual(["key-of-fra", "key-of-lux"]);
});

test("so many nodes at once, the canaries first, the others as they are declared", async () => {
  const mesh = () => new WgMesh("m", { nodes: nodes("a", "b", "c", "d", "e", "f") });
  const each = (of: string[], prefix: string) => of.map((names) => names.replace(/\w/g, `${prefix}$&`));
  const inStages = (...of: string[]) => [
    ...each(of, "Key "),
    ...of.flatMap((names) => [names, ...each([names], "m@")]),
  ];
  expect(await stages({ canary: ["e"], parallel: 2 }, mesh)).toEqual(inStages("e", "a b", "c d", "f"));
  expect(await stages({ parallel: 4 }, mesh)).toEqual(inStages("a b c d", "e f"));
});

test("what both ends of a link have to be there for comes after the devices of all, and that in stages, too", async () => {
  const link = () => {
    const [a, b] = nodes("lux", "fra") as [OverlayNode, OverlayNode];
    new RosenpassPeer("pq", { link: new WgLink("lux-fra", { a, b }) });
  };
  const inStages = (...names: string[]) => names.flatMap((name) => [`${name}@lux`, `${name}@fra`]);
  expect(await stages({ canary: ["lux"] }, link)).toEqual([
    ...[keys("lux"), keys("fra")],
    ...["lux", "Key rosenpass@lux lux-fra@lux", "fra", "Key rosenpass@fra lux-fra@fra"],
    ...inStages("Psk lux-fra", "Daemon lux-fra"),
  ]);
  const mesh = () => {
    new WgMesh("mesh", { nodes: nodes("lux", "fra"), postQuantum: { mode: "strict" } });
  };
  expect(await stages({ canary: ["lux"] }, mesh)).toEqual([
    ...[keys("lux"), keys("fra")],
    ...["lux", "Key rosenpass@lux", "mesh@lux", "fra", "Key rosenpass@fra", "mesh@fra"],
    ...inStages("Psk mesh.1-2", "Daemon mesh.1-2"),
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
