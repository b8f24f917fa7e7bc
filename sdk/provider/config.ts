import { type Fact, text } from "../kernel";

/**
 * The `config` of a resource: the text of its facts, then what else there is to say. It ends with a newline, or every
 * line that is added at the end would show the one before it as changed.
 */
export function config(facts: readonly Fact[], notes: readonly string[] = []): string {
  const lines = [text(facts), ...notes].filter((line) => line !== "");
  return lines.map((line) => `${line}\n`).join("");
}

/** `- LINE` for what is in one text alone, `+ LINE` for what is in the other. */
export function lineDiff(from: string, to: string): string[] {
  const [before, after] = [from.split("\n"), to.split("\n")];
  return [
    ...before.filter((line) => !after.includes(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !before.includes(line)).map((line) => `+ ${line}`),
  ];
}
