/** Programs that are wrong: everything that is wrong with them in one run, and no host is touched. */
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { diagnostics } from "./output";
import { Workspace } from "./workspace";

jest.setTimeout(120_000);

const program = `
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { OverlayNode, WgLink } from "pulumi-overlay";

const { hosts } = JSON.parse(readFileSync("lab.json", "utf8"));
const connection = (name: string) => ({ host: hosts[name].addresses[0], hostKey: hosts[name].hostKey });

const lux = new OverlayNode("lux", { id: 1, connection: connection("lux"), addresses: ["10.255.0.1", pulumi.secret("10.255.66.77")] });
const fra = new OverlayNode("fra", { id: 1, endpoints: ["198.51.100.9"], connection: { ...connection("fra"), privateKey: "hunter2" } as never });
const hkg = new OverlayNode("hkg", { id: 3, connection: connection("hkg"), underlay: { mtu: 1300 } });
new WgLink("lux-fra", { a: lux, b: fra });
new WgLink("lux-hkg", { a: lux, b: hkg, devices: { a: "a-very-long-name" }, mtu: pulumi.secret(1399) });
export const key = fra.publicKey.apply((it) => it.length);
`;

describeWhere(["lab", "engine"], "a program with faults", () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await Lab.up("lab", { name: "faults", fresh: true });
  });
  afterAll(async () => {
    await Lab.down("faults");
  });

  test("every fault is named, and not even the host of the one node that is right is touched", async () => {
    const workspace = await Workspace.make({ lab, files: { "index.ts": program } });
    try {
      const { code, text, connections } = await workspace.run("up", "--yes", "--skip-preview");
      expect({ code, connections }).toEqual({ code: 1, connections: 0 });
      expect(diagnostics(text)).toMatchInlineSnapshot(`
{
  "overlay:index:OverlayNode (fra)": [
    "error: connection.privateKey: legal is one of connectTimeout, host, hostKey, port, proxyJump, user; remove it, or correct its spelling. [input/unknownField]",
    "error: fra.id: found 1, legal is id 1 once, and node lux has it already; give each node an id of its own, and never change it. [input/duplicate]",
  ],
  "overlay:index:OverlayNode (lux)": [
    "error: addresses[1]: legal is a value that is no secret, because previews, messages or files on the host show it; wrap it in pulumi.unsecret() if it is none. [input/secret]",
  ],
  "overlay:index:WgLink (lux-hkg)": [
    "error: devices.a: found "a-very-long-name", legal is at most 15 bytes, and this has 16; give a shorter name in \`device\`. [input/value]",
    "error: mtu: legal is a value that is no secret, because previews, messages or files on the host show it; wrap it in pulumi.unsecret() if it is none. [input/secret]",
  ],
  "pulumi:pulumi:Stack (net-dev)": [
    "error: 5 faults; no host was touched [input/faults]",
  ],
}
`);
      expect(text).not.toMatch(/hunter2|10\.255\.66\.77|1399/);
      const { stdout } = await lab.exec("lux", "ls -d /etc/overlay 2>/dev/null; true");
      expect(stdout).toBe("");
    } finally {
      workspace.remove();
    }
  });
});
