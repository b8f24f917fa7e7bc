/** docs/errors.md is what sdk/codes.ts says (`UPDATE_GOLDEN=1` writes it anew), and every code of it comes up somewhere. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CODES } from "../../sdk/codes";
import { expectGolden } from "../sdk/golden";

const root = join(__dirname, "../..");

const TITLES: Record<keyof typeof CODES, string> = {
  input: "What a program declares",
  host: "Between the tool and a host",
  provider: "What a run does, or refuses to do",
  truth: "The source of truth",
  warning: "What a run tells, and goes on",
  cli: "The command-line tool `overlay`",
  doctor: "What `overlay doctor` finds",
};

const room = ([name, entries]: [string, Record<string, { meaning: string; cure: string }>]): string => {
  const rows = Object.entries(entries).map(
    ([code, { meaning, cure }]) => `| \`${name}/${code}\` | ${meaning} | ${cure} |`,
  );
  const title = TITLES[name as keyof typeof CODES];
  return [`## ${title}`, "", "| code | what it means | what cures it |", "|---|---|---|", ...rows, ""].join("\n");
};

test("docs/errors.md has every code, what it means, and what cures it", () => {
  const intro = `# Errors

A message ends with its code in brackets: \`root@203.0.113.5 refuses TCP port 22 …, or correct connection.port. [host/refused]\`.
The message has the names, the values found and the very cure; here is what a code stands for wherever it comes up. Codes
stay what they are from version to version, and messages may be worded anew. Warnings have codes as well.

`;
  expectGolden(join(root, "docs/errors.md"), intro + Object.entries(CODES).map(room).join("\n"));
});

/** All that ships, but for the list itself. */
const sources = new Map(
  ["sdk", "components"]
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((it) => join(folder, it)),
    )
    .filter((path) => path.endsWith(".ts") && path !== "sdk/codes.ts")
    .map((path) => [path, readFileSync(join(root, path), "utf8")]),
);
const all = [...sources.values()].join("\n");
const starts = readFileSync(join(root, "bin/run.sh"), "utf8");

/** What errors and faults are made with: `new HostError("auth", …)`, a row of host/errors.ts, `code: "truth/forged"`. */
const used = (name: string, code: string): boolean => {
  const makers: Record<string, RegExp> = {
    truth: new RegExp(`(TruthError\\(\\s*|code: )"truth/${code}"`),
    host: new RegExp(`HostError\\(\\s*"${code}"|(code: |marked\\()"host/${code}"`),
  };
  const row = new RegExp(`(, |^ {4})"${code}",`, "m");
  return (
    (makers[name] ?? new RegExp(`"${name}/${code}"`)).test(all) ||
    (name === "host" && row.test(sources.get("sdk/host/errors.ts") ?? "")) ||
    starts.includes(`[${name}/${code}]`)
  );
};

test("every code comes up somewhere", () => {
  const codes = Object.entries(CODES).flatMap(([name, entries]) => Object.keys(entries).map((code) => [name, code]));
  expect(codes.filter(([name = "", code = ""]) => !used(name, code))).toEqual([]);
});

/** The file, once for each time that it says so. */
const where = (pattern: RegExp): string[] =>
  [...sources].flatMap(([path, text]) => (text.match(pattern) ?? []).map(() => path));

test("what ends a program or a command has a code, whoever makes it", () => {
  expect(where(/RunError\((?!\s*marked\(|said\))/g)).toEqual([]); // `said`: what another process has told, and its code
  expect(where(/InvalidArgumentError\(/g).filter((path) => !path.startsWith("sdk/cli/"))).toEqual([]); // cli/option
  // Of what a system call says nobody has thought yet; what is caught and is no error of ours goes on to those who know.
  expect(where(/if \((error|err)\) throw \1\b/g)).toEqual([]);
  const last = { "sdk/cli/main.ts": "toldOf(error)", "sdk/provider/server.ts": 'markedBelow("provider/bug"' };
  for (const [path, ends] of Object.entries(last)) expect(sources.get(path)).toContain(ends);
});

test("what is thrown without a code is no person's to mend, or gets one from who catches it", () => {
  const bare = where(/new Error\(/g);
  expect(bare.sort()).toEqual(
    [
      ...["sdk/kernel/kinds.ts", "sdk/kernel/wg.ts", "sdk/host/snapshot.ts", "sdk/host/snapshot.ts"], // provider/bug
      ...Array(4).fill("sdk/provider/blobs.ts"), // caught there: provider/unreadable
      ...Array(2).fill("sdk/provider/construct.ts"), // the SDK's server says it: one has its code, one is caught there
    ].sort(),
  );
});
