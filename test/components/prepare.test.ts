/** The user's own commands before anything of ours. */
import { OverlayNode } from "../../components";
import { Declared, registered } from "./declare";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKs0t5XUvVsR/PAc512KDmM7wF0jyyTitF9a5pdqjGtp";
const prepare = ["apt-get update", "apt-get install -y wireguard-tools"];

const agent = process.env.SSH_AUTH_SOCK;
afterEach(() => {
  if (agent === undefined) delete process.env.SSH_AUTH_SOCK;
  else process.env.SSH_AUTH_SOCK = agent;
});

test("a remote.Command each, in their order, and with the host's key checked", async () => {
  process.env.SSH_AUTH_SOCK = "/run/agent";
  const made = await registered(() => {
    new OverlayNode("lux", { id: 1, connection: { host: "lux.example", user: "admin", hostKey }, prepare });
  });
  expect(made).toEqual([
    expect.objectContaining({ type: "overlay:node:Host", name: "lux" }),
    ...prepare.map((create, index) =>
      expect.objectContaining({
        type: "command:remote:Command",
        name: `lux-prepare-${index}`,
        inputs: expect.objectContaining({
          create,
          // The command package makes its connections secret.
          connection: expect.objectContaining({
            value: expect.objectContaining({ host: "lux.example", port: 22, user: "admin", hostKey }),
          }),
        }),
      }),
    ),
  ]);
});

test("what is missing for them to run safely is said", () => {
  delete process.env.SSH_AUTH_SOCK;
  const { faults } = new Declared()
    .node("lux", { id: 1, prepare })
    .node("fra", { id: 2, connection: { host: "fra", hostKey, proxyJump: "bastion" }, prepare });
  expect(faults).toMatchInlineSnapshot(`
[
  "lux: connection.hostKey: legal is given together with \`prepare\`, because without it the command package talks to any machine; on the host's console: cat /etc/ssh/ssh_host_ed25519_key.pub. [input/missing]",
  "lux: prepare: legal is commands together with an SSH agent (SSH_AUTH_SOCK), where the command package finds your key; start one with \`eval $(ssh-agent)\`, and add your key with \`ssh-add\`. [input/environment]",
  "fra: connection.proxyJump: legal is absent together with \`prepare\`, because the command package does not use ssh's bastions; run the commands by other means. [input/conflict]",
  "fra: prepare: legal is commands together with an SSH agent (SSH_AUTH_SOCK), where the command package finds your key; start one with \`eval $(ssh-agent)\`, and add your key with \`ssh-add\`. [input/environment]",
]
`);
});

test("without commands nothing of the command package is loaded", async () => {
  jest.resetModules();
  const { OverlayNode } = require("../../components");
  const { registered } = require("./declare");
  await registered(() => {
    new OverlayNode("lux", { id: 1, connection: { host: "lux.example" } });
  });
  const loaded = (name: string) => Object.keys(require.cache).some((path) => path.includes(`/node_modules/${name}/`));
  expect({ pulumi: loaded("@pulumi/pulumi"), command: loaded("@pulumi/command") }).toEqual({
    pulumi: true,
    command: false,
  });
});
