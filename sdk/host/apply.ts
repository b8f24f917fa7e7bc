import type { Command } from "../kernel/fact";
import type { Snapshot } from "../kernel/snapshot";
import { describeConnection } from "./connection";
import { HostError } from "./errors";
import type { RunOptions, Session } from "./session";
import { agentError, parseSections, parseSnapshot } from "./snapshot";

export interface Change {
  commands: Command[];
  /** What the snapshot afterwards must look at, see `snapshot`. */
  queries: string[];
  /** The stack (`project/stack`) and its former names: when the host says another owner, HostError `owned`. */
  owners?: string[];
  /** A file under /etc/overlay/boot.d, written (or removed: null) after all commands, atomically. */
  boot?: { file: string; content: string | null };
}

export interface Failure {
  command: Command;
  /** Exit code of the tool; 124 = it took too long. */
  code: number;
  stderr: string;
  /** One sentence with the cure. */
  message: string;
}

/** Exit codes of agents/apply.sh. */
const BUSY = 75;
const OWNED = 77;

/**
 * Carries out a change under the host's lock, stops at the first command that fails, then looks at the host: one round
 * trip. Throws HostError when nothing was done, or when it is not known what was done (kind `lost`, `timeout`, `cancelled`).
 */
export async function apply(
  session: Session,
  { commands, queries, owners = [], boot }: Change,
  options?: RunOptions,
): Promise<{ failed?: Failure; snapshot: Snapshot }> {
  const steps = boot ? [...commands, bootStep(boot)] : commands;
  const input = [`owners ${owners.join(" ")}`, ...steps, ".", ...queries].join("\n");
  const { code, stdout, stderr } = await session.run("apply", input, { timeout: 600, ...options });
  const who = describeConnection(session.connection);
  if (code === BUSY) {
    throw new HostError(
      "busy",
      `another run has been changing ${who} for 30 s: wait until it has ended, then run again.`,
    );
  }
  if (code === OWNED) {
    throw new HostError(
      "owned",
      `${who} belongs to the stack ${stdout.trim()}, not to ${owners[0]}: destroy it there first, or list that name in "formerly" if this stack was called so.`,
    );
  }
  if (code !== 0) throw agentError(session, "change it", code, stderr);
  const snapshot = parseSnapshot(stdout, queries);
  const failed = failure(stdout, snapshot);
  return { ...(failed && { failed }), snapshot };
}

function bootStep({ file, content }: NonNullable<Change["boot"]>): Command {
  const path = `/etc/overlay/boot.d/${file}`;
  return content === null ? `remove ${path}` : `put 0644 ${path} ${Buffer.from(content).toString("base64")}`;
}

function failure(text: string, seen: Snapshot): Failure | undefined {
  const section = parseSections(text).get("failed");
  if (section === undefined) return undefined;
  const [code = "", command = "", ...rest] = section.split("\n");
  const stderr = rest.join("\n").trim();
  return { command, code: Number(code), stderr, message: explain(command, Number(code), stderr, seen) };
}

/** Exit code of timeout(1). */
const TOO_LONG = 124;
const NOT_FOUND = 127;

function explain(command: Command, code: number, stderr: string, seen: Snapshot): string {
  const said = stderr.replace(/\s*\n\s*/g, "; ") || `code ${code}`;
  const tool = command.split(" ", 1)[0] ?? "";
  const program = { put: "base64", genkey: "wg" }[tool] ?? tool;
  const cure = (
    [
      [code === TOO_LONG, "it did not end in time: look at the load and the log of the host"],
      [/No space left on device|Disk quota exceeded/.test(stderr), "the disk is full: make room and run again"],
      [
        /Read-only file system/.test(stderr),
        "the file system is read-only: mount it for writing (mount -o remount,rw /) and run again",
      ],
      [
        code === NOT_FOUND,
        `the host has no ${program}: install it (${packages[program] ?? program}), or let the node install packages`,
      ],
      [
        /Unknown device type|Protocol not supported/.test(stderr),
        "the kernel has no WireGuard: install wireguard-go, or load the module",
      ],
      [
        tool === "nft" && /No such file or directory/.test(stderr),
        "the node's own nft table is gone, as after `nft flush ruleset`: `pulumi refresh`, then `pulumi up` bring it back",
      ],
      [
        /not the correct length or format/.test(stderr),
        "the key file on the host holds no key: remove it, and the next run makes a new one",
      ],
      [/Address already in use/.test(stderr), portTaken(command, seen)],
      [
        // "Permission denied" up to Linux 6.2: net/ipv6/addrconf.c, addrconf_add_dev.
        /IPv6 is disabled/.test(stderr) || (/^ip addr add \S*:/.test(command) && /Permission denied/.test(stderr)),
        "links need IPv6, which is switched off: set net.ipv6.conf.default.disable_ipv6=0, and the same for this device",
      ],
      [
        /Operation not permitted|Permission denied/.test(stderr),
        "the host does not let root do that: a container needs CAP_NET_ADMIN, and /proc/sys for writing",
      ],
    ] as [boolean, string][]
  ).find(([holds]) => holds)?.[1];
  return `\`${command}\` failed (${said})${cure ? `: ${cure}` : ""}.`;
}

function portTaken(command: Command, { wg }: Snapshot): string {
  const [, device, port] = /^wg set (\S+) .*?listen-port (\d+)/.exec(command) ?? [];
  const other = wg.find((it) => it.device !== device && it.listenPort === Number(port))?.device;
  return other === undefined
    ? "another program has the UDP port: stop it, or give the link another port in `ports`"
    : `${other} has the UDP port: give that link another one in \`ports\`, in a run before this; two that swap theirs need a third in between`;
}

/** Debian's names. */
const packages: Record<string, string> = {
  wg: "apt-get install wireguard-tools",
  nft: "apt-get install nftables",
  ip: "apt-get install iproute2",
  systemctl: "this package needs systemd",
};
