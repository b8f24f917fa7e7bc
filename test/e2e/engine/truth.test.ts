/** Two repositories, each with a stack and a host of its own, that build one network by way of a document in a folder. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { Writers } from "../../sdk/truth/keys";
import { counted, diagnostics } from "./output";
import { project, Workspace } from "./workspace";

jest.setTimeout(240_000);

/** `other`: the node of the other repository, once there is one. */
const program = (own: string, id: number, settings: object, other?: string) => `
import { readFileSync } from "node:fs";
import { OverlayNode, SourceOfTruth, WgLink } from "pulumi-overlay";

const { hosts } = JSON.parse(readFileSync("lab.json", "utf8"));
const own = new OverlayNode("${own}", {
  id: ${id},
  connection: { host: hosts.${own}.addresses[0], hostKey: hosts.${own}.hostKey },
  addresses: ["10.255.0.${id}", "fd00:6f::${id}"],
  prefixes: ["10.255.0.0/24", "fd00:6f::/48"],
  endpoints: hosts.${own}.addresses,
});
const truth = new SourceOfTruth("truth", { ...${JSON.stringify(settings)}, nodes: [own] });
${other === undefined ? "" : `new WgLink("lux-fra", { a: own, peer: truth.peer("${other}") });`}
export const serial = truth.serial;
`;

describeWhere(["lab", "engine"], "a network of two repositories", () => {
  let lab: Lab;
  const writers = new Writers();
  const folder = mkdtempSync(join(tmpdir(), "overlay-truth-"));
  const keys = { net: writers.make("net"), edge: writers.make("edge") };
  const signers = { "net/dev": [keys.net.publicKey], "edge/dev": [keys.edge.publicKey] };
  const spaces: Partial<Record<keyof typeof keys, Workspace>> = {};
  const of = (name: keyof typeof keys): Workspace => spaces[name] as Workspace;
  const settings = (name: keyof typeof keys) => ({
    network: "prod",
    store: `file://${folder}`,
    key: keys[name].key,
    signers,
  });
  const write = (name: keyof typeof keys, own: string, id: number, other?: string) =>
    writeFileSync(join(of(name).folder, "index.ts"), program(own, id, settings(name), other));
  const document = () => readFileSync(join(folder, "prod/document.json"), "utf8");

  beforeAll(async () => {
    lab = await Lab.up("lab", { name: "truth", fresh: true });
    for (const name of ["net", "edge"] as const) {
      const yaml = project("node_modules/pulumi-overlay/bin").replace("name: net", `name: ${name}`);
      spaces[name] = await Workspace.make({ lab, files: { "Pulumi.yaml": yaml, "index.ts": "" } });
    }
  });
  afterAll(async () => {
    of("net")?.remove();
    of("edge")?.remove();
    writers.remove();
    rmSync(folder, { recursive: true });
    await Lab.down("truth");
  });

  test("each says what it has, links to what the other has said, and packets pass both ways", async () => {
    write("net", "lux", 1);
    const first = await of("net").well("up", "--yes");
    expect(diagnostics(first.text.split("\nUpdating ")[0] ?? "")["overlay:truth:Part (truth)"]?.join("\n")).toMatch(
      /^prefix 10\.255\.0\.0\/24\nprefix fd00:6f::\/48\nnode lux \{"addresses":.*"publicKey":"<known after lux is created>"\}$/,
    );
    write("edge", "fra", 2, "lux");
    await of("edge").well("up", "--yes", "--skip-preview");
    write("net", "lux", 1, "fra");
    const { text } = await of("net").well("up", "--yes");
    expect(text).toMatch(/serial: 1 => 3|serial: 3/);
    for (const [from, to] of [
      ["lux", "fd00:6f::2"],
      ["fra", "10.255.0.1"],
    ] as const) {
      expect(await lab.exec(from, ["ping", "-n", "-q", "-c", "3", "-i", "0.2", "-W", "5", to])).toMatchObject({
        code: 0,
      });
    }
    expect(readFileSync(join(folder, "prod/hosts/lux/edge.dev"), "utf8")).toMatch(
      /^peer \S+ inter-fra fra chooser\nendpoint \S+ 198\.51\.100\.9 11001 0$/m,
    );
    expect(readFileSync(join(folder, "prod/hosts/fra/net.dev"), "utf8")).toMatch(/^peer \S+ inter-lux lux follower$/m);
  });

  test("nothing is left to do for either", async () => {
    const before = document();
    for (const name of ["net", "edge"] as const) {
      await of(name).well("preview", "--expect-no-changes", "--refresh");
    }
    expect(document()).toBe(before);
  });

  test("what somebody changed in the document is drift by its lines, and the next run takes it back", async () => {
    writeFileSync(join(folder, "prod/document.json"), document().replace('"cost":0', '"cost":5'));
    const { text } = await of("edge").well("refresh", "--yes", "--diff");
    const lines = text.split("\n").flatMap((line) => /^\s+([-+] (?:node|link|prefix|!) .*)$/.exec(line)?.[1] ?? []);
    // In the preview, and in what was done.
    expect(lines.slice(0, 3)).toEqual([
      expect.stringMatching(/^- node fra .*"cost":0/),
      expect.stringMatching(/^\+ node fra .*"cost":5/),
      expect.stringMatching(/^\+ ! The document of network prod .* forged/),
    ]);
    await of("edge").well("up", "--yes", "--skip-preview");
    expect(document()).not.toContain('"cost":5');
  });

  test("a node of the other's is refused by name, in the preview", async () => {
    writeFileSync(join(of("edge").folder, "index.ts"), program("lux", 7, settings("edge")));
    const { code, text } = await of("edge").run("preview");
    expect(code).not.toBe(0);
    expect(text).toMatch(/belongs to net\/dev/);
    write("edge", "fra", 2, "lux");
  });

  test("destroy takes out what is the stack's own", async () => {
    const { text } = await of("edge").well("destroy", "--yes", "--skip-preview");
    expect(counted(text)).toEqual(["- 7 deleted"]);
    expect(document()).toContain('"net/dev"');
    expect(document()).not.toContain('"edge/dev"');
    await of("net").well("destroy", "--yes", "--skip-preview");
    expect(document()).toContain('"stacks":{}');
  });
});
