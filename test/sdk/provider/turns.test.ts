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
