import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Book, type Circumstances, type Section } from "./report";

const at = (when: string): Circumstances => ({
  when,
  commit: "abc1234",
  load: "0.1, 0.2",
  processor: "one, 2 cores",
  kernel: "Linux 6",
  pulumi: "v3",
  Node: "v22",
  OpenSSH: "9.2",
});
const section = (title: string, figure: string, met: boolean): Section => ({
  title,
  bars: [{ measure: `${title}'s`, figure, mustBe: "1 or less", met }],
  text: `How ${title} is measured.`,
  table: [
    ["run", "median"],
    ["first", figure],
  ],
});

test("one that is measured again stands beside those that are not, each with its time", () => {
  const folder = mkdtempSync(join(tmpdir(), "overlay-book-"));
  try {
    const book = () => new Book(folder, ["mesh", "links"]);
    new Book(folder, []).enter("writers", section("writers", "0", true), at("2026-11-20 09:00"));
    book().enter("links", section("links", "2", false), at("2026-11-20 10:00"));
    book().enter("mesh", section("mesh", "9", false), at("2026-11-20 11:00"));
    book().enter("mesh", section("mesh", "1", true), at("2026-11-21 12:00"));
    const text = readFileSync(join(folder, "benchmarks.md"), "utf8");
    expect(
      text
        .split("\n")
        .filter((line) => line.startsWith("|"))
        .slice(0, 5),
    ).toEqual([
      "| measure | figure | must be |  | when | commit |",
      "| --- | --- | --- | --- | --- | --- |",
      "| mesh's | 1 | 1 or less | met | 2026-11-21 12:00 | abc1234 |",
      "| links's | 2 | 1 or less | **missed** | 2026-11-20 10:00 | abc1234 |",
      "| writers's | 0 | 1 or less | met | 2026-11-20 09:00 | abc1234 |",
    ]);
    expect(text).toContain("## mesh\n\nHow mesh is measured.\n\n| run | median |\n| --- | --- |\n| first | 1 |\n");
    expect(text.match(/^Measured on: .*$/gm)).toEqual([
      "Measured on: processor one, 2 cores; kernel Linux 6; pulumi v3; Node v22; OpenSSH 9.2.",
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
