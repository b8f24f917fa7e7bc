import { type Code, CodedError, type Named } from "../codes";
import { isProxied, onTheWay } from "./bastions";
import { type Connection, describeConnection } from "./connection";

/** What went wrong between the tool and a host; `CODES` says what each means. */
export type HostErrorKind = Named<"host">;

/** One sentence that says what is wrong and how to cure it; never a secret. */
export class HostError extends CodedError {
  override readonly name = "HostError";

  constructor(
    readonly kind: HostErrorKind,
    message: string,
  ) {
    super(message);
  }

  get code(): Code {
    return `host/${this.kind}`;
  }

  /** True when the host did not answer at all, so that it may simply be down. */
  get offline(): boolean {
    return ["unreachable", "refused", "resolve", "banner"].includes(this.kind);
  }
}

export interface Said {
  /** The host, and by way of which bastions. */
  who: string;
  /** The host alone. */
  target: string;
  /** The bastions, or where they are declared; nothing where ssh connects by itself. */
  way: string | undefined;
  connection: Connection;
  /** The line that shows what is wrong. It names the host, which is a bastion's where bastions are on the way. */
  line: string;
  stderr: string;
}

export type Row = [pattern: RegExp, kind: HostErrorKind, message: (said: Said) => string];

const ownKey = "on its console: cat /etc/ssh/ssh_host_ed25519_key.pub";

function changedKey({ who, connection: { host, port, hostKey }, stderr }: Said): string {
  const shown = /SHA256:[A-Za-z0-9+/]{43}/.exec(stderr)?.[0];
  const name = port === 22 ? host : `'[${host}]:${port}'`;
  const cure = hostKey
    ? `set connection.hostKey to its new key (${ownKey})`
    : `remove the old key with ssh-keygen -R ${name} and record the new one (${ownKey})`;
  const old = hostKey ? "connection.hostKey pins" : "known_hosts has";
  return `${who} shows another host key${shown ? ` (${shown})` : ""} than the one that ${old}; somebody may be listening in between: only if the host was rebuilt, ${cure}`;
}

/**
 * What OpenSSH writes under LC_ALL=C (sshconnect.c, ssh.c, packet.c, kex.c) and sudo(8); the first that matches counts,
 * so what is certain comes before what is a consequence (a bastion's failure ends the outer ssh with "closed" as well).
 */
const rows: Row[] = [
  [
    // Of sh, env(1), timeout(1), ip-netns(8), nsenter(1): no ssh has run yet. The far end would miss `sh` or `sudo`.
    /\bssh['"]?:? (failed: )?(command )?(not found|No such file)|failed to execute \S*ssh\b|network namespace|^nsenter: /,
    "ssh",
    ({ who, line }) =>
      `${who} was not even tried, because ssh does not start on this machine (${line}): install the OpenSSH client, or correct the provider's \`ssh\``,
  ],
  [/REMOTE HOST IDENTIFICATION HAS CHANGED|no matching host key type found/, "hostKeyChanged", changedKey],
  [
    /Host key verification failed|No \S+ host key is known/,
    "hostKeyUnknown",
    ({ who }) =>
      `nobody vouches for the host key of ${who}: set connection.hostKey to the host's own key (${ownKey}), or connect once with ssh and compare the fingerprint`,
  ],
  [
    /Too many authentication failures/,
    "auth",
    ({ who }) =>
      `${who} closed the door after too many keys: name the right one in ssh_config (IdentityFile with IdentitiesOnly yes), or give fewer identities`,
  ],
  [
    /Permission denied \(|No supported authentication methods/,
    "auth",
    ({ who, connection: { user }, line }) =>
      `${who} accepts none of the keys on offer (${line}): put a public key into ~${user ?? ""}/.ssh/authorized_keys there, load its private key into your ssh-agent, or set the provider's identities`,
  ],
  [
    /Could not resolve hostname/,
    "resolve",
    ({ who, line }) => `the name of ${who} does not resolve (${line}): correct connection.host or give an address`,
  ],
  [
    /timed out during banner exchange|banner exchange: .*timed out/,
    "banner",
    ({ who, connection: { port, connectTimeout } }) =>
      `${who} takes the TCP connection but sent no SSH greeting within ${connectTimeout} s: it is overloaded (raise connection.connectTimeout), or something other than sshd listens on port ${port}`,
  ],
  [
    /Connection refused/,
    "refused",
    ({ who, connection: { port }, line }) =>
      `${who} refuses TCP port ${port} (${line}): start sshd there, or correct connection.port`,
  ],
  [
    /Connection timed out|Operation timed out|No route to host|Network is unreachable|Host is down/,
    "unreachable",
    ({ who, connection: { port }, line }) =>
      `${who} cannot be reached (${line}): look whether it is up, the address right, and TCP port ${port} open from here`,
  ],
  [
    /^sudo: /m,
    "sudo",
    ({ who, connection: { user }, line }) =>
      `${who} may not use sudo without a password (${line}): write "${user ?? "USER"} ALL=(ALL) NOPASSWD: ALL" to a file in /etc/sudoers.d there, or connect as root`,
  ],
  [
    /\b(sh|sudo): (command )?not found|(sh|sudo): No such file/,
    "noShell",
    ({ who, line }) => `${who} logs in, but has no sh, or no sudo (${line}): install it, or connect as root`,
  ],
];

const broken = /(kex|ssh)_exchange_identification|Connection (closed|reset) by|Broken pipe/;

/**
 * sshd drops connections at random while MaxStartups of them are logging in (sshd_config(5)): worth another attempt. It
 * does so before a word is said, so where a bastion, or another command on the way, has said one, it is that.
 */
export const isTooManyStartups = (stderr: string): boolean =>
  /(kex|ssh)_exchange_identification: .*(closed by remote host|reset by peer)/i.test(stderr) &&
  !rows.some(([pattern]) => pattern.test(stderr)) &&
  !(isProxied(stderr) && stderr.split("\n").some((line) => line !== "" && !broken.test(line)));

/** ssh's own exit code for whatever goes wrong before the remote command runs. */
const SSH_FAILED = 255;

/** Why an ssh process ended before its session was ready. */
export function connectError(connection: Connection, code: number | null, stderr: string, stdout = ""): HostError {
  const proxied = isProxied(stderr);
  const way = connection.proxyJump ?? (proxied ? "ssh_config's ProxyJump or ProxyCommand" : undefined);
  const target = describeConnection(connection);
  const who = target + (way ? ` (through ${way})` : "");
  const lines = stderr.split("\n").map((line) => line.trim().slice(0, 300));
  for (const [pattern, kind, message] of [...onTheWay(stderr), ...rows]) {
    const line = lines.find((line) => pattern.test(line));
    if (line !== undefined) return new HostError(kind, `${message({ who, target, way, connection, line, stderr })}.`);
  }
  // What is on the way has its say first, whatever its words.
  const brokenLine = lines.some((line) => broken.test(line))
    ? lines.find((line) => (proxied ? line !== "" : broken.test(line)))
    : undefined;
  if (brokenLine !== undefined) {
    return new HostError(
      "refused",
      `${who} closed the connection before the login (${brokenLine}): look at sshd's log there${way ? " and at the bastion's" : ""}; MaxStartups, an access list or a full disk do this.`,
    );
  }
  const answer = [...lines, ...stdout.split("\n")].filter((line) => line.trim() !== "").at(-1) ?? "without a word";
  if (code === SSH_FAILED) {
    return new HostError("ssh", `ssh cannot connect to ${who} (${answer}): try the same with ssh by hand.`);
  }
  return new HostError(
    "noShell",
    `${who} logs in, but no POSIX shell answers there (${answer.slice(0, 300)}): give the user /bin/sh as login shell and no forced command, or connect as another user.`,
  );
}
