/** `overlay rosenpass`: the Rosenpass public key of a node, for somebody else's machine at the other end of a link. */
import { createHash } from "node:crypto";
import type { Command } from "commander";
import { format, parse } from "../faults";
import { Connection, Hosts, publicKey } from "../host";
import { ToolError, tell } from "./error";

/** `[user@]host[:port]`, as messages name a host; an address of IPv6 with a port stands in brackets. */
function connectionOf(host: string): Connection {
  const [, user, name = host, port] =
    /^(?:([^@]+)@)?(\[[^\]]+\]|[^@:]+|[^@]*:[^@]*:[^@]*)(?::(\d+))?$/.exec(host) ?? [];
  const written = {
    host: name.replace(/^\[|\]$/g, ""),
    ...(user !== undefined && { user }),
    ...(port !== undefined && { port: Number(port) }),
  };
  const result = parse(Connection, written);
  if ("value" in result) return result.value;
  throw new ToolError("cli/option", format(result.faults));
}

async function rosenpass(host: string, { ssh }: { ssh: string }): Promise<void> {
  const hosts = new Hosts({ ssh: ssh.split(/\s+/) });
  try {
    const key = await publicKey(hosts.session(connectionOf(host)));
    if (key.length === 0) {
      throw new ToolError(
        "cli/host",
        `${host} has no Rosenpass key: declare a RosenpassPeer of that node, and run \`pulumi up\``,
      );
    }
    const sha256 = createHash("sha256").update(key).digest("hex");
    tell(`${key.length} bytes with the SHA-256 ${sha256}`);
    await new Promise((written) => process.stdout.write(key, written));
  } finally {
    await hosts.close();
  }
}

export const addRosenpass = (program: Command): Command =>
  program
    .command("rosenpass")
    .description(
      "prints the Rosenpass public key of a node, which the machine at the other end of a link needs: bytes, for a file",
    )
    .argument("<host>", "[user@]host[:port] of the node, as ssh has it")
    .option("--ssh <command>", "the command to use as ssh", "ssh")
    .action(rosenpass);
