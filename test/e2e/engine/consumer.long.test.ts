/** The program of docs/existing-repo.md on hosts that are there: one `up` makes its servers, then the network on them. */
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { counted } from "./output";
import { root, Workspace } from "./workspace";

jest.setTimeout(300_000);

const consumer = join(root, "test/consumer");

describeWhere(["lab", "engine"], "servers of another package that become nodes", () => {
  let lab: Lab;
  let workspace: Workspace;

  beforeAll(async () => {
    lab = await Lab.up("lab", { name: "consumer", fresh: true });
    const files = { "Pulumi.yaml": readFileSync(join(consumer, "Pulumi.yaml"), "utf8") };
    workspace = await Workspace.make({ lab, files });
    cpSync(consumer, workspace.folder, { recursive: true });
  });
  afterAll(async () => {
    workspace?.remove();
    await Lab.down("consumer");
  });

  const on = async (host: string, command: string): Promise<string> => (await lab.exec(host, command)).stdout;

  test("one up makes them all, and packets pass by the link, the mesh and the segment", async () => {
    const { text } = await workspace.well("up", "--yes", "--skip-preview");
    expect(counted(text)).toEqual(["+ 25 created"]);
    for (const [from, to] of [
      ["lux", "10.255.0.2"],
      ["fra", "10.255.0.3"],
      ["lux", "10.100.0.2"],
    ] as const) {
      expect(await on(from, `ping -n -q -c 3 -i 0.2 -W 5 ${to}`)).toContain(" 0% packet loss");
    }
    expect(await on("lux", "ip route get 192.168.7.1")).toMatch(/^192\.168\.7\.1 dev inter-fra /);
    expect(await on("fra", "ip route get 192.168.8.1")).toMatch(/^192\.168\.8\.1 dev mesh /);
  });

  test("with nothing to do no host is connected to", async () => {
    const { text, connections } = await workspace.well("up", "--yes", "--skip-preview");
    expect({ counted: counted(text), connections }).toEqual({ counted: ["25 unchanged"], connections: 0 });
  });

  test("destroy takes the network down while the servers are there, then these", async () => {
    const { text } = await workspace.well("destroy", "--yes", "--skip-preview");
    expect(counted(text)).toEqual(["- 25 deleted"]);
    for (const host of ["lux", "fra", "hkg"]) {
      const left = "ip -o link show group 28417; ls -d /etc/overlay 2>/dev/null; nft list tables | grep overlay; true";
      expect(await on(host, left)).toBe("");
    }
  });
});
