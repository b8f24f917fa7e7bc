/** The user's own commands before anything of ours, by Pulumi's command package. */
import { symlinkSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { describeWhere } from "../../can";
import { Lab } from "../../lab";
import { must } from "../../lab/run";
import { counted } from "./output";
import { Workspace } from "./workspace";

jest.setTimeout(120_000);

const program = `
import { readFileSync } from "node:fs";
import { OverlayNode } from "pulumi-overlay";

const { hosts } = JSON.parse(readFileSync("lab.json", "utf8"));
const [host] = hosts.lux.addresses;
const prepare = ["test ! -e /etc/overlay && date +%s%N >/root/first", "cat /root/first && touch /root/second"];
new OverlayNode("lux", { id: 1, connection: { host, hostKey: hosts.lux.hostKey }, prepare });
`;

describeWhere(["lab", "engine", "command"], "prepare", () => {
  let lab: Lab;
  let workspace: Workspace;

  beforeAll(async () => {
    lab = await Lab.up("lab", { name: "prepare", fresh: true });
  });
  afterAll(async () => {
    workspace?.remove();
    await Lab.down("prepare");
  });

  test("commands run in their order, before anything of ours", async () => {
    const { operator, identity } = lab.json;
    // The command package dials by itself, and knows nothing of the lab's ssh: the run has to be in the lab.
    await must(["ip", "-n", operator, "link", "set", "lo", "up"]);
    const agent = ["ssh-agent", "sh", "-c", 'ssh-add -q "$0" && exec "$@"', identity];
    const around = ["nsenter", `--net=/run/netns/${operator}`, ...agent];
    workspace = await Workspace.make({ lab, files: { "index.ts": program }, around });
    symlinkSync(
      join(process.env.PULUMI_HOME ?? join(homedir(), ".pulumi"), "plugins"),
      join(workspace.home, "plugins"),
    );
    const { text } = await workspace.well("up", "--yes", "--skip-preview");
    expect(counted(text)).toEqual(["+ 5 created"]);
    expect(await lab.exec("lux", "test -e /root/second && test -e /etc/overlay/owner")).toMatchObject({ code: 0 });
  });
});
