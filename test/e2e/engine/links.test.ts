/**
 * The life of two links in a repository of the user's own, from the first preview to `destroy`. `UPDATE_GOLDEN=1` writes
 * preview.txt anew.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { changed, counted, diagnostics } from "./output";
import { Workspace } from "./workspace";

const program = `
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { OverlayNode, WgLink } from "pulumi-overlay";

const { hosts } = JSON.parse(readFileSync("lab.json", "utf8"));
const settings = new pulumi.Config();
const node = (name: string, id: number) =>
  new OverlayNode(name, {
    id,
    connection: { host: hosts[name].addresses[0], hostKey: hosts[name].hostKey },
    addresses: [\`10.255.0.\${id}\`, \`fd00:6f::\${id}\`],
    endpoints: hosts[name].addresses,
  });

const lux = node("lux", 1);
const fra = node("fra", 2);
const hkg = node("hkg", 3);
const keepalive = settings.getNumber("keepalive");
export const luxFra = new WgLink("lux-fra", { a: lux, b: fra, keepalive }).sideA;
new WgLink("fra-hkg", { a: fra, b: hkg, keepalive, family: "inet6" });
`;

jest.setTimeout(120_000);

describeWhere(["lab", "engine"], "links in a user's repository", () => {
  let lab: Lab;
  let workspace: Workspace;

  beforeAll(async () => {
    lab = await Lab.up("lab", { name: "engine", fresh: true });
    workspace = await Workspace.make({ lab, files: { "index.ts": program } });
  });
  afterAll(async () => {
    workspace?.remove();
    await Lab.down("engine");
  });

  const ping = async (from: string, to: string) =>
    expect(await lab.exec(from, ["ping", "-n", "-q", "-c", "3", "-i", "0.2", "-W", "5", to])).toMatchObject({
      code: 0,
    });

  test("the first preview shows every line, reaches no host, and says which keys come later", async () => {
    const { text, connections } = await workspace.well("preview");
    expect(connections).toBe(0);
    expect(counted(text)).toEqual(["+ 13 to create"]);
    const said = Object.entries(diagnostics(text)).sort();
    const shown = said.map(([resource, lines]) => [`# ${resource}`, ...lines, ""].join("\n")).join("\n");
    const golden = join(__dirname, "preview.txt");
    const actual = shown.replace(/sha256:[0-9a-f]+/g, "sha256:<hash>");
    if (process.env.UPDATE_GOLDEN === "1") writeFileSync(golden, actual);
    expect(actual).toBe(existsSync(golden) ? readFileSync(golden, "utf8") : "");
  });

  test("up makes them over one connection a host; packets pass both ways", async () => {
    const { text, connections } = await workspace.well("up", "--yes", "--skip-preview");
    expect(counted(text)).toEqual(["+ 13 created"]);
    expect(connections).toBe(3);
    for (const to of ["10.255.0.2", "fd00:6f::2"]) await ping("lux", to);
    for (const to of ["10.255.0.3", "fd00:6f::3"]) await ping("fra", to);
  });

  test("with nothing to do no host is connected to", async () => {
    const { text, connections } = await workspace.well("up", "--yes");
    expect(counted(text)).toEqual(["13 unchanged"]);
    expect(connections).toBe(0);
  });

  test("outputs are what the kernel was told", async () => {
    const { text } = await workspace.well("stack", "output", "luxFra", "--json");
    expect(JSON.parse(text)).toEqual({
      node: "lux",
      device: "inter-fra",
      listenPort: 11002,
      endpoint: "198.51.100.9:11001",
      mtu: 1420,
    });
  });

  const keyless = (lines: string[]) => lines.map((line) => line.replace(/ peer \S+=/, " peer KEY"));

  test("a changed field is one changed line a side, and costs the link nothing", async () => {
    await workspace.well("config", "set", "keepalive", "15");
    const { text, connections } = await workspace.well("preview", "--diff");
    expect(connections).toBe(0);
    expect(counted(text)).toEqual(["~ 4 to update", "9 unchanged"]);
    const [device, endpoint] = ["inter-hkg", "[2001:db8:3::7]:11002"];
    const line = `wg set ${device} peer KEY allowed-ips 0.0.0.0/0,::/0 endpoint ${endpoint} persistent-keepalive`;
    const lines = keyless(changed(text));
    expect(lines).toHaveLength(8);
    expect(lines.filter((it) => it.includes(device))).toEqual([`- ${line} 25`, `+ ${line} 15`]);
  });

  test("--target changes one side alone", async () => {
    const { text, connections } = await workspace.well("up", "--yes", "--skip-preview", "--target", "**lux-fra@lux");
    expect(counted(text)).toContain("~ 1 updated");
    expect(connections).toBe(1);
    const rest = await workspace.well("up", "--yes", "--skip-preview");
    expect(counted(rest.text)).toEqual(["~ 3 updated", "10 unchanged"]);
  });

  test("drift is one line of the kernel's, and the next up mends it", async () => {
    await lab.exec("lux", "ip link set dev inter-fra mtu 1400");
    const refreshed = await workspace.well("refresh", "--yes", "--skip-preview", "--diff");
    const line = (mtu: number) =>
      `ip link set dev inter-fra mtu ${mtu} group 28417 addrgenmode none alias overlay:net/dev:lux-fra`;
    expect(changed(refreshed.text)).toEqual([`- ${line(1420)}`, `+ ${line(1400)}`]);

    const { text } = await workspace.well("up", "--yes", "--skip-preview");
    expect(counted(text)).toEqual(["~ 1 updated", "12 unchanged"]);
    const { stdout } = await lab.exec("lux", "ip -o link show dev inter-fra");
    expect(stdout).toContain(" mtu 1420 ");
    const after = await workspace.run("refresh", "--preview-only", "--expect-no-changes");
    expect(after).toMatchObject({ code: 0, connections: 3 });
  });

  test("import of an interface by host and device reads the same lines", async () => {
    const other = await Workspace.make({ lab, files: { "index.ts": "" } });
    try {
      const host = lab.json.hosts.lux?.addresses[0];
      await other.well(
        "import",
        "overlay:wireguard:Interface",
        "lux",
        `${host}/inter-fra`,
        "--yes",
        "--generate-code=false",
      );
      type Exported = { deployment: { resources: { id?: string; outputs?: { config: string } }[] } };
      const config = async (from: Workspace, id: RegExp) => {
        const { deployment } = JSON.parse((await from.well("stack", "export")).text) as Exported;
        return deployment.resources.find((it) => id.test(it.id ?? ""))?.outputs?.config;
      };
      expect(await config(other, /\/inter-fra$/)).toBe(await config(workspace, /^lux\/inter-fra$/));
    } finally {
      other.remove();
    }
  });

  test("destroy leaves nothing of ours on any host", async () => {
    const { text } = await workspace.well("destroy", "--yes", "--skip-preview");
    expect(counted(text)).toEqual(["- 13 deleted"]);
    for (const host of lab.hosts) {
      const left = "ip -o link show group 28417; ls -d /etc/overlay 2>/dev/null; nft list tables | grep overlay; true";
      expect(await lab.exec(host, left)).toMatchObject({ stdout: "" });
    }
  });
});
