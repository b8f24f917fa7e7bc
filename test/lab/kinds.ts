/** The kinds of hosts that a lab has, and what differs between them. */
import type { Break } from "./breaks";
import { container } from "./container";
import type { Host, Topology } from "./topology";
import { vm } from "./vm";

export interface Kind {
  /** The words before a command that is to run on a host; nothing while there is no way in. */
  enter(lab: string, host: string): string[] | undefined;
  /** What the host has in these files. Empty: it has no such file, or does not answer. */
  read(lab: string, host: string, files: readonly string[]): Promise<string[]>;
  /** Milliseconds between two looks while it boots: a look costs a vm some of its one processor. */
  every: number;
  /** Writes down what plugs the host in when it boots. */
  writeCables(lab: string, topology: Topology, host: string, breaks: readonly Break[]): void;
  /** Makes the cables of a host that runs be as these breaks have them. */
  changeCables(
    lab: string,
    topology: Topology,
    host: string,
    before: readonly Break[],
    after: readonly Break[],
  ): Promise<void>;
  /** Ends a host at once: what it had not synced to its disk is lost. */
  cutPower(lab: string, topology: Topology, host: string): Promise<void>;
}

const kinds: Record<Host["kind"], Kind> = { container, vm };

export const kindOf = (topology: Topology, host: string): Kind => kinds[topology.hosts[host]?.kind ?? "container"];
