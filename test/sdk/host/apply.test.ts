/** What a command that failed is told as: the sentence that somebody reads at night. The output is that of real tools. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { apply, Connection, type Session } from "../../../sdk/host";

const seen = readFileSync(join(__dirname, "captured/snapshot.out"), "utf8");

/** The message about a command, its exit code and what the tool said. */
async function told(command: string, code: number, said: string): Promise<string | undefined> {
  const session: Session = {
    connection: Connection.parse({ host: "203.0.113.5" }),
    run: async () => ({ code: 0, stdout: `\n\x1efailed\n${code}\n${command}\n${said}\n${seen}`, stderr: "" }),
  };
  return (await apply(session, { commands: [command], queries: [] })).failed?.message;
}

const KEY = "wg set inter-fra listen-port 11002 fwmark 0x6f private-key /etc/overlay/keys/wireguard.key";
const ADDRESS = "ip addr add fe80::1/64 dev inter-fra";

test.each([
  [KEY, 1, "Unable to modify interface: Address already in use", /another program has the UDP port/],
  [
    KEY.replace("inter-fra", "inter-hkg"),
    1,
    "Unable to modify interface: Address already in use",
    /inter-fra has the UDP port: give that link another one in `ports`, in a run before this/,
  ],
  [KEY, 1, "Key is not the correct length or format", /holds no key: remove it, and the next run makes a new one/],
  [ADDRESS, 2, "RTNETLINK answers: Permission denied", /links need IPv6, which is switched off: set/],
  [ADDRESS, 2, "Error: ipv6: IPv6 is disabled on this device.", /links need IPv6, which is switched off: set/],
  [
    "nft add counter inet overlay link-inter-fra",
    1,
    "/dev/stdin:1:18-24: Error: No such file or directory",
    /the node's own nft table is gone/,
  ],
  ["ip addr add 10.255.0.1/32 dev inter-fra", 2, "RTNETLINK answers: Operation not permitted", /CAP_NET_ADMIN/],
  ["put 0644 /etc/overlay/owner", 1, "sync: No space left on device", /the disk is full: make room/],
  [KEY, 127, "timeout: failed to run command 'wg'", /has no wg: install it \(apt-get install wireguard-tools\)/],
])("%s: %i %s", async (command, code, said, cure) => {
  const message = await told(command, code, said);
  expect(message?.startsWith(`\`${command}\` failed (${said}): `)).toBe(true);
  expect(message).toMatch(cure);
});
