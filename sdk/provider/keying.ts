/** Whether the two ends of a link exchange keys, after a change and at a refresh. */
import { setTimeout as sleep } from "node:timers/promises";
import { HostError, type RunOptions } from "../host";
import type { Exchange, Keying } from "../kernel";
import { agreed, HEALTHY, health } from "../rosenpass";
import type { Machine } from "./machine";

/** Seconds for the first key: the start of both, and a try more of a side that calls in vain at first. */
const FIRST = 20;
/** Milliseconds between looks, and how many, until both ends have set the same key; where nothing passes before, used it, too. */
const [PAUSE, LOOKS] = [200, 10];

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

/** Waits for the first key after a change of either end: whether both have it, and how they are. */
export async function exchangedBy(
  keying: Keying,
  ends: Ends,
  options: RunOptions,
): Promise<{ agree: boolean; health: string }> {
  const first = await ends.own.exchanged(keying.name, FIRST, options);
  let seen = await look(keying, ends, options);
  const isUp = () => agreed(seen) && (!keying.strict || health(seen) === HEALTHY);
  for (let again = 1; first.exchanged !== undefined && !isUp() && again < LOOKS; again++) {
    await sleep(PAUSE, undefined, { ...(options.signal && { signal: options.signal }) });
    seen = await look(keying, ends, options);
  }
  return { agree: agreed(seen), health: health(seen) };
}

/** What to look at, for people. */
export const keyless = ({ device, strict, way }: Keying, health: string): string =>
  `No post-quantum key was exchanged for ${device} within ${FIRST} s: ${health}. ${way} does not arrive, or no answer comes ` +
  "back: let it in where it goes, in the security group of a cloud, on a router, in a firewall of the machine's own. " +
  `Until then ${strict ? "nothing passes" : "packets pass without such a key"}.`;
