/** What lies on the way to a host: bastions, or whatever else ssh_config has in place of a TCP connection. */
import type { Row, Said } from "./errors";

/** A word for sh, which ssh has run a ProxyCommand, and for ssh itself, which expands `%`. */
const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''").replaceAll("%", "%%")}'`;

/** `[user@]host[:port]` or the same as a URI, as ssh -J takes it; an IPv6 address in brackets. */
const HOP = /^(?:ssh:\/\/)?(?:([^@,]+)@)?(?:\[([^\]@,]+)\]|([^@,:[\]]+))(?::(\d{1,5}))?$/;
export const isHop = (text: string): boolean => HOP.test(text);

/**
 * The options by which ssh goes through bastions. What -J starts knows the user's files and nothing of our options: it
 * would ask questions, take a bastion whose key nobody knows where ssh_config allows it, and wait for minutes.
 */
export function through(ssh: string[], bastions: string[], options: string[]): string[] {
  const [, user, address, name, port] = HOP.exec(bastions.at(-1) ?? "") ?? [];
  const host = address ?? name;
  if (host === undefined) return [];
  const words = [...ssh, ...options, ...through(ssh, bastions.slice(0, -1), options)];
  const destination = [...(user ? ["-l", user] : []), ...(port ? ["-p", port] : []), "--", host];
  const command = [...words.map(quoted), "-W '[%h]:%p'", ...destination.map(quoted)].join(" ");
  return ["-o", `ProxyCommand=${command}`];
}

/** ssh has no name for the other end of a command's pipe (canohost.c, get_peer_port). */
export const isProxied = (stderr: string): boolean => /UNKNOWN port 65535/.test(stderr);

/** The far ssh found nobody at the end of its command's pipe: what was said before that is the command's own. */
const ended = /^(kex|ssh)_exchange_identification: [\s\S]*^Connection (closed|reset) by UNKNOWN port 65535/m;

/** Where the way is declared. */
const place = ({ connection: { proxyJump } }: Said): string => (proxyJump ? "connection.proxyJump" : "ssh_config");
const bastion = ({ target, connection: { proxyJump } }: Said): string => {
  const several = proxyJump?.includes(",") ? "one of the bastions" : "bastion";
  return `${proxyJump ? `${several} ${proxyJump}` : "the bastion (ssh_config's ProxyJump or ProxyCommand)"} on the way to ${target}`;
};

/** What the bastion's sshd answers when it is asked to connect further (sshd's channels.c and serverloop.c). */
const forwarding: Row[] = [
  [
    /open failed: connect failed: .*(not known|name resolution|No address associated)/,
    "resolve",
    (said) =>
      `${bastion(said)} cannot resolve the name of the host (${said.line}): give connection.host as an address that holds there`,
  ],
  [
    /open failed: connect failed: Connection refused/,
    "refused",
    (said) =>
      `${said.who} refuses TCP port ${said.connection.port} (${said.line}): start sshd there, or correct connection.port`,
  ],
  [
    /open failed: connect failed/,
    "unreachable",
    (said) =>
      `${bastion(said)} cannot reach the host (${said.line}): look whether it is up, the address right, and TCP port ${said.connection.port} open from there`,
  ],
  [
    /open failed: |stdio forwarding failed/,
    "ssh",
    (said) =>
      `${bastion(said)} does not let connections through (${said.line}): allow it there (AllowTcpForwarding and PermitOpen of sshd_config), or go another way`,
  ],
];

/** What a bastion's own ssh says of it. */
const own: Row[] = [
  [
    /REMOTE HOST IDENTIFICATION HAS CHANGED|no matching host key type found/,
    "hostKeyChanged",
    (said) => {
      const shown = /SHA256:[A-Za-z0-9+/]{43}/.exec(said.stderr)?.[0];
      const name = /^Host key for (\S+) has changed/m.exec(said.stderr)?.[1] ?? "NAME";
      return `${bastion(said)} shows another host key${shown ? ` (${shown})` : ""} than the one that known_hosts has; somebody may be listening in between: only if the bastion was rebuilt, remove the old key with ssh-keygen -R '${name}' and record the new one`;
    },
  ],
  [
    /Host key verification failed|No \S+ host key is known/,
    "hostKeyUnknown",
    (said) =>
      `nobody vouches for the host key of ${bastion(said)} (${said.line}): known_hosts has to have it, for connection.hostKey is the host's own; connect once to the bastion with ssh and compare the fingerprint`,
  ],
  [
    /Too many authentication failures|Permission denied \(|No supported authentication methods/,
    "auth",
    (said) =>
      `${bastion(said)} accepts none of the keys on offer (${said.line}): put a public key into its user's ~/.ssh/authorized_keys there, or name the user and the key in ssh_config`,
  ],
  [
    /Could not resolve hostname/,
    "resolve",
    (said) => `the name of ${bastion(said)} does not resolve (${said.line}): correct ${place(said)}`,
  ],
  [
    /timed out during banner exchange|banner exchange: .*timed out/,
    "banner",
    (said) =>
      `${bastion(said)} takes the TCP connection but sent no SSH greeting (${said.line}): it is overloaded (raise connection.connectTimeout), or something other than sshd listens there`,
  ],
  [
    /Connection refused/,
    "refused",
    (said) => `${bastion(said)} refuses the connection (${said.line}): start sshd there, or correct ${place(said)}`,
  ],
  [
    /Connection timed out|Operation timed out|No route to host|Network is unreachable|Host is down/,
    "unreachable",
    (said) => `${bastion(said)} cannot be reached (${said.line}): look whether it is up, and ${place(said)} right`,
  ],
];

const silent: Row = [
  /timed out during banner exchange|banner exchange: .*timed out/,
  "banner",
  (said) =>
    `no SSH greeting of ${said.target} came by way of ${said.way} in time (${said.line}): look whether the bastion is up and reaches the host, and whether the host is up`,
];

/** What counts before everything else where something is on the way. */
export function onTheWay(stderr: string): Row[] {
  if (!isProxied(stderr)) return [];
  return ended.test(stderr) ? [...forwarding, ...own] : [silent];
}
