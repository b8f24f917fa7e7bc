/**
 * What a host is told, as data. A technology plans facts; a kind knows the words of one sort of fact: how it reads
 * in ip(8), wg(8), nft(8), how it is found in a snapshot, and which commands lead from what is to what is wanted.
 */
import type { Snapshot } from "./snapshot";

/** One thing that a host is told. */
export interface Fact<T = unknown> {
  /** Name of the kind, a key of `kinds`. */
  kind: string;
  /** Unique among the facts of this kind on a host, for example `inter-lux fe80::2/64`. */
  key: string;
  value: T;
  /** Id (`kind key`) of the fact that this one stands on: when that goes, this goes with it. */
  after?: string;
}

/** `kind key`, unique on a host. */
export const factId = (fact: Pick<Fact, "kind" | "key">): string => `${fact.kind} ${fact.key}`;

/**
 * One step for a host: a line of the small language that sdk/host/agents/steps.sh carries out. The first word is the
 * tool (`ip`, `wg`, `nft`, `sysctl`, `systemctl`, …) and the line is that tool's own words, or one of the few verbs
 * that no tool has (`put`, `remove`, `genkey`, `restore`, …). No shell ever parses it.
 */
export type Command = string;

/** What the commands depend on and the text does not. */
export interface HostFacts {
  /** Where WireGuard runs on this host: in the kernel, or as wireguard-go under a unit. */
  wireguard: "kernel" | "userspace";
}

export interface Kind<T> {
  /** The identity of a value among its kind on one host. */
  key(value: T): string;
  /** The tools' own words, one fact a line; shown by preview and replayed at boot. */
  lines(value: T): string[];
  /** True when a reboot loses it: its lines then belong in the boot file. */
  volatile: boolean;
  /** What the snapshot must look at besides links, addresses, routes, rules, WireGuard and our nft tables. */
  queries?(value: T): string[];
  /** The live value, or undefined. What the host may choose (a roamed endpoint, a PSK) is taken from `wanted`. */
  read(snapshot: Snapshot, key: string, wanted?: T): T | undefined;
  /** Every live value of this kind on a device that is ours, so that what nobody declared shows as drift. */
  on?(snapshot: Snapshot, device: string): T[];
  /** Every live value with a mark of ours among things of others, so that all go with the node. */
  all?(snapshot: Snapshot): T[];
  /** Why the live thing may not be touched, in one sentence, or undefined when it is ours. */
  foreign?(live: T): string | undefined;
  /** What nobody wants any more is removed only after everything else is done: others lean on it, or take its place. */
  lingers?: boolean;
  /** The fewest commands from `live` to `wanted`; "again" means: remove it, then add it and all that stands on it. */
  set(live: T | undefined, wanted: T | undefined, host: HostFacts): Command[] | "again";
}
