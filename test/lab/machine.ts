/** The life of a host's machine: starting it, rebooting it, cutting its power, and what it still lacks while it boots. */
import { spawn } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import ipaddr from "ipaddr.js";
import * as ip from "../../sdk/network/address";
import { hostFolder, SOURCES } from "./files";
import * as groups from "./groups";
import type { Kind } from "./kinds";
import { run, until } from "./run";
import type { Topology } from "./topology";

/** Milliseconds that a host may take to boot; a container takes about one second on an idle machine, a vm six. */
export const BOOT_LIMIT = 60_000;

const text = (path: string): string => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
};

function process(lab: string, host: string, file: "supervisor" | "machine"): number | undefined {
  const pid = Number(text(join(hostFolder(lab, host), file)));
  return pid > 0 && groups.holds(lab, host, pid) ? pid : undefined;
}

/** The process that keeps a host going from boot to boot. */
export const supervisor = (lab: string, host: string): number | undefined => process(lab, host, "supervisor");

/** The process that is the host's machine; another one after each boot. */
export const machine = (lab: string, host: string): number | undefined => process(lab, host, "machine");

/** Whether the kernel still holds a disk in this folder: it lets go a moment after the last process of its host. */
export const holdsDisk = (folder: string): boolean =>
  readdirSync("/sys/block").some((device) => text(`/sys/block/${device}/loop/backing_file`).startsWith(`${folder}/`));

const rows = (file: string | undefined): string[][] => (file ?? "").split("\n").map((line) => line.trim().split(/\s+/));

/** Hexadecimal, as /proc/net/if_inet6 writes addresses. */
const hex = (address: string): string => Buffer.from(ipaddr.parse(address).toByteArray()).toString("hex");

/** A host of a lab, and what its network looks like when it is set up. */
export interface Subject {
  lab: string;
  host: string;
  kind: Kind;
  addresses: readonly string[];
  gateways: readonly string[];
}

const ANSWER = "an answer from inside";

/** What a host still lacks before it can be logged in to: sshd that listens, or a part of its network. proc_net(5). */
export async function lacks({ lab, host, kind, addresses, gateways }: Subject): Promise<string[]> {
  if (kind.enter(lab, host) === undefined) return ["a running init"];
  const files = ["tcp", "tcp6", "fib_trie", "if_inet6", "route", "ipv6_route"];
  const read = await kind.read(lab, host, files);
  if (read.every((file) => file === "")) return [ANSWER];
  const [tcp, tcp6, trie = "", inet6, route, route6] = read;
  const LISTEN = "0A";
  const listens = [tcp, tcp6].flatMap(rows).some(([, local, , state]) => local?.endsWith(":0016") && state === LISTEN);
  const v6 = rows(inet6).map(([address]) => address);
  const routed = rows(route).some(([, destination]) => destination === "00000000");
  const routed6 = rows(route6).some(
    ([to, length, , , , , , , , device]) => /^0+$/.test(to ?? "") && length === "00" && device !== "lo",
  );
  const isV6 = (address: string): boolean => ip.family(address) === "inet6";
  return [
    ...(listens ? [] : ["an sshd that listens"]),
    ...addresses.filter((one) => !(isV6(one) ? v6.includes(hex(one)) : trie.includes(`|-- ${one}\n`))),
    ...gateways.filter((one) => !(isV6(one) ? routed6 : routed)).map((one) => `a default route via ${one}`),
  ];
}

/** The last lines that a host wrote to its console. */
const console = (lab: string, host: string): string =>
  text(join(hostFolder(lab, host), "log"))
    .trimEnd()
    .split("\n")
    .slice(-30)
    .join("\n");

async function ready(subject: Subject, limit: number, ended: () => boolean): Promise<void> {
  const { lab, host, kind } = subject;
  let missing: string[] = [];
  const look = async (): Promise<boolean> => {
    missing = ended() ? [] : await lacks(subject);
    return missing.length === 0;
  };
  const inTime = await until(limit, look, kind.every);
  if (inTime && !ended()) return;
  if (ended()) {
    throw new Error(`${host} of lab ${lab} ended while it booted. Its console said:\n${console(lab, host)}`);
  }
  const inside = missing.includes(ANSWER) ? ["false"] : (kind.enter(lab, host) ?? ["false"]);
  const asked = [...inside, "sh", "-c", "systemctl list-jobs; journalctl --no-pager --lines 30"];
  const { stdout } = await run(asked, { timeout: 5_000 });
  throw new Error(
    `${host} of lab ${lab} lacks ${missing.join(", ")} after ${limit / 1000} s. Its console said:\n${console(lab, host)}\n${stdout}`,
  );
}

/** Starts a host that is off, and waits until it can be logged in to. */
export async function start(
  subject: Subject,
  words: readonly string[],
  limit: number,
  signal?: AbortSignal,
): Promise<void> {
  const { lab, host } = subject;
  groups.make(lab, host);
  const log = openSync(join(hostFolder(lab, host), "log"), "a");
  // In a session of its own: it outlives this process.
  const child = spawn("sh", [join(SOURCES, "host.sh"), lab, host, ...words], {
    detached: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  child.unref();
  let ended = false;
  child.on("exit", () => {
    ended = true;
  });
  await ready(subject, limit, () => {
    signal?.throwIfAborted();
    return ended;
  });
}

/** Reboots a host as its administrator would, and waits until it can be logged in to. */
export async function reboot(subject: Subject, limit: number, order: () => Promise<unknown>): Promise<void> {
  const { lab, host } = subject;
  const before = machine(lab, host);
  await order();
  if (!(await until(limit, () => machine(lab, host) !== before))) {
    throw new Error(`${host} of lab ${lab} does not go down: it was told to reboot ${limit / 1000} s ago`);
  }
  await ready(subject, limit, () => supervisor(lab, host) === undefined);
}

/** Cuts a host's power: what it had not synced to its disk is lost. */
export async function cutPower(lab: string, topology: Topology, host: string, kind: Kind): Promise<void> {
  await kind.cutPower(lab, topology, host);
  for (const file of ["supervisor", "machine"]) rmSync(join(hostFolder(lab, host), file), { force: true });
}
