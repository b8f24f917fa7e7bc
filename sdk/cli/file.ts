/** Files that somebody names on the command line. */
import { readFileSync } from "node:fs";
import { CodedError } from "../codes";
import { ToolError } from "./error";

/** What is done with a file. Throws a ToolError where the system does not let it be done. */
export function withFile<T>(path: string, what: "read" | "written", work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof CodedError) throw error;
    const [why] = (error as Error).message.split(", "); // after that comes the call and the path
    throw new ToolError("cli/file", `${path} cannot be ${what}: ${why}`);
  }
}

/** The text of a file; `-` is standard input. Throws a ToolError. */
export const readInput = (path: string): string =>
  path === "-"
    ? withFile("standard input", "read", () => readFileSync(0, "utf8"))
    : withFile(path, "read", () => readFileSync(path, "utf8"));
