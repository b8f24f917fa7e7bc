/** What is made again of a segment is made again at one member after the other, in the order of their names. */
import { setTimeout as sleep } from "node:timers/promises";
import { earlier, Turns } from "../../../sdk/provider/turns";

const NAMES = ["a", "b", "c", "d", "e"];
const part = (name: string, whole = "lan") => ({ whole, name, others: NAMES.filter((other) => other !== name) });

/** Members who are told to the engine by and by; `seen` is what they do. */
function segment(turns: Turns) {
  const seen: string[] = [];
  /** The engine calls for it after so many milliseconds. */
  const member = (name: string, after = 0, work = async () => {}, signal?: AbortSignal) =>
    sleep(after).then(() =>
      turns.during(() =>
        turns.within(
          part(name),
          earlier(part(name), part(name)),
          async () => {
            seen.push(name);
            await work();
            seen.push(`${name} ends`);
          },
          signal,
        ),
      ),
    );
  return { seen, member, order: () => seen.filter((it) => !it.includes(" ")) };
}

/** While it lasts, the engine has somebody at work who needs no turn. */
const host = (turns: Turns, milliseconds: number) => turns.during(() => sleep(milliseconds));

test("each waits for all that come earlier, however late those are; no two are at work at once; one that fails holds nobody", async () => {
  const turns = new Turns();
  const { seen, member } = segment(turns);
  const fails = async () => {
    throw new Error("a host that is dead");
  };
  turns.settle(part("d"));
  const all = [member("e"), member("c", 20, () => sleep(20)), member("b", 150, fails), member("a", 300)];
  const ends = await Promise.allSettled([...all, host(turns, 350)]);
  expect(ends.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "fulfilled", "fulfilled"]);
  expect(seen).toEqual(["a", "a ends", "b", "c", "c ends", "e", "e ends"]);
});

test("who turns out to need a turn has it among those who wait; other segments wait for nobody", async () => {
  const turns = new Turns();
  const { member, order } = segment(turns);
  for (const name of ["b", "c"]) turns.settle(part(name));
  const busy = host(turns, 150);
  const all = Promise.all([member("d"), member("b", 50), member("a", 100)]);
  const began = performance.now();
  await turns.within(part("e", "dmz"), [], async () => expect(order()).toEqual([]));
  expect(performance.now() - began).toBeLessThan(50);
  await Promise.all([all, busy]);
  // b was known to need none, and waits for a all the same; before d it goes because both wait.
  expect(order()).toEqual(["a", "b", "d"]);
});

test("nobody is waited for when nobody is at work: who waits by then goes, in the order of names", async () => {
  const turns = new Turns(300);
  const { member, order } = segment(turns);
  const began = performance.now();
  const all = Promise.all([member("d"), member("c"), member("e")]);
  await host(turns, 400);
  expect(order()).toEqual([]);
  await all;
  expect(order()).toEqual(["c", "d", "e"]);
  const took = performance.now() - began;
  expect(took).toBeGreaterThan(690);
  // Once for all three.
  expect(took).toBeLessThan(1_000);
});

test("a host that others have long been waiting for holds them for a while only", async () => {
  const turns = new Turns(10_000, 300);
  const { member, order } = segment(turns);
  const busy = host(turns, 600);
  turns.settle(part("a"));
  await Promise.all([member("c"), member("d", 100)]);
  expect(order()).toEqual(["c", "d"]);
  await Promise.all([member("b"), busy]);
});

test("a cancelled one goes at once, even beside another, and ends nobody's turn but its own", async () => {
  const turns = new Turns();
  const { seen, member } = segment(turns);
  const cancelled = new AbortController();
  const all = [
    member("a", 0, () => sleep(300)),
    member("b", 20, undefined, cancelled.signal),
    member("c", 20, undefined),
  ];
  await sleep(100);
  cancelled.abort();
  await Promise.all(all);
  expect(seen).toEqual(["a", "b", "b ends", "a ends", "c", "c ends"]);
});

test("only members that were there before, and still are, have something to lose", () => {
  expect(earlier(part("d"), part("d"))).toEqual(["a", "b", "c"]);
  expect(earlier(part("d"), { ...part("d"), others: ["b", "gone"] })).toEqual(["b"]);
  expect(earlier(part("d"), undefined)).toEqual([]);
});
