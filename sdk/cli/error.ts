import { type Code, CodedError, marked } from "../codes";

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
