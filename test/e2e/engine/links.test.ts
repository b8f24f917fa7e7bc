/**
 * The life of two links in a repository of the user's own, from the first preview to `destroy`. `UPDATE_GOLDEN=1` writes
 * preview.txt anew.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { traffic } from "../days/network";
import { changed, counted, diagnostics } from "./output";
import { Workspace } from "./workspace";

const program = `
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { OverlayNode, WgLink } from "pulumi-overlay";

const { hosts } = JSON.parse(readFileSync("lab.json", "utf8"));
const settings = new pulumi.Config();
const node = (name: string, id: number, options?: pulumi.ComponentResourceOptions) =>
  new OverlayNode(name, {
    id,
    connection: { host: hosts[name].addresses[0], hostKey: hosts[name].hostKey },
    addresses: [\`10.255.0.\${id}\`, \`fd00:6f::\${id}\`],
    endpoints: hosts[name].addresses,
  }, options);

const lux = node("lux", 1);
const fra = node("fra", 2);
const hkg = node("hkg", 3, { deletedWith: new pulumi.ComponentResource("net:index:Server", "hkg") });
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

  /** The preview, and what was done. */
  const parts = (text: string): string[] => text.split(/^Updating \(dev\):$/m);

  test("up shows every line and which keys come later, then makes all over one connection a host; packets pass both ways", async () => {
    const { text, connections } = await workspace.well("up", "--yes");
    const [preview = "", update = ""] = parts(text);
    const said = Object.entries(diagnostics(preview)).sort();
    const shown = said.map(([resource, lines]) => [`# ${resource}`, ...lines, ""].join("\n")).join("\n");
    const golden = join(__dirname, "preview.txt");
    const actual = shown.replace(/sha256:[0-9a-f]+/g, "sha256:<hash>");
    if (process.env.UPDATE_GOLDEN === "1") writeFileSync(golden, actual);
    expect(actual).toBe(existsSync(golden) ? readFileSync(golden, "utf8") : "");
    expect([preview, update].map(counted)).toEqual([["+ 14 to create"], ["+ 14 created"]]);
    expect(connections).toBe(3);
    for (const to of ["10.255.0.2", "fd00:6f::2"]) await ping("lux", to);
    for (const to of ["10.255.0.3", "fd00:6f::3"]) await ping("fra", to);
  });

  test("a changed field is one changed line; --target changes one side alone", async () => {
    workspace.configure({ "net:keepalive": 15 });
    const { text, connections } = await workspace.well("up", "--yes", "--diff", "--target", "**lux-fra@lux");
    const line = (keepalive: number) =>
      `wg set inter-fra peer KEY allowed-ips 0.0.0.0/0,::/0 endpoint 198.51.100.9:11001 persistent-keepalive ${keepalive}`;
    const [preview = "", update = ""] = parts(text);
    const lines = changed(preview).map((it) => it.replace(/ peer \S+=/, " peer KEY"));
    expect(lines).toEqual([`- ${line(25)}`, `+ ${line(15)}`]);
    expect(counted(update)).toContain("~ 1 updated");
    expect(connections).toBe(1);
  });

  test("import of an interface by host and device reads the same lines; outputs of the stack are what the kernel was told", async () => {
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
      type Resource = { id?: string; type: string; outputs?: Record<string, unknown> };
      const exported = async (from: Workspace): Promise<Resource[]> =>
        JSON.parse((await from.well("stack", "export")).text).deployment.resources;
      const config = (from: Resource[], id: RegExp) => from.find((it) => id.test(it.id ?? ""))?.outputs?.config;
      const own = await exported(workspace);
      expect(config(own, /^lux\/inter-fra$/)).toMatch(/^ip link add dev inter-fra /);
      expect(config(await exported(other), /\/inter-fra$/)).toBe(config(own, /^lux\/inter-fra$/));
      // Outputs of the stack are what the kernel was told.
      expect(own.find(({ type }) => type === "pulumi:pulumi:Stack")?.outputs?.luxFra).toEqual({
        node: "lux",
        device: "inter-fra",
        listenPort: 11002,
        endpoint: "198.51.100.9:11001",
        mtu: 1420,
      });
    } finally {
      other.remove();
    }
  });

  const devices = async (host: string): Promise<string> =>
    (await lab.exec(host, "ip -o link show group 28417 | cut -d : -f 2")).stdout;

  test("destroy --target of a link: no packet of the others is lost, and the third host is not called", async () => {
    const packets = await Promise.all(["fra-hkg", "hkg-fra"].map((link) => traffic(lab, link)));
    const { text, connections } = await workspace.well(
      "destroy",
      "--yes",
      "--skip-preview",
      "--target",
      "**::lux-fra**",
    );
    for (const one of packets) expect(await one.end()).toMatchObject({ lost: 0 });
    expect({ counted: counted(text), connections }).toEqual({
      counted: ["- 3 deleted", "11 unchanged"],
      connections: 2,
    });
    expect([await devices("lux"), await devices("fra")]).toEqual(["", " inter-hkg\n"]);
    expect((await lab.exec("lux", "ls /etc/overlay/boot.d")).stdout).toBe("10-node\n");
  });

  test("destroy leaves nothing of ours on any host, and a node that goes with the user's server is not called", async () => {
    await lab.powerOff("hkg");
    const { text, connections } = await workspace.well("destroy", "--yes", "--skip-preview");
    expect({ counted: counted(text), connections }).toEqual({ counted: ["- 11 deleted"], connections: 2 });
    for (const host of ["lux", "fra"]) {
      const left = "ip -o link show group 28417; ls -d /etc/overlay 2>/dev/null; nft list tables | grep overlay; true";
      expect(await lab.exec(host, left)).toMatchObject({ stdout: "" });
    }
  });
});
