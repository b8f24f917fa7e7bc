import { Answers } from "./pings";

const answer = (number: number, seconds = 0): string =>
  `[${seconds}] 64 bytes from 10.255.0.2: icmp_seq=${number} ttl=64 time=0.9 ms`;

const heard = (lines: string[]): Answers => {
  const answers = new Answers();
  for (const line of lines) answers.line(line);
  return answers;
};

test("what is missing before the last answer is lost; what comes late is not", () => {
  const answers = heard(["PING 10.255.0.2 56(84) bytes of data.", answer(2), answer(1), answer(5, 7), answer(4), ""]);
  expect(answers.last).toBe(5);
  expect([...answers.missing]).toEqual([[3, 7000]]);
});

test("an answer that comes twice counts once", () => {
  const { last, missing } = heard([answer(1), answer(2), `${answer(1)} (DUP!)`]);
  expect({ last, lost: missing.size }).toEqual({ last: 2, lost: 0 });
});

test("ping's numbers begin again after 65535", () => {
  const numbers = Array.from({ length: 140_000 }, (_, index) => index + 1).filter((number) => number !== 100_000);
  const { last, missing } = heard(numbers.map((number) => answer(number % 65_536)));
  expect({ last, missing: [...missing.keys()] }).toEqual({ last: 140_000, missing: [100_000] });
});
