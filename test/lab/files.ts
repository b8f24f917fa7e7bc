/** The files of a lab that programs read: lab.json, and what the operator's ssh is told. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** This folder in the sources: scripts and topologies are not compiled. */
export const SOURCES = __dirname.replace(/\/dist\/test\/lab$/, "/test/lab");

export const STATE = "/run/overlay-lab";
export const labFolder = (lab: string): string => join(STATE, lab);
export const hostFolder = (lab: string, host: string): string => join(STATE, lab, "hosts", host);

export interface HostJson {
  addresses: string[];
  /** `ssh-ed25519 AAAA…` */
  hostKey: string;
  user: string;
  /** /etc/machine-id */
  machine: string;
  /** The first of its segments. */
  segment: string;
  /** What the operator's ssh dials: the host, or its router's port for it. Absent: it cannot be reached. */
  host?: string;
  port?: number;
}

/** /run/overlay-lab/LAB/lab.json */
export interface LabJson {
  name: string;
  /** The network namespace that the operator's commands run in. */
  operator: string;
  /** The command in place of `ssh`, split at white space. */
  ssh: string;
  /** The operator's private key. */
  identity: string;
  /** The host keys that the operator knows. */
  knownHosts: string;
  hosts: Record<string, HostJson>;
}

/** Readers see the old file or the new one, never half of one. */
export function writeWhole(path: string, content: string): void {
  writeFileSync(`${path}.new`, content, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

export const writeJson = (path: string, value: unknown): void =>
  writeWhole(path, `${JSON.stringify(value, undefined, 2)}\n`);

export const readJson = <T>(path: string): T => JSON.parse(readFileSync(path, "utf8")) as T;

const knownHosts = (hosts: Record<string, HostJson>): string =>
  Object.entries(hosts)
    .map(([name, { addresses, hostKey, host, port }]) => {
      const dialled = host === undefined ? [] : [port === 22 ? host : `[${host}]:${port}`];
      return `${[...new Set([name, ...addresses, ...dialled])].join(",")} ${hostKey}\n`;
    })
    .join("");

/**
 * ssh_config(5). The first value wins: the hosts' before everybody's, and the command line's before both. The key
 * exchange that OpenSSH prefers takes an emulated processor a quarter of a second.
 */
function sshConfig(folder: string, hosts: Record<string, HostJson>): string {
  const entries = Object.entries(hosts).map(([name, { host, port, user }]) =>
    [`Host ${name}`, `  User ${user}`, ...(host === undefined ? [] : [`  HostName ${host}`, `  Port ${port}`])].join(
      "\n",
    ),
  );
  return `${entries.join("\n")}
Host *
  User root
  IdentityFile ${join(folder, "identity")}
  IdentitiesOnly yes
  UserKnownHostsFile ${join(folder, "known_hosts")}
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  UpdateHostKeys no
  ConnectTimeout 5
  KexAlgorithms curve25519-sha256
  ControlMaster no
  ControlPath none
`;
}

/** Writes ssh_config and known_hosts, and lab.json last. */
export function writeFiles(lab: string, operator: string, hosts: Record<string, HostJson>): void {
  const folder = labFolder(lab);
  writeWhole(join(folder, "known_hosts"), knownHosts(hosts));
  writeWhole(join(folder, "ssh_config"), sshConfig(folder, hosts));
  const json: LabJson = {
    name: lab,
    operator,
    ssh: `nsenter --net=/run/netns/${operator} -- ssh -F ${join(folder, "ssh_config")}`,
    identity: join(folder, "identity"),
    knownHosts: join(folder, "known_hosts"),
    hosts,
  };
  writeJson(join(folder, "lab.json"), json);
}
