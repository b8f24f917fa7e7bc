/** The readers of segments, on what real tools printed. */
import { changes, type Fact, live, type Snapshot, text } from "../../../sdk/kernel";
import { expectGolden } from "../golden";
import { captured, capturedFile, segments } from "./captured";

const host = { wireguard: "kernel" } as const;
const commands = (snapshot: Snapshot, facts: readonly Fact[] = segments) =>
  changes(live(snapshot, facts), facts, host).commands;

test("what was just applied is read back as what was wanted, and nothing is to be done", () => {
  const fresh = captured("segments", segments);
  expect(text(live(fresh, segments))).toBe(text(segments));
  expect(commands(fresh)).toEqual([]);
});

test("drift by hand: every line that differs, and the commands that mend it", () => {
  const drifted = captured("segments-drifted", segments);
  const [is, should] = [text(live(drifted, segments)).split("\n"), text(segments).split("\n")];
  const diff = [
    ...should.filter((line) => !is.includes(line)).map((line) => `- ${line}`),
    ...is.filter((line) => !should.includes(line)).map((line) => `+ ${line}`),
  ];
  expectGolden(capturedFile("segments-drifted.diff.txt"), `${diff.join("\n")}\n`);
  expectGolden(capturedFile("segments-drifted.commands.txt"), `${commands(drifted).join("\n")}\n`);
});
