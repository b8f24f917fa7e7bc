/** What of others' text is shown as text. */
import { sentence } from "../../../../sdk/cli/report/safe";

describe("what GitHub would make a link of", () => {
  test.each([
    ["see owner/repo#5, please", "see `owner/repo#5,` please"],
    ["see #5 and GH-12", "see `#5` and `GH-12`"],
    ["@octocat and a@b.example", "`@octocat` and `a@b.example`"],
    ["at 0123456789abcdef0123456789abcdef01234567 it", "at `0123456789abcdef0123456789abcdef01234567` it"],
    ["www.example.com/a https://github.com/o/r/issues/5.", "`www.example.com/a` `https://github.com/o/r/issues/5.`"],
    ["`code`#5", "`code`\u200b`#5`"],
    ["an unpaired ` and #5", "an unpaired \\` and `#5`"],
  ])("%j", (text, expected) => expect(sentence(text)).toBe(expected));

  test("all else stays as it was", () => {
    expect(sentence("device lux-fra has 20 peers; address 10.0.0.1, C# and # 5")).toBe(
      "device lux-fra has 20 peers; address 10.0.0.1, C# and # 5",
    );
  });
});
