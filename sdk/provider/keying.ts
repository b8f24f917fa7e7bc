/** Whether the two ends of a link exchange keys, after a change and at a refresh. */
import { setTimeout as sleep } from "node:timers/promises";
import { HostError, type RunOptions } from "../host";
import type { Exchange, Keying } from "../kernel";
import { agreed, HEALTHY, health } from "../rosenpass";
import type { Machine } from "./machine";

/**
 * Seconds for the first key: the start of both, and a try more of a side that calls in vain at first. Where one of the two has
 * waited in vain for somebody else's, or the other end is not ours to start, as much as it takes when all is well.
 */
const [FIRST, SOON] = [20, 3];
/**
 * Seconds from the own first key until both ends have set the same; where nothing passes before, used it, too. Two whose calls
 * have crossed need another exchange.
 */
const SAME = 8;
/** Milliseconds between looks: at first, and when it is late, after so many. */
const [PAUSE, LATE, LOOKS] = [200, 1000, 10];
const pauseAfter = (waited: number): number => (waited < LOOKS * PAUSE ? PAUSE : LATE);

/** The machines at both ends. */
export interface Ends {
  own: Machine;
  /** Name of the own node. */
  node: string;
  /** Absent: somebody else's. */
  other?: Machine | undefined;
}

type Seen = Record<string, Exchange | undefined>;

async function look({ name, to }: Keying, { own, node, other }: Ends, options: RunOptions): Promise<Seen> {
  const at = async (machine: Machine): Promise<Exchange | undefined> => {
    try {
      return (await machine.look([`rosenpass ${name}`], options)).exchanges[name];
    } catch (error) {
      if (!(error instanceof HostError) || error.kind === "cancelled") throw error;
      return undefined;
    }
  };
  const [near, far] = await Promise.all([at(own), other && at(other)]);
  return { [node]: near, ...(other && { [to]: far }) };
}

/** As both ends say. */
export const healthOf = async (keying: Keying, ends: Ends, options: RunOptions): Promise<string> =>
  health(await look(keying, ends, options));

/** What is known of the hosts of one run, so that a host whose UDP nobody lets in is waited for once. */
export class FirstKeys {
  /** Names of those who have waited in vain, and of those who have exchanged a key. */
  readonly #vain = new Set<string>();
  readonly #exchanged = new Set<string>();

  #patience(names: readonly string[]): number {
    return names.some((it) => this.#vain.has(it) && !this.#exchanged.has(it)) ? SOON : FIRST;
  }

  /**
   * Waits for the first key after a change of either end: whether all have it, how they are, and the seconds that it was
   * given. By short looks, for others have to do with the same hosts. Throws HostError.
   */
  async wait(
    keying: Keying,
    ends: Ends,
    options: RunOptions,
  ): Promise<{ agree: boolean; health: string; seconds: number }> {
    const names = [ends.node, keying.to];
    const patience = () => (ends.other ? this.#patience(names) : SOON);
    /** What has been waited, with one pause more. */
    const pause = async (waited: number): Promise<number> => {
      const time = pauseAfter(waited);
      await sleep(time, undefined, { ...(options.signal && { signal: options.signal }) });
      return waited + time;
    };
    let fresh = await isFresh(keying, ends, options);
    for (let waited = 0; !fresh && waited < patience() * 1000; fresh = await isFresh(keying, ends, options))
      waited = await pause(waited);
    let seen = await look(keying, ends, options);
    const isUp = () => agreed(seen) && (!keying.strict || health(seen) === HEALTHY);
    for (let waited = 0; fresh && !isUp() && waited < SAME * 1000; seen = await look(keying, ends, options))
      waited = await pause(waited);
    // A key of the daemon that ran before says nothing of this one.
    if (!fresh) seen = { ...seen, [ends.node]: { ...seen[ends.node], protected: false, exchanged: undefined } };
    const [agree, seconds] = [agreed(seen), patience()];
    if (ends.other) for (const name of names) (agree ? this.#exchanged : this.#vain).add(name);
    return { agree, health: health(seen), seconds };
  }
}

const isFresh = async ({ name }: Keying, { own }: Ends, options: RunOptions): Promise<boolean> =>
  (await own.look([`rosenpass ${name}`], options)).exchanges[name]?.fresh === true;

/** What to look at, for people. */
export const keyless = ({ device, strict, way }: Keying, health: string, seconds: number): string =>
  `No post-quantum key was exchanged for ${device} within ${seconds} s: ${health}. ${way} does not arrive, or no answer comes ` +
  "back: let it in where it goes, in the security group of a cloud, on a router, in a firewall of the machine's own. " +
  `Until then ${strict ? "nothing passes" : "packets pass without such a key"}.`;
