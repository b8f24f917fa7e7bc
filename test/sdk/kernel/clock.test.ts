/** What is said of a host whose clock is wrong, and that nothing is said of one that is a little late. */
import { wrongClock } from "../../../sdk/kernel";

const HERE = Date.UTC(2026, 10, 30, 12) / 1000;
const said = (now: number): string[] => wrongClock("lux", { now }, HERE);

test("in 1970, with what that does to links and what to run", () => {
  expect(said(100)).toEqual([
    "The clock of lux says 1970-01-01T00:01:40.000Z, which is behind: others take no call of lux's that says an earlier time than " +
      "one before it, so a link by which lux alone calls is silent until the clock is right: `timedatectl set-ntp true` on lux, " +
      "by a time server that no link leads to, or `date -s @1796040000` for now.",
  ]);
});

test("in the future, too: what comes of it comes later", () => {
  expect(said(HERE + 3600)).toEqual([
    "The clock of lux says 2026-11-30T13:00:00.000Z, which is ahead: when it is right again, others take no call of lux's until " +
      "it is as late as now, unless their device is made anew. Set it right soon: `timedatectl set-ntp true` on lux, by a time " +
      "server that no link leads to, or `date -s @1796040000` for now.",
  ]);
});

test("nothing of some minutes: what is told may have been seen a while ago", () => {
  expect([said(HERE - 300), said(HERE), said(HERE + 300)]).toEqual([[], [], []]);
});
