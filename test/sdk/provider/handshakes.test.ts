/** Who waits for whose answers after a change, and what is said of those that do not come. */

import type { Called } from "../../../sdk/host";
import { parseSnapshot } from "../../../sdk/host/snapshot";
import { type Call, type End, type Snapshot, silence, silent } from "../../../sdk/kernel";
import { Handshakes } from "../../../sdk/provider/handshakes";
import type { Machine } from "../../../sdk/provider/machine";

const call = (to: string, more: Partial<Call> = {}): Call => ({
  device: "wg0",
  publicKey: to,
  to,
  endpoint: `${{ fra: "198.51.100.9", hkg: "192.0.2.7" }[to]}:11001`,
  other: `mesh@${to}`,
  ...more,
});
const end = (calls: Call[], called = true): End => ({ name: "mesh@lux", from: "lux", called, calls });

/** lux was started a day ago. */
const NOW = 1795258787;

/** lux's device, with the time of each peer's latest handshake. */
function seen(handshakes: Record<string, number>, bytes = 0, keepalive = "off"): Snapshot {
  const peers = Object.entries(handshakes).map(
    ([key, at]) => `wg0\t${key}\t(none)\t(none)\t(none)\t${at}\t${bytes}\t0\t${keepalive}\n`,
  );
  return parseSnapshot(
    `\x1euptime\n86400.12 7.5\n\x1efile\n555 /proc/self/ ${NOW}\n\x1emachine\n1\n\x1ewg\nwg0\t(hidden)\tlux\t11001\t0x6f\n${peers.join("")}\x1eend\n`,
    [],
  );
}

type Asked = Machine & { asked: string[][]; again: string[] };

/** A machine whose peers answer never, or after so many questions, what they were asked, and who was called again. */
function machine(answers: Record<string, { after?: number; bytes?: number }>): Asked {
  const [asked, again]: [string[][], string[]] = [[], []];
  return {
    asked,
    again,
    unanswered: async (_: string, peers: readonly Called[]) => {
      const keys = peers.map(({ publicKey }) => publicKey);
      asked.push(keys);
      const left = keys.filter((key) => asked.length <= (answers[key]?.after ?? 9));
      again.push(...peers.flatMap((peer) => (peer.again && answers[peer.publicKey]?.bytes ? [peer.publicKey] : [])));
      return new Map(left.map((key) => [key, answers[key]?.bytes ?? 0]));
    },
  } as unknown as Asked;
}

const NONE = seen({ fra: 0, hkg: 0 });
/** What is said of those who have not answered in the end. */
async function told(handshakes: Handshakes, one: End, before: Set<string>, host: Machine): Promise<string | undefined> {
  const calls = await handshakes.made(one, before, NONE, host, {});
  return calls.length === 0 ? undefined : silence(one, calls, NONE);
}
const pauses = jest.fn();
jest.mock("node:timers/promises", () => ({ setTimeout: async (pause: number) => void (pause > 0 && pauses(pause)) }));
beforeEach(() => pauses.mockClear());

test("a handshake that has come is nothing to wait for, nor are those whom nobody calls", () => {
  expect(silent(end([call("fra"), call("hkg")]), seen({ fra: NOW, hkg: 0 }))).toEqual([call("hkg")]);
  expect(silent(end([]), NONE)).toEqual([]);
  expect(silent(end([call("fra")]), seen({}))).toEqual([]);
  expect(silent(end([call("fra")]), seen({ fra: 0 }, 148))).toEqual([]);
});

describe("a session that is dead", () => {
  const { other: _, ...foreign } = call("fra");
  const told = (seconds: number, one = call("fra"), keepalive = "25") =>
    silent(end([one]), seen({ fra: NOW - seconds }, 9000, keepalive));

  test("is told, with how long ago it was renewed", () => {
    expect(told(206)).toEqual([{ ...call("fra"), since: 206 }]);
    const said = (seconds: number) => silence(end([]), told(seconds), NONE);
    expect(said(206)).toContain(
      "from lux to fra does not arrive at 198.51.100.9, or no answer comes back: no handshake for 3 minutes.",
    );
    expect(said(7200)).toContain("no handshake for 2 hours.");
    const both = [...told(7300), call("hkg")];
    expect(silence(end([]), both, NONE)).toContain(
      "fra (198.51.100.9:11001, no handshake for 2 hours), hkg (192.0.2.7:11001, no handshake yet)",
    );
  });
  test.each<[string, Call[]]>([
    ["where it is to be renewed by the next packet", told(205)],
    ["without a keepalive: nobody may have had anything to say", told(7200, call("fra"), "off")],
    ["of somebody else's machine, which may sleep", told(7200, foreign)],
    ["of the future: the clock was set back", told(-7200)],
    ["of before the start: the clock was set forward", told(90_000)],
  ])("is not %s", (_, calls) => expect(calls).toEqual([]));
});

describe("who is called and does not answer", () => {
  test("is waited for where it was there before, and told", async () => {
    const host = machine({});
    const said = await told(new Handshakes(), end([call("fra")]), new Set(["mesh@fra"]), host);
    expect(said).toMatch(/^UDP 11001 from lux to fra does not arrive at 198\.51\.100\.9, /);
    expect(pauses.mock.calls.flat().reduce((sum: number, pause: number) => sum + pause)).toBeLessThan(6000);
  });
  test("is waited for once, though there are many, and not again in the same run", async () => {
    const [handshakes, host] = [new Handshakes(), machine({})];
    const before = new Set(["mesh@fra", "mesh@hkg"]);
    const said = await told(handshakes, end([call("fra"), call("hkg")]), before, host);
    expect(said).toContain(
      "UDP from lux does not arrive at fra (198.51.100.9:11001, no handshake yet), hkg (192.0.2.7:11001, no handshake yet), or",
    );
    pauses.mockClear();
    expect(await told(handshakes, end([call("hkg")]), before, host)).toContain("to hkg");
    expect(pauses).not.toHaveBeenCalled();
  });
  test("may be somebody else's, whom nobody here makes", async () => {
    const { other: _, ...foreign } = call("fra");
    expect(await told(new Handshakes(), end([foreign]), new Set(), machine({}))).toContain("to fra");
  });
  test("is left in peace where it is still to be made", async () => {
    const host = machine({});
    expect(await told(new Handshakes(), end([call("fra")]), new Set(), host)).toBeUndefined();
    expect(host.asked).toEqual([]);
  });
  test("and answers at once costs one question and no pause", async () => {
    const host = machine({ fra: { after: 0 } });
    const before = new Set(["mesh@fra"]);
    expect(await told(new Handshakes(), end([call("fra")]), before, host)).toBeUndefined();
    expect(host.asked).toEqual([["fra"]]);
    expect(pauses).not.toHaveBeenCalled();
  });
});

describe("who came up in the same moment", () => {
  async function said(bytes: number, called: boolean, host = machine({ fra: { bytes } })): Promise<string | undefined> {
    const handshakes = new Handshakes();
    const first = machine({});
    await handshakes.made({ ...end([call("lux")]), name: "mesh@fra" }, new Set(), seen({ lux: 0 }), first, {});
    expect(first.asked).toEqual([]);
    return told(handshakes, end([call("fra")], called), new Set(), host);
  }
  test("has called by itself: silence is told", async () => expect(await said(0, true)).toContain("to fra"));
  test("and was heard: the calls have crossed, the later one calls again, and nobody waits", async () => {
    const host = machine({ fra: { bytes: 148 } });
    expect(await said(148, true, host)).toBeUndefined();
    expect(host.again).toEqual(["fra"]);
    expect(pauses).not.toHaveBeenCalled();
  });
  test("and cannot call here may have come too late to hear", async () => expect(await said(0, false)).toBeUndefined());
});

test("an end that needs no change is there", () => {
  const handshakes = new Handshakes();
  handshakes.unchanged(() => "mesh@fra");
  expect([...handshakes.ready()]).toEqual(["mesh@fra"]);
});

test("what else is known is said: that there is no way to it", () => {
  const lost = { ...NONE, ways: { "198.51.100.9": undefined } };
  expect(silence(end([call("fra")]), [call("fra")], lost)).toContain("lux has no route to 198.51.100.9.");
});
