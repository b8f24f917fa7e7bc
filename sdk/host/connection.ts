import { z } from "zod";
import { checkedString } from "../faults";
import { isHop } from "./bastions";

/** ssh would read a leading `-` as an option, ssh_config expands `%`, and nothing of a shell's belongs into a name. */
const word = (legal: string, holds = (_: string) => true) =>
  checkedString((value) =>
    /^[^\s\-%"'`$\\;&|<>][^\s%"'`$\\;&|<>]*$/.test(value) && holds(value)
      ? undefined
      : { legal, cure: "write it as on ssh's command line, without quotes and white space" },
  );

/** `TYPE BASE64 [COMMENT]`, sshd(8), "AUTHORIZED_KEYS FILE FORMAT". */
const PUBLIC_KEY = /^(ssh|ecdsa-sha2|sk)-\S+ [A-Za-z0-9+/]+={0,2}( .*)?$/;

const hostKey = checkedString((value) =>
  PUBLIC_KEY.test(value.trim())
    ? undefined
    : {
        legal: "one public key of the host, like ssh-ed25519 AAAA…",
        cure: "on the host's console: cat /etc/ssh/ssh_host_ed25519_key.pub",
      },
).transform((value) => value.trim());

/** How the tool reaches a host. The OpenSSH client does the work: ssh_config, agents, certificates, bastions all count. */
export const Connection = z.strictObject({
  host: word("a host name, an address, or a Host of ssh_config").describe(
    "Name, address, or a Host of your ssh_config. Example: 203.0.113.5",
  ),
  port: z.int().min(1).max(65535).default(22).describe("TCP port of sshd. Default: 22. Example: 2222"),
  user: word("a user name")
    .optional()
    .describe(
      "Login name; others than root need sudo without a password. Default: as ssh has it, your ssh_config's User or else " +
        "your own name. Example: root",
    ),
  hostKey: hostKey
    .optional()
    .describe("The host's public key, pinned. Default: your known_hosts decides, strictly. Example: ssh-ed25519 AAAA…"),
  proxyJump: word("[user@]host[:port], several with commas between", (value) => value.split(",").every(isHop))
    .optional()
    .describe("Bastions, as ssh -J takes them. Default: those of ssh_config. Example: ops@192.0.2.1:2222"),
  connectTimeout: z
    .int()
    .min(1)
    .max(600)
    .default(10)
    .describe("Seconds for the TCP connection and the greeting. Default: 10. Example: 60"),
});
export type Connection = z.output<typeof Connection>;

/** `root@203.0.113.5`, with what was said of user and port: how messages name a host. */
export const describeConnection = ({ host, port, user }: Connection): string =>
  `${user ? `${user}@` : ""}${host.includes(":") && port !== 22 ? `[${host}]` : host}${port === 22 ? "" : `:${port}`}`;
