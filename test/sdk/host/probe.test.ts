/** Packets that several ask one host for: who goes together, and who is told what. */
import { Connection, type Probe } from "../../../sdk/host";
import { Probes } from "../../../sdk/host/probe";
import type { Operation, Session } from "../../../sdk/host/session";

const to = (address: string, sizes = [1420]): Probe => ({
  ...{ device: "mesh", address, carriers: [{ port: 11002, headers: 40 }], sizes },
});
const answer = (address: string, bytes = 1400) => `${bytes} bytes from ${address}: icmp_seq=1 ttl=64 time=0.9 ms\n`;

/** A host that answers, when its turn comes, what it is told to; and what it was asked. */
function host(...answers: { code?: number; stdout: string }[]) {
  const asked: string[] = [];
  let last: Promise<unknown> = Promise.resolve();
  const session = {
    connection: Connection.parse({ host: "203.0.113.5" }),
    runLate: (operation: () => Operation) => {
      const result = last.then(async () => {
        const { agent, input } = operation();
        asked.push(`${agent}\n${input}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
        return { code: 0, stderr: "no", stdout: "", ...answers.shift() };
      });
      last = result.catch(() => undefined);
      return result;
    },
  };
  return { probes: new Probes(session as unknown as Session), asked };
}
const section = (...answers: string[]) => ({ stdout: `\x1eanswer\n${answers.join("")}\x1eend\n` });

test("those of one moment go out together, and each is told of its own", async () => {
  const { probes, asked } = host(section(answer("10.0.0.2"), answer("10.0.0.4", 44)));
  const all = [probes.probe([to("10.0.0.2"), to("10.0.0.3")]), probes.probe([to("10.0.0.4", [64, 1420])])];
  const [one, other] = await Promise.all(all);
  expect(asked).toEqual([
    "probe\nmesh 10.0.0.2 11002:40 1420\nmesh 10.0.0.3 11002:40 1420\nmesh 10.0.0.4 11002:40 64 1420",
  ]);
  expect([one?.answered, other?.answered]).toEqual([[[1420], []], [[64]]]);
});

test("those who come while it is at work go together after that", async () => {
  const { probes, asked } = host(section(), section(answer("10.0.0.3")));
  const first = probes.probe([to("10.0.0.2")]);
  await new Promise((resolve) => setTimeout(resolve, 10));
  const later = [probes.probe([to("10.0.0.3")]), probes.probe([to("10.0.0.4")])];
  expect((await first).answered).toEqual([[]]);
  expect((await Promise.all(later)).map(({ answered }) => answered)).toEqual([[[1420]], [[]]]);
  expect(asked.map((it) => it.split("\n").length - 1)).toEqual([1, 2]);
});

test("why it cannot be asked is told to all; who is cancelled waits for nobody", async () => {
  const { probes } = host({ code: 127, stdout: "" });
  const ended = new AbortController();
  const one = probes.probe([to("10.0.0.2")]);
  const other = probes.probe([to("10.0.0.3")], { signal: ended.signal });
  ended.abort();
  await expect(other).rejects.toMatchObject({ kind: "cancelled" });
  await expect(one).rejects.toThrow(/attempt to send packets from it ended with code 127 \(no\)/);
});
