/** What of others' text is shown. */
import { end, printable, secretsOf, shownMessage, start } from "../../../sdk/cli/safe";

const shown = (text: string): string => shownMessage(text, []);

describe("values of what is named as a secret", () => {
  test.each([
    ["AWS_SECRET_ACCESS_KEY=/abc+def/ghi", "AWS_SECRET_ACCESS_KEY=<not shown>"],
    ['{"password": "correct horse battery"}', '{"password": <not shown>}'],
    ["password: 'correct horse, battery'", "password: <not shown>"],
    ["password: correct horse battery", "password: <not shown>"],
    ['"{\\"password\\": \\"correct horse\\", \\"port\\": 1}"', '"{\\"password\\": <not shown>, \\"port\\": 1}"'],
    ['token => "a b"', "token => <not shown>"],
    ["PGPASSWORD=a", "PGPASSWORD=<not shown>"],
    ["--token hunter2 --yes", "--token <not shown> --yes"],
    ["psk=a;b", "psk=<not shown>;b"],
    ["api_key: a", "api_key: <not shown>"],
  ])("%j", (text, expected) => expect(shown(text)).toBe(expected));

  test.each([
    "PULUMI_CONFIG_PASSPHRASE_FILE=/run/secrets/passphrase",
    "private_key_path: ~/.ssh/id_ed25519",
    "use --secret or --plaintext",
    "the token is none that GitHub knows",
  ])("%j is none", (text) => expect(shown(text)).toBe(text));

  test("a place is none only as a path", () => expect(shown("token_file: hunter2")).toBe("token_file: <not shown>"));
});

test.each([
  ["Authorization: Bearer abc.def", "Authorization: <not shown>"],
  ['"authorization": "Basic dXNlcjpwYXNz"', '"authorization": "<not shown>"'],
  ["sent bearer 0123456789abcdef0123", "sent bearer <not shown>"],
  ["a eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln b", "a <not shown> b"],
  ["postgres://u:p/ss@host/db", "postgres://<not shown>@host/db"],
  ["https://u:p%40x@host", "https://<not shown>@host"],
  [`glpat-${"a".repeat(20)}`, "<not shown>"],
])("%j", (text, expected) => expect(shown(text)).toBe(expected));

test("a word that is as long as a text may be takes no longer than others", () => {
  const began = performance.now();
  expect(shown("://".repeat(30_000))).toHaveLength(90_000);
  expect(performance.now() - began).toBeLessThan(1000);
});

test("a variable's value is known as JSON writes it, too", () => {
  const secrets = secretsOf({ DEPLOY_TOKEN: 'a"b\nc-long-enough' });
  expect(shownMessage('it is "a\\"b\\nc-long-enough"', secrets)).toBe('it is "<not shown>"');
});

test("nothing is cut in the middle of a character", () => {
  expect([start("ab😀", 3), start("ab😀", 4), end("😀ab", 3), end("😀ab", 4)]).toEqual(["ab", "ab😀", "ab", "😀ab"]);
});

test.each([
  ["\x1b[2J\x1b]0;title\u0007lux\x1b[31m", "lux"],
  ["a\r\nb\rc\u009b31m", "a\nbc"],
  ["xul\u202elux\u0085", "xullux"],
  ["a\tb\n", "a\tb\n"],
])("a terminal obeys nothing of %j", (text, expected) => expect(printable(text)).toBe(expected));
