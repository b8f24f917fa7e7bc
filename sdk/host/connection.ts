import { z } from "zod";

/** `TYPE BASE64 [COMMENT]`, as in a host's /etc/ssh/ssh_host_*_key.pub. */
const hostKeyPattern = /^(ssh-|ecdsa-sha2-|sk-)\S+ [A-Za-z0-9+/]+={0,2}( .*)?$/;

/** No leading `-`, so that ssh never reads a name as an option; nothing that a shell or ssh_config would expand. */
const word = (what: string) =>
  z.string().regex(/^[^\s\-%"'`$\\;&|<>][^\s%"'`$\\;&|<>]*$/, `${what} without white space, not beginning with "-"`);

/** How the tool reaches a host. The OpenSSH client does the work: ssh_config, agents, certificates, bastions all count. */
export const Connection = z.strictObject({
  host: word("a host name, an address or a Host of ssh_config").describe(
    "Name, address, or a Host of your ssh_config.",
  ),
  port: z.int().min(1).max(65535).default(22).describe("TCP port of sshd."),
  user: word("a user name").default("root").describe("Login name; others than root need sudo without a password."),
  hostKey: z
    .string()
    .trim()
    .regex(hostKeyPattern, "one line of a *.pub file: ssh-ed25519 AAAA…")
    .optional()
    .describe("The host's public key, pinned. Absent: your known_hosts decides, strictly."),
  proxyJump: word("[user@]host[:port], several joined by commas")
    .optional()
    .describe("Bastions, as ssh -J takes them."),
  connectTimeout: z.int().min(1).max(600).default(10).describe("Seconds for the TCP connection and the greeting."),
});
export type Connection = z.output<typeof Connection>;

/** `root@203.0.113.5`, with the port where it is not 22: how messages name a host. */
export const describeConnection = ({ host, port, user }: Connection): string =>
  `${user}@${host.includes(":") && port !== 22 ? `[${host}]` : host}${port === 22 ? "" : `:${port}`}`;
