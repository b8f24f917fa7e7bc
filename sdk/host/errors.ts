import { type Connection, describeConnection } from "./connection";

/** What went wrong between the tool and a host. `busy`: another run holds the host's lock; `owned`: another stack has the machine. */
export type HostErrorKind =
  | "unreachable"
  | "refused"
  | "resolve"
  | "banner"
  | "hostKeyUnknown"
  | "hostKeyChanged"
  | "auth"
  | "identity"
  | "sudo"
  | "noShell"
  | "notLinux"
  | "ssh"
  | "lost"
  | "timeout"
  | "cancelled"
  | "busy"
  | "owned"
  | "agent";

/** One sentence that says what is wrong and how to cure it; never a secret. */
export class HostError extends Error {
  override readonly name = "HostError";

  constructor(
    readonly kind: HostErrorKind,
    message: string,
  ) {
    super(message);
  }

  /** True when the host did not answer at all, so that it may simply be down. */
  get offline(): boolean {
    return ["unreachable", "refused", "resolve", "banner"].includes(this.kind);
  }
}

/** The last line that ssh wrote, which names the host that failed where bastions are on the way. */
const lastLine = (stderr: string): string =>
  stderr
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !/^(Warning: Permanently added|Connection closed by UNKNOWN)/.test(line))
    .at(-1)
    ?.slice(0, 300) ?? "ssh said nothing";

type Row = [pattern: RegExp, kind: HostErrorKind, message: (who: string, c: Connection, stderr: string) => string];

/**
 * What OpenSSH writes under LC_ALL=C (sshconnect.c, ssh.c, packet.c, kex.c) and sudo(8); the first that matches counts,
 * so what is certain comes before what is a consequence (a bastion's failure ends the outer ssh with "closed" as well).
 */
const rows: Row[] = [
  [
    /REMOTE HOST IDENTIFICATION HAS CHANGED|[Nn]o matching host key type found/,
    "hostKeyChanged",
    (who, c, stderr) => {
      const shown = /(SHA256:[A-Za-z0-9+/]{43})/.exec(stderr)?.[1];
      const cure = c.hostKey
        ? "if the host was rebuilt, set connection.hostKey to its new key (on its console: cat /etc/ssh/ssh_host_ed25519_key.pub)"
        : `if the host was rebuilt, remove the old key with ssh-keygen -R ${c.port === 22 ? c.host : `'[${c.host}]:${c.port}'`} and record the new one`;
      return `${who} shows another host key${shown ? ` (${shown})` : ""} than the one that ${c.hostKey ? "connection.hostKey pins" : "known_hosts has"}; somebody may be listening in between: ${cure}`;
    },
  ],
  [
    /Host key verification failed|No \S+ host key is known/,
    "hostKeyUnknown",
    (who) =>
      `nobody vouches for the host key of ${who}: set connection.hostKey to the host's own key (on its console: cat /etc/ssh/ssh_host_ed25519_key.pub), or connect once with ssh and compare the fingerprint`,
  ],
  [
    /Too many authentication failures/,
    "auth",
    (who) =>
      `${who} closed the door after too many keys: name the right one in ssh_config (IdentityFile with IdentitiesOnly yes), or give fewer identities`,
  ],
  [
    /Permission denied \(|No supported authentication methods/,
    "auth",
    (who, c, stderr) =>
      `${who} accepts none of the keys on offer (${lastLine(stderr)}): put a public key into ~${c.user}/.ssh/authorized_keys there, load its private key into your ssh-agent, or set the provider's identities`,
  ],
  [
    /Could not resolve hostname/,
    "resolve",
    (who, _c, stderr) =>
      `the name of ${who} does not resolve (${lastLine(stderr)}): correct connection.host or give an address`,
  ],
  [
    /Connection timed out during banner exchange|banner exchange: .*timed out/,
    "banner",
    (who, c) =>
      `${who} takes the TCP connection but sent no SSH greeting within ${c.connectTimeout} s: it is overloaded (raise connection.connectTimeout), or something other than sshd listens on port ${c.port}`,
  ],
  [
    /Connection refused/,
    "refused",
    (who, c, stderr) =>
      `${who} refuses TCP port ${c.port} (${lastLine(stderr)}): start sshd there, or correct connection.port`,
  ],
  [
    /Connection timed out|Operation timed out|No route to host|Network is unreachable|Host is down/,
    "unreachable",
    (who, c, stderr) =>
      `${who} cannot be reached (${lastLine(stderr)}): is it up, is the address right, and does a firewall let TCP port ${c.port} through from here?`,
  ],
  [
    /^sudo: /m,
    "sudo",
    (who, c, stderr) =>
      `${who} may not use sudo without a password (${lastLine(stderr)}): write "${c.user} ALL=(ALL) NOPASSWD: ALL" to a file in /etc/sudoers.d there, or connect as root`,
  ],
  [
    /: (sh|sudo): (command )?not found|(sh|sudo): No such file|exec: (sh|sudo): /,
    "noShell",
    (who, _c, stderr) =>
      `${who} logs in, but has no sh, or no sudo (${lastLine(stderr)}): install it, or connect as a user who has it`,
  ],
];

const broken = /(kex|ssh)_exchange_identification|Connection (closed|reset) by|Broken pipe/;

/** sshd drops connections at random while MaxStartups of them are logging in (sshd_config(5)): worth another attempt. */
export const isTooManyStartups = (stderr: string): boolean =>
  /(kex|ssh)_exchange_identification: .*(closed by remote host|reset by peer)/i.test(stderr) &&
  !rows.some(([pattern]) => pattern.test(stderr));

/** Why an ssh process ended before its session was ready. */
export function connectError(connection: Connection, stderr: string, stdout: string): HostError {
  const who = describeConnection(connection);
  for (const [pattern, kind, message] of rows) {
    if (pattern.test(stderr)) return new HostError(kind, `${message(who, connection, stderr)}.`);
  }
  if (broken.test(stderr)) {
    return new HostError(
      "refused",
      `${who} closed the connection before the login (${lastLine(stderr)}): look at sshd's log there; MaxStartups, an access list or a full disk do this.`,
    );
  }
  const answer = lastLine(`${stdout}\n${stderr}`);
  if (/^(ssh|command-line|\S*ssh_config|\S*\.ssh\/config|Bad owner|nsenter)[: ]/m.test(stderr)) {
    return new HostError("ssh", `ssh cannot connect to ${who} (${answer}): try the same with ssh by hand.`);
  }
  return new HostError(
    "noShell",
    `${who} logs in, but no POSIX shell answers there (${answer}): give the user /bin/sh as login shell and no forced command, or connect as another user.`,
  );
}
