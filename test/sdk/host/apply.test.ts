/** What a command that failed is told as: the sentence that somebody reads at night. The output is that of real tools. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { apply, Connection, HostError, type Session } from "../../../sdk/host";

const seen = readFileSync(join(__dirname, "captured/snapshot.out"), "utf8");

/** The message about a command, its exit code and what the tool said. */
async function told(command: string, code: number, said: string, look = seen): Promise<string | undefined> {
  const session: Session = {
    connection: Connection.parse({ host: "203.0.113.5" }),
    runId: "f00d",
    run: () => Promise.reject(new Error("everything waits for its turn")),
    runLate: async (operation) => {
      operation();
      return { code: 0, stdout: `\n\x1efailed 1\n${code}\n${command}\n${said}\n${look}`, stderr: "" };
    },
    runAnew: () => Promise.reject(new Error("there is nothing to confirm")),
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
  [
    'nft insert rule inet filter input udp dport 11002 accept comment "overlay:net/prod:lux-fra"',
    1,
    "/dev/stdin:1:25-29: Error: Could not process rule: No such file or directory",
    /its chain is gone, which is not ours: bring it back .* `firewallChain` or `forwardChain`/,
  ],
  [
    'nft add rule inet overlay guard meta mark & 0xff == 0x6f meta oifkind { "tun", "wireguard" } jump nested',
    1,
    "/dev/stdin:4:59-65: Error: syntax error, unexpected oifkind, known keys are length, protocol, nfproto",
    /this nft is too old, 0\.9\.4 or later is needed: upgrade the host's system \(Debian 11, Ubuntu 22\.04/,
  ],
  ["ip addr add 10.255.0.1/32 dev inter-fra", 2, "RTNETLINK answers: Operation not permitted", /CAP_NET_ADMIN/],
  ["put 0644 /etc/overlay/owner", 1, "sync: No space left on device", /the disk is full: make room/],
  [KEY, 127, "timeout: failed to run command 'wg'", /has no wg: install it \(apt-get install wireguard-tools\)/],
])("%s: %i %s", async (command, code, said, cure) => {
  const message = await told(command, code, said);
  expect(message?.startsWith(`\`${command}\` failed (${said}): `)).toBe(true);
  expect(message).toMatch(cure);
});

test("where a module does not load, what is missing is wireguard-go, and not its unit", async () => {
  const none = seen.replace("\x1ewireguard\nuserspace", "\x1ewireguard\nnone");
  expect(none).not.toBe(seen);
  const said = "Job for overlay-wireguard-go@inter-fra.service failed.";
  expect(await told("systemctl start overlay-wireguard-go@inter-fra.service", 1, said, none)).toMatch(
    /the kernel has no WireGuard: install wireguard-go, or load the module/,
  );
});

describe("a change that may cut off its session", () => {
  const commands = ["sysctl -w net/ipv4/ip_forward=1", "remove /etc/overlay/x"];
  const change = {
    commands,
    queries: [],
    undo: ["sysctl -w net/ipv4/ip_forward=0"],
    boot: { file: "a", content: "b" },
  };
  const FAILED = `\n\x1efailed 1\n1\n${commands[0]}\nno\n`;
  const put = "put 0644 /etc/overlay/boot.d/a b";

  /** What the host is given, first and over the new login, where it answers so. `undefined`: the connection broke. */
  async function given(first: string | undefined, second: string | Error, others?: () => Promise<unknown>) {
    const inputs: string[][] = [];
    const answer = (stdout: string) => ({ code: 0, stdout: `${stdout}${seen}`, stderr: "" });
    const session: Session = {
      connection: Connection.parse({ host: "203.0.113.5" }),
      runId: "f00d",
      run: () => Promise.reject(new Error("everything goes over two logins")),
      runLate: () => Promise.reject(new Error("everything goes over two logins")),
      runAnew: async (one, other) => {
        const result = first === undefined ? undefined : answer(first);
        inputs.push(one().input.split("\n"));
        inputs.push((await other(result)).input.split("\n"));
        if (second instanceof Error) throw second;
        return { ...(result && { first: result }), second: answer(second) };
      },
    };
    const applied = await apply(session, { ...change, ...(others && { others }) }).catch((error: HostError) => error);
    return { applied, armed: inputs[0] ?? [], confirmed: inputs[1]?.slice(1) };
  }

  test("is handed over with what leads back; files go, and the boot file comes, with the confirmation", async () => {
    const { applied, armed, confirmed } = await given("\n", "\n");
    expect(armed[2]).toMatch(/^undo [0-9a-f]{16} 15 \S+$/);
    expect([...armed.slice(0, 2), ...armed.slice(3)]).toEqual([
      "run f00d 1",
      "owners ",
      change.undo[0],
      ".",
      commands[0],
      ".",
    ]);
    expect(confirmed).toEqual([commands[1], put, "."]);
    expect(Object.keys(applied)).toEqual(["snapshot"]);
  });

  test("what failed, or is not known to have been done, is not what the host is to boot from", async () => {
    const failed = await given(FAILED, "\n");
    expect(failed).toMatchObject({ confirmed: ["."], applied: { failed: { command: commands[0] } } });
    expect((await given(undefined, "\n")).confirmed).toEqual(["."]);
  });

  test("that was taken back is said; that nobody could confirm is an error", async () => {
    expect((await given("\n", "\x1etakenBack\n")).applied).toMatchObject({ takenBack: true });
    const { applied } = await given("\n", new HostError("refused", "sshd is not there."));
    expect(applied).toMatchObject({ kind: "unconfirmed", message: expect.stringContaining("(sshd is not there.)") });
  });

  test("is not confirmed where another host lets nobody in any more", async () => {
    const others = () => Promise.reject(new HostError("unreachable", "fra cannot be reached."));
    const { applied, confirmed } = await given("\n", "\n", others);
    expect(confirmed).toBeUndefined();
    expect(applied).toMatchObject({
      kind: "unconfirmed",
      message: expect.stringContaining("(fra cannot be reached.)"),
    });
  });
});
