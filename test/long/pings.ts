/** Minutes of 500 pings a second by two links, while a third comes, changes and goes. */
import { type Change, linkChanges, nodeChanges } from "../bench/changes";
import { fullMesh } from "../bench/network";
import { Traffic } from "../bench/pings";
import { Stack } from "../bench/stack";
import type { Lab } from "../lab";
import { oneOf, onLab, type Trial } from "./trial";

const changes: Record<string, Change> = {
  nothing: (network) => network,
  ...linkChanges,
  ...nodeChanges,
};

const ping = (minutes: number) => (lab: Lab) =>
  Stack.whileUp(lab, fullMesh(lab), async (stack) => {
    const network = fullMesh(lab);
    const done: { title: string; began: number }[] = [];
    const traffic = await Traffic.start(lab);
    const end = Date.now() + minutes * 60_000;
    while (Date.now() < end) {
      const [title, change] = oneOf(Object.entries(changes));
      done.push({ title, began: Date.now() });
      await stack.up(change(network));
    }
    const { sent, lost, rate, gaps } = await traffic.stop();
    if (lost > 0) {
      const during = gaps.map((gap) => done.findLast(({ began }) => began <= gap)?.title ?? "the start");
      throw new Error(`${lost} of ${sent} lost, during: ${[...new Set(during)].join(", ")}`);
    }
    return `${done.length} changes, ${sent} pings (${rate.toFixed(0)} a second and link), none lost`;
  });

export const pings = (minutes: number): Trial => ({
  title: `${minutes} minutes of pings while a link comes, changes and goes`,
  mustBe: "none lost",
  run: () => onLab(ping(minutes)),
});
