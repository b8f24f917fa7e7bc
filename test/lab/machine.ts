/** A host's machine: its processes, what /proc shows of its network, starting it and cutting its power. */
import { spawn } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import ipaddr from "ipaddr.js";
import * as ip from "../../sdk/network/address";
import { hostFolder } from "./files";
import * as groups from "./groups";
import { must, run, until } from "./run";
import { namespace } from "./wires";

/** This folder in the sources: scripts and topologies are not compiled. */
export const SOURCES = __dirname.replace(/\/dist\/test\/lab$/, "/test/lab");

/** Milliseconds that a host may take to boot; it takes about one second on an idle machine. */
const BOOT_LIMIT = 60_000;

const text = (path: string): string => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
};

function process(lab: string, host: string, file: "supervisor" | "nspawn"): number | undefined {
  const pid = Number(text(join(hostFolder(lab, host), file)));
  return pid > 0 && groups.holds(lab, host, pid) ? pid : undefined;
}

/** The process that keeps a host going from boot to boot. */
export const supervisor = (lab: string, host: string): number | undefined => process(lab, host, "supervisor");

/** The process that is the host's machine; another one after each boot. */
export const nspawn = (lab: string, host: string): number | undefined => process(lab, host, "nspawn");

/** The host's init. */
export function init(lab: string, host: string): number | undefined {
  const parent = nspawn(lab, host);
  if (parent === undefined) return undefined;
  const [child] = text(`/proc/${parent}/task/${parent}/children`).trim().split(" ");
  return child ? Number(child) : undefined;
}

/** Whether the kernel still holds a disk in this folder: it lets go a moment after the last process of its host. */
export const holdsDisk = (folder: string): boolean =>
  readdirSync("/sys/block").some((device) => text(`/sys/block/${device}/loop/backing_file`).startsWith(`${folder}/`));

const rows = (path: string): string[][] =>
  text(path)
    .split("\n")
    .map((line) => line.trim().split(/\s+/));

/** Hexadecimal, as /proc/net/if_inet6 writes addresses. */
const hex = (address: string): string => Buffer.from(ipaddr.parse(address).toByteArray()).toString("hex");

/** What a host's network looks like when it is set up. */
export interface Network {
  addresses: readonly string[];
  gateways: readonly string[];
}

/** What a host still lacks before it can be logged in to: sshd that listens, or a part of its network. proc_net(5). */
export function lacks(lab: string, host: string, { addresses, gateways }: Network): string[] {
  const pid = init(lab, host);
  if (pid === undefined) return ["a running init"];
  const net = `/proc/${pid}/net`;
  const LISTEN = "0A";
  const listens = ["tcp", "tcp6"]
    .flatMap((file) => rows(join(net, file)))
    .some(([, local, , state]) => local?.endsWith(":0016") && state === LISTEN);
  const trie = text(join(net, "fib_trie"));
  const v6 = rows(join(net, "if_inet6")).map(([address]) => address);
  const routed = rows(join(net, "route")).some(([, destination]) => destination === "00000000");
  const routed6 = rows(join(net, "ipv6_route")).some(
    ([to, length, , , , , , , , device]) => /^0+$/.test(to ?? "") && length === "00" && device !== "lo",
  );
  const isV6 = (address: string): boolean => ip.family(address) === "inet6";
  return [
    ...(listens ? [] : ["an sshd that listens"]),
    ...addresses.filter((one) => !(isV6(one) ? v6.includes(hex(one)) : trie.includes(`|-- ${one}\n`))),
    ...gateways.filter((one) => !(isV6(one) ? routed6 : routed)).map((one) => `a default route via ${one}`),
  ];
}

async function ready(lab: string, host: string, network: Network, ended: () => boolean): Promise<void> {
  const isReady = (): boolean => ended() || lacks(lab, host, network).length === 0;
  const inTime = await until(BOOT_LIMIT, isReady);
  if (inTime && !ended()) return;
  const console = text(join(hostFolder(lab, host), "log")).slice(-2000);
  if (ended()) throw new Error(`${host} of lab ${lab} ended while it booted. Its console said:\n${console}`);
  const missing = lacks(lab, host, network).join(", ");
  const inside = ["nsenter", "--target", String(init(lab, host) ?? 0), "--all", "--", "sh", "-c"];
  const { stdout } = await run([...inside, "systemctl list-jobs; journalctl --no-pager --lines 30"], {
    timeout: 5_000,
  });
  throw new Error(`${host} of lab ${lab} lacks ${missing} after ${BOOT_LIMIT / 1000} s. It says:\n${console}${stdout}`);
}

/** Starts a host that is off, and waits until it can be logged in to. */
export async function start(
  lab: string,
  host: string,
  rootfs: string,
  network: Network,
  signal?: AbortSignal,
): Promise<void> {
  groups.make(lab, host);
  const log = openSync(join(hostFolder(lab, host), "log"), "a");
  // In a session of its own: it outlives this process.
  const child = spawn("sh", [join(SOURCES, "host.sh"), lab, host, rootfs], {
    detached: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  child.unref();
  let ended = false;
  child.on("exit", () => {
    ended = true;
  });
  await ready(lab, host, network, () => {
    signal?.throwIfAborted();
    return ended;
  });
}

/** Reboots a host as its administrator would, and waits until it can be logged in to. */
export async function reboot(
  lab: string,
  host: string,
  network: Network,
  order: () => Promise<unknown>,
): Promise<void> {
  const before = nspawn(lab, host);
  await order();
  if (!(await until(BOOT_LIMIT, () => nspawn(lab, host) !== before))) {
    throw new Error(`${host} of lab ${lab} does not go down: it was told to reboot ${BOOT_LIMIT / 1000} s ago`);
  }
  await ready(lab, host, network, () => supervisor(lab, host) === undefined);
}

/** Cuts a host's power: what it had not synced to its disk is lost. */
export async function cutPower(lab: string, host: string): Promise<void> {
  const folder = hostFolder(lab, host);
  const machine = nspawn(lab, host);
  if (machine !== undefined) {
    await must(["perl", join(SOURCES, "cut-power.pl"), join(`/proc/${machine}/root`, folder, "disk")]);
  }
  await groups.kill(lab, host);
  for (const file of ["supervisor", "nspawn"]) rmSync(join(folder, file), { force: true });
  await run(["ip", "netns", "delete", namespace(lab, host)]);
}
