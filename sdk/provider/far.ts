/**
 * The far half of a link. A host judges what a change does to its own SSH; that of a host at the other end, reached by an
 * address of the overlay, may go with it. The run knows these by the connections that it was told.
 */
import { type Connection, HostError, type RunOptions } from "../host";
import { type Changed, exposedBeyond, type Fact, type Snapshot } from "../kernel";
import { address } from "../network/address";
import { connectionOf } from "./inputs";
import type { Machine } from "./machine";
import { hasUnknown, type Values } from "./wire";

/** A host, and the device of another one by which it is reached. */
export interface Far {
  machine: Machine;
  device: string;
}

export class FarHosts {
  readonly #connections = new Map<string, Connection>();

  constructor(private readonly reach: (connection: Connection) => Machine) {}

  /** Notes where a resource's inputs say that its host is. Names are not resolved: they are the underlay's. */
  learn({ connection }: Values): void {
    if (connection === undefined || hasUnknown(connection)) return;
    const known = connectionOf({ connection });
    const at = address(known.host);
    if (at !== undefined) this.#connections.set(at, known);
  }

  /** Those to which a device leads that changes, whoever goes that way. Asks nobody. */
  led(live: readonly Fact[], changed: readonly Changed[]): Far[] {
    return exposedBeyond([...this.#connections.keys()], live, changed).map(({ address, device }) => ({
      machine: this.reach(this.#connections.get(address) as Connection),
      device,
    }));
  }

  /** Of these, those that answer now, and whose session comes from the host that is seen or is forwarded by it. */
  async through(
    seen: Snapshot,
    live: readonly Fact[],
    changed: readonly Changed[],
    { signal }: RunOptions,
  ): Promise<Far[]> {
    const own = new Set(seen.addrs.flatMap(({ addr_info }) => addr_info.map(({ local }) => local)));
    const forwards = live.some(({ kind, key }) => kind === "sysctl" && /\/forwarding$/.test(key));
    const found = await Promise.all(
      this.led(live, changed).map(async (far) => {
        const its = await there(far.machine, { ...(signal && { signal }) });
        return its && (forwards || !its.ssh || own.has(its.ssh.client)) ? [far] : [];
      }),
    );
    return found.flat();
  }
}

/** Who does not answer cannot be cut off. */
const there = (machine: Machine, options: RunOptions): Promise<Snapshot | undefined> =>
  machine.look([], options).catch((error: unknown) => {
    if (!(error instanceof HostError) || error.kind === "cancelled") throw error;
    return undefined;
  });
