import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { through } from "./bastions";
import type { Connection } from "./connection";

/** What an ssh process needs beside the connection. */
export interface SshEnvironment {
  /** The command to use as ssh. */
  ssh: string[];
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

const words = (options: Record<string, string>): string[] =>
  Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);

export function sshArguments(
  connection: Connection,
  knownHosts?: string,
  agentSocket?: string,
  ssh: string[] = ["ssh"],
): string[] {
  const { connectTimeout } = connection;
  const bastions = connection.proxyJump?.split(",") ?? [];
  const { BatchMode, StrictHostKeyChecking, LogLevel } = fixed;
  const theirs = words({ BatchMode, StrictHostKeyChecking, LogLevel, ConnectTimeout: String(connectTimeout) });
  const options: Record<string, string> = {
    ...fixed,
    // Each bastion has as long, and it is the one that fails which is to say so.
    ConnectTimeout: String(connectTimeout * (bastions.length + 1)),
    ...(connection.hostKey && knownHosts ? pinning(connection.hostKey, knownHosts) : {}),
    ...(agentSocket ? { IdentityAgent: agentSocket, IdentitiesOnly: "no" } : {}),
  };
  return [
    ...words(options),
    ...through(ssh, bastions, theirs),
    ...(connection.port === 22 ? [] : ["-p", String(connection.port)]), // else ssh_config's Port would not count
    ...(connection.user ? ["-l", connection.user] : []),
    ...["--", connection.host],
    becomeRoot(connection.user),
  ];
}

/**
 * What the login shell of a user is told: which user ssh_config has is known only there. root has /, which any shell can be asked
 * in these words; the rest is for sh.
 */
function becomeRoot(user: string | undefined): string {
  if (user === "root") return "exec sh";
  return user ? "exec sudo -n sh" : `test -O / && exec sh; exec sh -c '[ "$(id -u)" = 0 ] || exec sudo -n sh; exec sh'`;
}

/** With the known_hosts files of the logins that go on now. */
let folder: string | undefined;
const files = new Set<string>();

/** A known_hosts file for one key; ssh has read it when the login is over. */
function writeKnownHosts(hostKey: string): { file: string; forget: () => void } {
  if (!folder) {
    folder = mkdtempSync(join(tmpdir(), "overlay-"));
    process.once("exit", clear); // who ends meanwhile leaves nothing behind
  }
  const file = join(folder, randomUUID());
  writeFileSync(file, `${pinned} ${hostKey}\n`);
  files.add(file);
  return { file, forget: () => forget(file) };
}

/** Once for each. The last one takes the folder with it. */
function forget(file: string): void {
  files.delete(file);
  rmSync(file, { force: true });
  if (files.size === 0) clear();
}

function clear(): void {
  process.off("exit", clear);
  if (folder) rmSync(folder, { recursive: true, force: true });
  folder = undefined;
}

/** Starts ssh to a host; its far end is a shell that reads standard input. `forget` removes what it needed to log in. */
export function startSsh(connection: Connection, { ssh, agentSocket }: SshEnvironment) {
  const known = connection.hostKey ? writeKnownHosts(connection.hostKey) : undefined;
  const [command = "ssh", ...first] = ssh;
  const child = spawn(command, [...first, ...sshArguments(connection, known?.file, agentSocket, ssh)], {
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
  return { child, forget: () => known?.forget() };
}
