import { type Code, CodedError, marked } from "../codes";
import { printable } from "./safe";

/** What a person who runs `overlay` can mend. */
export class ToolError extends CodedError {
  override readonly name: string = "ToolError";

  constructor(
    readonly code: Code,
    message: string,
  ) {
    super(message);
  }
}

/** What a person is told of an error, whatever it is. */
export const toldOf = (error: Error): string =>
  marked(error instanceof CodedError ? error.code : "cli/bug", error.message);

/** On standard error: names and others' words are in it, and a terminal is to obey none of them. */
export const tell = (text: string): boolean => process.stderr.write(`overlay: ${printable(text)}\n`);
