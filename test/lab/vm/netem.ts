/** Delay, jitter, loss, reordering and rate, in the words of tc-netem(8). Pure. */
import type { Break } from "../breaks";
import { segmentName } from "../breaks";
import type { Topology } from "../topology";
import { devices } from "./cables";

const TIME = /^\d+(\.\d+)?(us|ms|s)$/;
const PERCENT = /^(100(\.0+)?|\d{1,2}(\.\d+)?)%$/;
const RATE = /^\d+(\.\d+)?(bit|kbit|mbit|gbit)$/;

/** What follows a word: what must, and what may. */
const GRAMMAR: Record<string, { must: RegExp; may: RegExp[]; form: string }> = {
  delay: { must: TIME, may: [TIME, PERCENT], form: "delay TIME [JITTER [CORRELATION%]]" },
  loss: { must: PERCENT, may: [PERCENT], form: "loss PERCENT% [CORRELATION%]" },
  duplicate: { must: PERCENT, may: [PERCENT], form: "duplicate PERCENT% [CORRELATION%]" },
  corrupt: { must: PERCENT, may: [PERCENT], form: "corrupt PERCENT% [CORRELATION%]" },
  reorder: { must: PERCENT, may: [PERCENT], form: "reorder PERCENT% [CORRELATION%], with a delay" },
  rate: { must: RATE, may: [], form: "rate RATE" },
};

const LEGAL = `${Object.values(GRAMMAR)
  .map(({ form }) => form)
  .join("; ")}; times like 40ms, percentages like 1%, rates like 10mbit (tc-netem(8))`;

/** Why these are no words for netem, or undefined when they are. */
export function fault(text: string): string | undefined {
  const words = text.split(" ");
  const wrong = (found: string | undefined): string =>
    `netem ${JSON.stringify(text)}: ${found === undefined ? "its end comes too early" : `found ${JSON.stringify(found)}`}, legal is ${LEGAL}`;
  const seen = new Set<string>();
  while (words.length > 0) {
    const keyword = words.shift() ?? "";
    const rule = GRAMMAR[keyword];
    if (!rule || seen.has(keyword)) return wrong(keyword);
    seen.add(keyword);
    if (!rule.must.test(words[0] ?? "")) return wrong(words[0]);
    words.shift();
    for (const may of rule.may) {
      if (!may.test(words[0] ?? "")) break;
      words.shift();
    }
  }
  if (seen.has("reorder") && !seen.has("delay")) return `${wrong("reorder")}: what is not reordered is delayed`;
  return undefined;
}

/** Why netem cannot be had at a place, or undefined when it can: it is the vms' kernel's, and acts on what they send. */
export function placeFault(topology: Topology, target: string): string | undefined {
  const vms = Object.keys(topology.hosts).filter((host) => topology.hosts[host]?.kind === "vm");
  const there =
    target in topology.hosts
      ? [target]
      : Object.keys(topology.hosts).filter((host) => topology.hosts[host]?.segment.includes(segmentName(target)));
  const containers = there.filter((host) => !vms.includes(host));
  if (there.length > 0 && containers.length === 0) return undefined;
  const why = there.length === 0 ? `${target} has no hosts` : `${containers.join(" and ")} is a container`;
  return `netem is of the kernel that a vm has of its own, and ${why}; the vms of this lab: ${vms.join(", ") || "none"}`;
}

/** What is broken in this way at a vm, by interface. Of several breaks at one, the last counts. */
export function netems(topology: Topology, host: string, breaks: readonly Break[]): Record<string, string> {
  const here = breaks.filter((one) => one.kind === "netem");
  return Object.fromEntries(
    here.flatMap(({ target, words }) => {
      if (target in topology.hosts && target !== host) return [];
      const at = target === host ? devices(topology, host) : devices(topology, host, segmentName(target));
      return at.map((device) => [device, words]);
    }),
  );
}
