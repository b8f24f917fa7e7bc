/** Two repositories, each with a stack and a host of its own, that build one network by way of a document in a folder. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { Writers } from "../../sdk/truth/keys";
import { within } from "../days/choose";
import { on } from "../days/network";
import { counted, diagnostics } from "./output";
import { compiled, NODE, Workspace } from "./workspace";

jest.setTimeout(240_000);

const RELAYS = `[{ a: "lux", b: "hkg", by: "fra", allowPlaintext: true }]`;

/** `rest`: what follows the settings. */
const program = (settings: object, rest: string) => `
import { OverlayNode, SourceOfTruth, WgLink, WgMesh } from "pulumi-overlay";
${NODE}
const settings = ${JSON.stringify(settings)};
${rest}
export const serial = truth.serial;
`;

/** The repository with lux and fra, before the other has a node and after. */
const NET = `
const [lux, fra] = [node("lux", 1), node("fra", 2)];
const truth = new SourceOfTruth("truth", { ...settings, nodes: [lux, fra] });
new WgLink("lux-fra", { a: lux, b: fra });
`;
const NET_WITH_HKG = `
const [lux, fra] = [node("lux", 1), node("fra", 2, { relay: [{ a: "lux", b: "hkg" }] })];
const truth = new SourceOfTruth("truth", { ...settings, nodes: [lux, fra], relays: ${RELAYS} });
new WgLink("lux-fra", { a: lux, b: fra });
new WgLink("fra-hkg", { a: fra, peer: truth.peer("hkg", fra) });
`;
const EDGE = `
const hkg = node("hkg", 3);
const truth = new SourceOfTruth("truth", { ...settings, nodes: [hkg], relays: ${RELAYS} });
new WgLink("fra-hkg", { a: hkg, peer: truth.peer("fra") });
`;
/** All three in one mesh in place of the links. */
const NET_MESH = `
const nodes = [node("lux", 1), node("fra", 2)];
const truth = new SourceOfTruth("truth", { ...settings, nodes });
new WgMesh("hub", { nodes, peers: [truth.peer("hkg", nodes)] });
`;
const EDGE_MESH = `
const hkg = node("hkg", 3);
const truth = new SourceOfTruth("truth", { ...settings, nodes: [hkg] });
new WgMesh("hub", { nodes: [hkg], peers: ["lux", "fra"].map((name) => truth.peer(name, [hkg])) });
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
    choose: { stores: ["file:///srv/truth"], probe: 0.5, fetch: 1 },
  });
  const write = (name: keyof typeof keys, rest: string) => of(name).write(program(settings(name), rest));
  /** What somebody else keeps up to date on the hosts. */
  const copy = async () => {
    const input = execFileSync("tar", ["-c", "-C", folder, "prod/hosts"], { encoding: "utf8" });
    for (const host of lab.hosts) {
      const { code, stderr } = await lab.exec(host, "mkdir -p /srv/truth; tar -x -C /srv/truth", { input });
      if (code !== 0) throw new Error(stderr);
    }
  };
  const ping = (from: string, to: string) => on(lab, from, `ping -n -q -c 3 -i 0.2 -W 5 ${to}`);
  const document = () => readFileSync(join(folder, "prod/document.json"), "utf8");

  beforeAll(async () => {
    lab = await Lab.up("lab", { name: "truth", fresh: true });
    for (const name of ["net", "edge"] as const) {
      spaces[name] = await Workspace.make({ lab, files: compiled(name) });
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
    write("net", NET);
    const first = await of("net").well("up", "--yes");
    expect(diagnostics(first.text.split("\nUpdating ")[0] ?? "")["overlay:truth:Part (truth)"]?.join("\n")).toMatch(
      /^prefix 10\.255\.0\.0\/24\nprefix fd00:6f::\/48\nnode fra .*\nnode lux \{"addresses":.*"publicKey":"<known after lux is created>"\}\nlink lux-fra .*$/,
    );
    write("edge", EDGE);
    await of("edge").well("up", "--yes", "--skip-preview");
    write("net", NET_WITH_HKG);
    const { text } = await of("net").well("up", "--yes");
    expect(text).toMatch(/serial: 1 => 3|serial: 3/);
    expect(text).toContain("fra can read what lux and hkg send each other.");
    await Promise.all([ping("fra", "fd00:6f::3"), ping("hkg", "10.255.0.2")]);
    expect(readFileSync(join(folder, "prod/hosts/fra/edge.dev"), "utf8")).toMatch(
      /^peer \S+ inter-hkg hkg chooser\nendpoint \S+ 192\.0\.2\.7 11002 0$/m,
    );
    expect(readFileSync(join(folder, "prod/hosts/hkg/net.dev"), "utf8")).toMatch(/^peer \S+ inter-fra fra follower$/m);
  });

  test("a pair without a link goes by the relay that both name: the program's own route, and at the other end the host's", async () => {
    const routes = (host: string) =>
      on(lab, host, "ip -o route show proto 111 metric 8194; ip -6 -o route show proto 111 metric 8194");
    expect(await routes("lux")).toMatch(
      /^10\.255\.0\.3 dev inter-fra .*src 10\.255\.0\.1 .*\nfd00:6f::3 dev inter-fra/,
    );
    expect(await routes("hkg")).toBe("");
    await copy();
    await within(15, "hkg has its routes", async () => (await routes("hkg")).split("\n").length === 3);
    expect(await on(lab, "hkg", "grep ^relayed /run/overlay/choice")).toBe(
      "relayed inter-fra 10.255.0.1/32 fra lux metric 8194 src 10.255.0.3\n" +
        "relayed inter-fra fd00:6f::1/128 fra lux metric 8194 src fd00:6f::3\n",
    );
    await Promise.all([ping("lux", "10.255.0.3"), ping("hkg", "fd00:6f::1")]);
  });

  test("nothing is left to do for either", async () => {
    const before = document();
    for (const name of ["net", "edge"] as const) {
      const { text } = await of(name).well("preview", "--expect-no-changes", "--refresh");
      expect(text).toContain("fra can read what lux and hkg send each other.");
    }
    expect(document()).toBe(before);
  });

  test("what somebody changed in the document is drift by its lines, and the next run takes it back", async () => {
    writeFileSync(join(folder, "prod/document.json"), document().replace('"cost":0', '"cost":5'));
    const { text } = await of("edge").well("refresh", "--yes", "--diff");
    const lines = text.split("\n").flatMap((line) => /^\s+([-+] (?:node|link|prefix|!) .*)$/.exec(line)?.[1] ?? []);
    // In the preview, and in what was done.
    expect(lines.slice(0, 3)).toEqual([
      expect.stringMatching(/^- node hkg .*"cost":0/),
      expect.stringMatching(/^\+ node hkg .*"cost":5/),
      expect.stringMatching(/^\+ ! The document of network prod .* forged/),
    ]);
    await of("edge").well("up", "--yes", "--skip-preview");
    expect(document()).not.toContain('"cost":5');
  });

  test("a node of the other's is refused by name, in the preview", async () => {
    of("edge").write(program(settings("edge"), EDGE.replace(RELAYS, "[]").replaceAll("hkg", "lux")));
    const { code, text } = await of("edge").run("preview");
    expect(code).not.toBe(0);
    expect(text).toMatch(/belongs to net\/dev/);
    write("edge", EDGE);
  });

  test("a mesh of nodes of both needs one run of each; by the next, hosts that chose by the link before are told of it", async () => {
    write("net", NET_MESH);
    await of("net").well("up", "--yes", "--skip-preview");
    write("edge", EDGE_MESH);
    await of("edge").well("up", "--yes", "--skip-preview");
    await Promise.all([ping("lux", "10.255.0.3"), ping("fra", "fd00:6f::3")]);
    const { text } = await of("net").well("up", "--yes");
    expect(text).toMatch(/overlay:truth:Part truth update \[diff: ~extracts\]/);
    expect(counted(text)).toEqual(["~ 1 updated", "11 unchanged"]);
    await of("net").well("preview", "--expect-no-changes", "--refresh");
  });

  test("destroy takes out what is the stack's own", async () => {
    const { text } = await of("edge").well("destroy", "--yes", "--skip-preview");
    expect(counted(text)).toEqual(["- 8 deleted"]);
    expect(document()).toContain('"net/dev"');
    expect(document()).not.toContain('"edge/dev"');
    await of("net").well("destroy", "--yes", "--skip-preview");
    expect(document()).toContain('"stacks":{}');
  });
});
