import { type ChildProcess, spawn } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Connection } from "./connection";

/** What an ssh process needs beside the connection. */
export interface SshEnvironment {
  /** The command to use as ssh. */
  ssh: string[];
  /** A private folder (0700). */
  folder: string;
  /** Socket of the private agent, or undefined: the user's own. */
  agentSocket?: string;
}

/**
 * Options, see ssh_config(5). They come before everything in the user's files, so only what the session itself needs is
 * fixed here: no questions, no noise levels that hide errors, no sharing with other connections, no forwardings.
 */
const fixed = {
  BatchMode: "yes",
  StrictHostKeyChecking: "yes",
  LogLevel: "INFO",
  ServerAliveInterval: "5",
  ServerAliveCountMax: "3",
  RequestTTY: "no",
  RemoteCommand: "none",
  PermitLocalCommand: "no",
  ControlMaster: "no",
  ControlPath: "none",
  ForwardAgent: "no",
  ForwardX11: "no",
  ClearAllForwardings: "yes",
};

/** The name under which a pinned key stands in its known_hosts file. */
const pinned = "pinned";

function pinning(hostKey: string, file: string): Record<string, string> {
  const type = hostKey.split(" ", 1)[0] ?? "";
  return {
    UserKnownHostsFile: file,
    GlobalKnownHostsFile: "/dev/null",
    HostKeyAlias: pinned,
    HostKeyAlgorithms: type === "ssh-rsa" ? "rsa-sha2-512,rsa-sha2-256" : type,
    CheckHostIP: "no",
    UpdateHostKeys: "no",
  };
}

export function sshArguments(connection: Connection, knownHosts?: string, agentSocket?: string): string[] {
  const options: Record<string, string> = {
    ...fixed,
    ConnectTimeout: String(connection.connectTimeout),
    ...(connection.hostKey && knownHosts ? pinning(connection.hostKey, knownHosts) : {}),
    ...(agentSocket ? { IdentityAgent: agentSocket, IdentitiesOnly: "no" } : {}),
  };
  return [
    ...Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]),
    ...(connection.proxyJump ? ["-J", connection.proxyJump] : []),
    ...(connection.port === 22 ? [] : ["-p", String(connection.port)]), // else ssh_config's Port would not count
    ...["-l", connection.user, "--", connection.host],
    connection.user === "root" ? "exec sh" : "exec sudo -n sh",
  ];
}

let serial = 0;

/** Starts ssh to a host; its far end is a shell that reads standard input. `forget` removes what it needed to log in. */
export function startSsh(
  connection: Connection,
  { ssh, folder, agentSocket }: SshEnvironment,
): { child: ChildProcess & { stdin: NodeJS.WritableStream }; forget: () => void } {
  const knownHosts = connection.hostKey ? join(folder, `known_hosts.${++serial}`) : undefined;
  if (knownHosts) writeFileSync(knownHosts, `${pinned} ${connection.hostKey}\n`, { mode: 0o600 });
  const [command = "ssh", ...first] = ssh;
  const child = spawn(command, [...first, ...sshArguments(connection, knownHosts, agentSocket)], {
    stdio: ["pipe", "pipe", "pipe"],
    // A session of its own: no terminal to ask questions on, no SIGINT from it, and a group that can be ended as one.
    detached: true,
    env: {
      ...process.env,
      LC_ALL: "C",
      SSH_ASKPASS_REQUIRE: "never",
      ...(agentSocket && { SSH_AUTH_SOCK: agentSocket }),
    },
  });
  return { child, forget: () => knownHosts && rmSync(knownHosts, { force: true }) };
}
