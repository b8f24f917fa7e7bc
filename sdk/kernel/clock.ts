/** A host's clock, as far as WireGuard minds it. */
import type { Snapshot } from "./snapshot";

/** Seconds: what was seen of a host may be minutes old when it is told, and calls go by an order in time alone. */
const MAY_DIFFER = 300;

/**
 * That a host's clock is wrong, in one sentence; none where it is not. A peer takes no call that says an earlier time than the
 * last one that it took (the WireGuard paper, section 5.1), and remembers that for as long as it has its device: whoever
 * boots in 1970 calls in vain. `here`: Unix time where Pulumi runs, seconds.
 */
export function wrongClock(node: string, { now }: Pick<Snapshot, "now">, here = Date.now() / 1000): string[] {
  if (Math.abs(now - here) <= MAY_DIFFER) return [];
  const says = `The clock of ${node} says ${new Date(now * 1000).toISOString()}, which is`;
  const cure = `\`timedatectl set-ntp true\` on ${node}, by a time server that no link leads to, or \`date -s @${Math.round(here)}\` for now`;
  return [
    now < here
      ? `${says} behind: others take no call of ${node}'s that says an earlier time than one before it, so a link by which ${node} alone calls is silent until the clock is right: ${cure}.`
      : `${says} ahead: when it is right again, others take no call of ${node}'s until it is as late as now, unless their device is made anew. Set it right soon: ${cure}.`,
  ];
}
