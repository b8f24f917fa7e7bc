/** The user's own commands on a machine, before anything of ours: the job that @pulumi/command is made for. */
import type { remote } from "@pulumi/command/types/input";
import type * as pulumi from "@pulumi/pulumi";
import { type Fault, fault } from "../sdk/faults";
import { isLater } from "./input";
import type { NodeArgs, NodeData } from "./nodeArgs";

/** What is missing for commands to run, and to run on no machine but this one. */
export function prepareFaults({ prepare, connection }: NodeArgs): Fault[] {
  if (prepare.length === 0) return [];
  const faults: Fault[] = [];
  const object = (code: Fault["code"], path: string[], legal: string, cure: string) =>
    faults.push(fault(path, undefined, { code, legal, cure }));
  if (isLater(connection)) {
    const legal = "an object together with `prepare`, though its fields may be Outputs";
    object("input/conflict", ["connection"], legal, "write { host: …, hostKey: … }");
  } else if (connection.hostKey === undefined) {
    const legal = "given together with `prepare`, because without it the command package talks to any machine";
    object(
      "input/missing",
      ["connection", "hostKey"],
      legal,
      "on the host's console: cat /etc/ssh/ssh_host_ed25519_key.pub",
    );
  } else if (connection.proxyJump !== undefined) {
    const legal = "absent together with `prepare`, because the command package does not use ssh's bastions";
    object("input/conflict", ["connection", "proxyJump"], legal, "run the commands by other means");
  }
  if (!process.env.SSH_AUTH_SOCK) {
    const legal = "commands together with an SSH agent (SSH_AUTH_SOCK), where the command package finds your key";
    object(
      "input/environment",
      ["prepare"],
      legal,
      "start one with `eval $(ssh-agent)`, and add your key with `ssh-add`",
    );
  }
  if (!commandPackage()) {
    const legal = "commands together with the package @pulumi/command";
    object("input/environment", ["prepare"], legal, "`npm install @pulumi/command@1.2.1`");
  }
  return faults;
}

/** A remote.Command each, one after the other. `sound`: the value, when the program turns out to have no faults. */
export function prepare(
  node: NodeData,
  parent: pulumi.Resource,
  sound: <T>(value: T) => pulumi.Output<pulumi.Unwrap<T>>,
): pulumi.Resource[] {
  const command = node.prepare.length > 0 ? commandPackage() : undefined;
  if (!command || isLater(node.connection)) return [];
  const { host, port, user, hostKey } = node.connection;
  const connection = { host, port, user, hostKey } as remote.ConnectionArgs;
  const commands: pulumi.Resource[] = [];
  for (const [index, create] of node.prepare.entries()) {
    const options = { parent, dependsOn: [...commands] };
    commands.push(
      new command.remote.Command(`${node.name}-prepare-${index}`, { connection, create: sound(create) }, options),
    );
  }
  return commands;
}

/** Loaded only where it is used: the engine wants the plugin of every package that a program loads. */
function commandPackage(): typeof import("@pulumi/command") | undefined {
  try {
    return require("@pulumi/command");
  } catch {
    return undefined;
  }
}
