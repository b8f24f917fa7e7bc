/**
 * `overlay report` with the real CLI and real hosts: what it makes of previews of all kinds is what it made of those that are
 * recorded in test/golden/report, for the tests of test/sdk/cli/report. `UPDATE_GOLDEN=1` records them anew.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { markdown } from "../../../sdk/cli/report/markdown";
import { preview } from "../../../sdk/cli/report/preview";
import { report } from "../../../sdk/cli/report/report";
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { Writers } from "../../sdk/truth/keys";
import { compiled, NODE, root, Workspace } from "./workspace";

/** Whether test/golden/report is written anew. */
const RECORDS = process.env.UPDATE_GOLDEN === "1";
const folder = join(root, "test/golden/report");

const first = `
import { OverlayNode, WgLink } from "pulumi-overlay";
${NODE}
const [lux, fra, hkg] = [node("lux", 1), node("fra", 2), node("hkg", 3)];
new WgLink("lux-fra", { a: lux, b: fra });
new WgLink("fra-hkg", { a: fra, b: hkg });
`;

/** One link changes, one has another device, one goes, one comes, and a segment over them. */
const second = `
import { OverlayNode, VxlanSegment, WgLink } from "pulumi-overlay";
${NODE}
const [lux, fra, hkg] = [node("lux", 1), node("fra", 2), node("hkg", 3)];
new WgLink("lux-fra", { a: lux, b: fra, keepalive: 15, devices: { b: "to-lux" } });
new WgLink("lux-hkg", { a: lux, b: hkg });
new VxlanSegment("lan", {
  vni: 100,
  variant: "static-flood",
  members: [{ node: lux, addresses: ["10.100.0.1/24"] }, { node: fra, addresses: ["10.100.0.2/24"] }],
});
`;

const rotated = first.replace("b: fra }", 'b: fra, rotate: "2026-11" }');

const meshed = first
  .replace("WgLink }", "WgMesh }")
  .replace(/new WgLink.*$/s, 'new WgMesh("wan", { nodes: [lux, fra, hkg] });\n');

/** `settings`: of the source of truth. */
const shared = (settings: object): string =>
  first
    .replace("WgLink }", "SourceOfTruth, WgLink }")
    .concat(`new SourceOfTruth("truth", { ...${JSON.stringify(settings)}, nodes: [lux, fra, hkg] });\n`);

const faulty = first.replace('node("fra", 2)', 'node("fra", 1)');

const others = `
import { ComponentResource } from "@pulumi/pulumi";
new ComponentResource("web:index:Server", "one");
`;

const failing = `${others}throw new Error("<b>no</b> token=hunter2");\n`;

jest.setTimeout(300_000);

type Step = Record<"oldState" | "newState", object | null | undefined>;

/** Without what differs from one checkout to the next, and what nobody reads; a step a line. */
function lasting(preview: string): string {
  const { steps = [], ...rest } = JSON.parse(preview) as { steps?: Step[] };
  const none = { sourcePosition: undefined, stackTrace: undefined, dependencies: undefined };
  for (const state of steps.flatMap(({ oldState, newState }) => [oldState, newState]))
    if (state) Object.assign(state, none, { propertyDependencies: undefined });
  const lines = steps.map((step) => JSON.stringify(step)).join(",\n");
  const more = JSON.stringify(rest).slice(1);
  return `{"steps":[\n${lines}\n]${more === "}" ? "" : ","}${more}\n`.replaceAll(root, "/repo");
}

describeWhere(["lab", "engine"], "reports of previews", () => {
  let lab: Lab;
  let workspace: Workspace;
  const writers = new Writers();

  beforeAll(async () => {
    lab = await Lab.up("lab", { name: "report", fresh: true });
    workspace = await Workspace.make({ lab, files: compiled() });
  });
  afterAll(async () => {
    writers.remove();
    workspace?.remove();
    await Lab.down("report");
  });

  /** `of`: what a report is made of; default: a preview. */
  async function expectRecorded(name: string, program: string, ...of: string[]): Promise<void> {
    workspace.write(program);
    const words = of.length > 0 ? of : ["preview"];
    const { text } = await workspace.run(...words, "--json");
    const whole = lasting(text);
    if (RECORDS) writeFileSync(join(folder, `${name}.json`), whole);
    else sameAs(name, markdown(report(preview(whole))));
  }

  const KEYS = /[A-Za-z0-9+/]{43}=/g;
  const inOrder = (lines: string): string => lines.trimEnd().split("\n").sort().join("\n");

  /** The report that was made of the recorded preview, but for what each lab, each folder and each version has of its own. */
  const sameAs = (name: string, text: string): void => {
    const lasting = (it: string) =>
      it
        // Peers of a mesh are in the order of their keys.
        .replace(/(?:^.*\bwg set \S+ peer .*\n)+/gm, (peers) => `${inOrder(peers.replace(KEYS, "KEY"))}\n`)
        .replace(KEYS, "KEY")
        .replace(/overlay-engine-\w+/g, "FOLDER")
        .replace(/sha256:[0-9a-f]+/g, "sha256:HASH");
    if (!RECORDS) expect(lasting(text)).toBe(lasting(readFileSync(join(folder, `${name}.md`), "utf8")));
  };

  test("the command runs a preview by itself, which calls no host", async () => {
    await expectRecorded("new", first);
    workspace.write(first);
    await workspace.well("up", "--yes", "--skip-preview");
    workspace.write(second);
    const { code, connections, text } = await workspace.overlay("report");
    expect({ code, connections }).toEqual({ code: 2, connections: 0 });
    sameAs("changed", text);
    await expectRecorded("same", first);
    await expectRecorded("changed", second);
    await expectRecorded("rotated", rotated);
    await expectRecorded("meshed", meshed);
    const { key, publicKey } = writers.make("net");
    const settings = { network: "prod", store: `file://${workspace.folder}/truth`, key };
    await expectRecorded("truth", shared({ ...settings, signers: { "net/dev": [publicKey] } }));
    await expectRecorded("replaced", first, "preview", "--target-replace", "**lux-fra@lux");
    await expectRecorded("faulty", faulty);
    await expectRecorded("destroyed", first, "destroy", "--preview-only");
  });

  test("what is made anew, as the report says, is there after that", async () => {
    workspace.write(first);
    await workspace.well("up", "--yes", "--skip-preview", "--target-replace", "**lux-fra@lux");
    const { code, stderr } = await lab.exec("lux", "ip link show dev inter-fra && wg show inter-fra peers");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(await workspace.overlay("report")).toMatchObject({ code: 0, connections: 0 });
  });

  const byHand = async (): Promise<void> => {
    await lab.exec("fra", "ip route del 10.255.0.1/32 dev inter-lux; ip link set inter-hkg mtu 1400");
    await lab.exec("hkg", "ip link del inter-fra");
  };

  test("drift is taken back by `up --refresh`, as the report says, and not by a plain `up`", async () => {
    workspace.write(first);
    await byHand();
    await workspace.well("up", "--yes", "--skip-preview");
    const left = await workspace.overlay("report", "--refresh");
    expect(left.code).toBe(3);
    expect(left.text).toContain("`pulumi up --refresh` takes it back.");
    await workspace.well("up", "--yes", "--skip-preview", "--refresh");
    expect(await workspace.overlay("report", "--refresh")).toMatchObject({ code: 0 });
    const { stdout } = await lab.exec("fra", "ip route get 10.255.0.1; cat /sys/class/net/inter-hkg/mtu");
    expect(stdout).toMatch(/^10\.255\.0\.1 dev inter-lux .*\b1420\n$/s);
  });

  test("with --refresh it reads all of them, and what hands did is drift", async () => {
    await byHand();
    workspace.write(first);
    const { code, connections, text } = await workspace.overlay("report", "--refresh", "--stack", "dev");
    expect({ code, connections }).toEqual({ code: 3, connections: 3 });
    sameAs("drifted", text);
    await expectRecorded("drifted", first, "preview", "--refresh");
    await expectRecorded("drifted-and-changed", second, "preview", "--refresh");
    await expectRecorded("drifted-read-only", first, "refresh", "--preview-only");
    workspace.configure({ "overlay:live": "on" });
    await expectRecorded("drifted-live", first);
    await lab.powerOff("hkg");
    await expectRecorded("unread", first, "preview", "--refresh");
    await expectRecorded("unreachable", second);
    workspace.configure({ "overlay:live": "off" });
  });

  test("what Pulumi says in place of a preview is told", async () => {
    const { code, text } = await workspace.overlay("report", "--stack", "nowhere");
    expect(code).toBe(1);
    expect(text).toMatch(/^overlay: `pulumi preview .*` ended with \d+: .*no stack named 'nowhere' found/s);
  });

  /** As a run leaves it that came to no end with a resource. */
  async function halfDone(name: string): Promise<void> {
    type Resource = { urn: string; outputs: { config: string }; initErrors?: string[] };
    const state = JSON.parse((await workspace.well("stack", "export")).text);
    const found = (state.deployment.resources as Resource[]).find(({ urn }) => urn.endsWith(`::${name}`)) as Resource;
    found.outputs.config = found.outputs.config.replace(/[^\n]+\n$/, "");
    found.initErrors = ["fra: nft add element: No space left on device"];
    writeFileSync(join(workspace.folder, "state.json"), JSON.stringify(state));
    await workspace.well("stack", "import", "--file", "state.json");
  }

  test("a preview after a run that came to no end", async () => {
    await halfDone("lux-fra@fra");
    await expectRecorded("half-done", first);
  });

  test("previews of stacks that have nothing of ours", async () => {
    const other = await Workspace.make({ files: compiled("web") });
    const mine = workspace;
    workspace = other;
    try {
      workspace.write(others);
      const { text } = await workspace.run("preview", "--json");
      if (RECORDS) writeFileSync(join(folder, "others.json"), lasting(text));
      expect(() => report(preview(text))).toThrow("the stack web/dev has 1 resource, and none of pulumi-overlay");
      await expectRecorded("failing", failing);
    } finally {
      workspace = mine;
      other.remove();
    }
  });
});
