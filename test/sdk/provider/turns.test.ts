/** What is made again of a segment is made again at one member after the other. */
import { setTimeout as sleep } from "node:timers/promises";
import { Turns } from "../../../sdk/provider/turns";

test("one after the other, in the order of their names, also where one fails; other segments do not wait", async () => {
  const turns = new Turns();
  const seen: string[] = [];
  const work = (segment: string, name: string) =>
    turns.within(segment, name, async () => {
      seen.push(`${segment} ${name} begins`);
      await sleep(segment === "lan" ? 30 : 0);
      seen.push(`${segment} ${name} ends`);
      if (name === "b") throw new Error("a host that is dead");
    });
  const all = await Promise.allSettled([work("lan", "c"), work("lan", "a"), work("dmz", "x"), work("lan", "b")]);
  expect(all.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "fulfilled", "rejected"]);
  expect(seen.filter((it) => it.startsWith("lan"))).toEqual(
    ["a", "b", "c"].flatMap((name) => [`lan ${name} begins`, `lan ${name} ends`]),
  );
  expect(seen.indexOf("dmz x ends")).toBeLessThan(seen.indexOf("lan a ends"));
  await work("lan", "d");
  expect(seen.at(-1)).toBe("lan d ends");
});

test("who comes earlier by name is waited for where it is known to come, but not for ever, and not once it has failed", async () => {
  const turns = new Turns(500);
  const seen: string[] = [];
  const work = (name: string, after: number) =>
    sleep(after).then(() => turns.within("lan", name, async () => void seen.push(name)));
  for (const name of ["a", "b", "c", "d"]) turns.expect("lan", name);
  const failed = sleep(350).then(() => turns.ended("lan", "b"));
  // a is slow to answer, b fails before its turn, and e turns out to have to only on its host.
  await Promise.all([work("d", 0), work("c", 0), work("e", 0), work("a", 300), failed]);
  expect(seen).toEqual(["a", "c", "d", "e"]);
  turns.expect("lan", "f");
  const began = performance.now();
  await work("g", 0);
  expect(seen.at(-1)).toBe("g");
  expect(performance.now() - began).toBeGreaterThan(400);
});
