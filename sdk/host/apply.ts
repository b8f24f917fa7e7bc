import { randomBytes } from "node:crypto";
import type { Command } from "../kernel/fact";
import { put } from "../kernel/file";
import type { Snapshot } from "../kernel/snapshot";
import { agent, stepsAgent } from "./agents";
import { describeConnection } from "./connection";
import { HostError } from "./errors";
import { type Operation, type RunOptions, type Session, together } from "./session";
import type { Result } from "./shell";
import { agentError, glancing, looking, parseSections, parseSnapshot, type Seen } from "./snapshot";

export interface Change {
  commands: Command[];
  /** What the snapshot afterwards must look at, see `snapshot`. */
  queries: string[];
  /** The stack (`project/stack`) and its former names: when the host says another owner, HostError `owned`. */
  owners?: string[];
  /** A file under /etc/overlay/boot.d, written (or removed: null) after all commands, atomically. */
  boot?: { file: string; content: string | null };
  /**
   * For a change that may cut off this session: what leads back from it. The host carries that out by itself UNDO_AFTER
   * seconds after the change, unless it is confirmed over a new login; files go, and what it boots from is written,
   * only then.
   */
  undo?: Command[];
  /** With `undo`: rejects where new logins to other hosts, which the change may cut off as well, do not work. */
  others?: () => Promise<unknown>;
}

export interface Applied {
  failed?: Failure;
  /** The host has taken it back: no new login came through in time. */
  takenBack?: true;
  snapshot: Snapshot;
}

/** Seconds after an unconfirmed change until the host takes it back. */
export const UNDO_AFTER = 15;
/** Seconds to try to log in: long enough to hear that it was taken back. */
export const PATIENCE = UNDO_AFTER + 10;

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
const UNARMED = 78;

/** Seconds for the longest of changes: packages are installed. */
const LIMIT = 600;

/** What is done on a host at once: changes of the same owners, all of them with `undo` or none. */
export interface Round {
  changes: Change[];
  /** What the look afterwards must see, see `snapshot`. */
  queries: string[];
  /** Of all who wait for it. */
  options: RunOptions[];
  /** What will do of what is to be seen, where nothing is changed; `queries` are the rest. */
  seen?: Seen;
}

/** What became of a round. */
export interface AllApplied extends Pick<Applied, "takenBack" | "snapshot"> {
  /** By the number of the change, from 1. */
  failures: Map<number, Failure>;
  /** What the snapshot was read from. */
  seen: Seen;
}

/**
 * Carries out changes under the host's lock, each up to its own first command that fails, then looks at the host: one
 * round trip; where there are none, looks only. `round` is asked when the host's turn has come. Throws HostError when
 * nothing was done, or when it is not known what was done (kind `lost`, `timeout`, `cancelled`).
 */
export async function carriedOut(session: Session, round: () => Round): Promise<AllApplied> {
  const result = await session.runLate(() => {
    const { changes, queries, options, seen } = round();
    if (changes.length === 0) return { ...(seen ? glancing : looking)(queries), ...together(options, {}) };
    const steps = changes.flatMap((one) => [...stepsOf(one), "."]);
    const input = [...header(session, changes), "undo", ...steps, ...queries].join("\n");
    return { agent: "apply", input, ...together(options, { timeout: LIMIT }) };
  });
  return applied(session, result, round());
}

const header = ({ runId }: Session, changes: Change[]): string[] => [
  `run ${runId} ${changes.length}`,
  `owners ${(changes[0]?.owners ?? []).join(" ")}`,
];

// What others boot from goes when there is what takes its place.
const stepsOf = ({ commands, boot }: Change): Command[] =>
  boot ? [...commands.filter((it) => !isRetirement(it)), bootStep(boot), ...commands.filter(isRetirement)] : commands;

const isRetirement = (step: Command): boolean => /^(retire|systemctl disable wg-quick@)/.test(step);

/**
 * The same of changes that have to be confirmed, which costs one new login for all of them: where it does not come
 * through, all are taken back (kind `unconfirmed`).
 */
export async function confirmed(session: Session, round: () => Round): Promise<AllApplied> {
  const id = randomBytes(8).toString("hex");
  let changed = false;
  const confirm = async (result?: Result) => {
    changed = true;
    await Promise.all(round().changes.map(({ others }) => others?.()));
    return { agent: "confirm", input: confirmation(session, id, round(), result) };
  };
  try {
    const { first, second } = await session.runAnew(() => armed(session, id, round()), confirm, PATIENCE);
    const before = first && applied(session, first, round());
    const after = applied(session, second ?? first, round());
    return { ...after, failures: new Map([...after.failures, ...(before?.failures ?? [])]) };
  } catch (error) {
    if (!changed || !(error instanceof HostError) || error.kind === "cancelled") throw error;
    const who = describeConnection(session.connection);
    throw new HostError(
      "unconfirmed",
      `The change to ${who} lets no new login in (${error.message}) ${who} takes it back by itself, ${UNDO_AFTER} s after it was made: run again then, or look there: journalctl -u 'overlay-undo-*'`,
    );
  }
}

/** What waits for the confirmation. */
const isLater = (step: Command): boolean =>
  /^(remove|put \d+ \/etc\/overlay\/boot\.d\/)/.test(step) || isRetirement(step);

/** What was changed last is taken back first. */
function armed(session: Session, id: string, { changes, queries, options }: Round): Operation & RunOptions {
  const script = Buffer.from(`${stepsAgent()}\n${agent("undo.sh")}`).toString("base64");
  const back = changes.toReversed().flatMap(({ undo = [] }) => undo);
  const now = changes.flatMap((one) => [...stepsOf(one).filter((step) => !isLater(step)), "."]);
  const arming = [`undo ${id} ${UNDO_AFTER} ${script}`, ...back, "."];
  const input = [...header(session, changes), ...arming, ...now, ...queries].join("\n");
  return { agent: "apply", input, ...together(options, { timeout: LIMIT }) };
}

function confirmation({ runId }: Session, id: string, { changes, queries }: Round, result?: Result): string {
  const sections = result && parseSections(result.stdout);
  // What did not come to its end, or is not known to have, is not what the host is to boot from.
  const isWhole = (index: number) => sections !== undefined && !sections.has(`failed ${index + 1}`);
  const later = changes.flatMap((one, index) => [...(isWhole(index) ? stepsOf(one).filter(isLater) : []), "."]);
  return [`${id} ${runId} ${changes.length}`, ...later, ...queries].join("\n");
}

/** What an agent that ends with a snapshot said. Throws HostError. */
function applied(session: Session, { code, stdout, stderr }: Result, { changes, queries, seen }: Round): AllApplied {
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
      `${who} belongs to the stack ${stdout.trim()}, not to ${changes[0]?.owners?.[0]}: destroy it there first, or list that name in "formerly" if this stack was called so.`,
    );
  }
  if (code === UNARMED) {
    throw new HostError(
      "unarmed",
      `${who} could not be made to take the change back by itself (${stderr.trim().slice(-300)}), and it may cut off this run's own way to it, so nothing was changed: it needs systemd-run, and room in /run.`,
    );
  }
  if (code !== 0) throw agentError(session, changes.length > 0 ? "change it" : "look at it", code, stderr);
  const all = { text: `${seen?.text ?? ""}${stdout}`, queries: [...(seen?.queries ?? []), ...queries] };
  const snapshot = parseSnapshot(all.text, all.queries);
  const sections = parseSections(stdout);
  const failures = [...sections]
    .filter(([name]) => name.startsWith("failed "))
    .map(([name, text]) => [Number(name.slice("failed ".length)), failure(text, snapshot)] as const);
  return { failures: new Map(failures), ...(sections.has("takenBack") && { takenBack: true }), snapshot, seen: all };
}

function bootStep({ file, content }: NonNullable<Change["boot"]>): Command {
  const path = `/etc/overlay/boot.d/${file}`;
  return content === null ? `remove ${path}` : put(path, content);
}

function failure(section: string, seen: Snapshot): Failure {
  const [code = "", command = "", ...rest] = section.split("\n");
  const stderr = rest.join("\n").trim();
  return { command, code: Number(code), stderr, message: explain(command, Number(code), stderr, seen) };
}

/** Exit code of timeout(1). */
const TOO_LONG = 124;
const NOT_FOUND = 127;

/** All others that a command names are somebody else's. */
const OWN_TABLE = /^nft \w+ \w+ \w+ overlay/;

function explain(command: Command, code: number, stderr: string, seen: Snapshot): string {
  const said = stderr.replace(/\s*\n\s*/g, "; ") || `code ${code}`;
  const tool = command.split(" ", 1)[0] ?? "";
  const program = { genkey: "wg" }[tool] ?? tool;
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
        /Unknown device type|Protocol not supported/.test(stderr) ||
          (seen.host.wireguard === "none" && /^systemctl start overlay-wireguard-go@/.test(command)),
        "the kernel has no WireGuard: install wireguard-go, or load the module",
      ],
      [
        // A node that installed it a moment ago: one that was there is refused by its version, sdk/node/faults.ts.
        tool === "nft" && /unexpected oifkind/.test(stderr),
        "this nft is too old, 0.9.4 or later is needed: upgrade the host's system (Debian 11, Ubuntu 22.04 and all later ones have it)",
      ],
      [/libsodium/.test(stderr), "Rosenpass needs libsodium: apt-get install libsodium23"],
      [
        tool === "nft" && !OWN_TABLE.test(command) && /No such file or directory/.test(stderr),
        "its chain is gone, which is not ours: bring it back (`systemctl restart nftables`, where that makes it), or name the one that is there now in the node's `firewallChain` or `forwardChain`",
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
