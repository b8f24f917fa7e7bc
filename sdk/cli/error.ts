import { type Code, CodedError } from "../codes";

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
