import { type Fact, text } from "../kernel";

/**
 * The `config` of a resource: the text of its facts, then what else there is to say. It ends with a newline, or every
 * line that is added at the end would show the one before it as changed.
 */
export function config(facts: readonly Fact[], notes: readonly string[] = []): string {
  const lines = [text(facts), ...notes].filter((line) => line !== "");
  return lines.map((line) => `${line}\n`).join("");
}
