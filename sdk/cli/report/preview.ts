/** What `pulumi preview --json` printed, read: previewDigest of pkg/backend/display/json.go in pulumi/pulumi. */
import { z } from "zod";
import { format, parse } from "../../faults";
import { ToolError } from "../error";

const state = z.object({
  /** Not so a component. */
  custom: z.boolean().default(true),
  inputs: z.record(z.string(), z.unknown()).default({}),
  outputs: z.record(z.string(), z.unknown()).default({}),
  /** Why the last run left it half done. */
  initErrors: z.array(z.string()).default([]),
});
const step = z.object({
  op: z.string(),
  urn: z.string(),
  oldState: state.nullish(),
  newState: state.nullish(),
  diffReasons: z.array(z.string()).nullish(),
});
const diagnostic = z.object({ urn: z.string().default(""), message: z.string(), severity: z.string() });
const digest = z.object({
  steps: z.array(step).default([]),
  diagnostics: z.array(diagnostic).default([]),
  /** How many there are of each operation, also of those that are not among the steps. */
  changeSummary: z.record(z.string(), z.number()).default({}),
});

export type State = z.output<typeof state>;
export type Step = z.output<typeof step>;
export type Diagnostic = z.output<typeof diagnostic>;
export type Preview = z.output<typeof digest>;

const CURE = "give the whole of what `pulumi preview --json` prints on standard output, and nothing else";

/** Faults that are named; of a preview of another version each step has one. */
const NAMED = 5;

function json(text: string): unknown {
  if (text.trim() === "") throw new ToolError("cli/preview", `the preview is empty: ${CURE}`);
  try {
    return JSON.parse(text);
  } catch (error) {
    // Its message may show some of the text.
    const cut = /end of JSON|Unterminated/.test((error as Error).message);
    const why = cut
      ? `breaks off after ${text.length} characters`
      : isStream(text)
        ? "is a stream of events"
        : "is no JSON";
    throw new ToolError("cli/preview", `the preview ${why}: ${CURE}`);
  }
}

/** One object a line, as with PULUMI_ENABLE_STREAMING_JSON_PREVIEW. */
function isStream(text: string): boolean {
  try {
    return typeof JSON.parse(text.slice(0, text.indexOf("\n"))) === "object";
  } catch {
    return false;
  }
}

/** Throws an Error that says what is wrong with the text, and shows none of it. */
export function preview(text: string): Preview {
  const value = json(text);
  const known = ["steps", "diagnostics", "changeSummary"];
  if (typeof value !== "object" || value === null || !known.some((name) => name in value)) {
    const other = Object(value);
    const what = "deployment" in other || "checkpoint" in other ? "is a state" : "has neither steps nor diagnostics";
    throw new ToolError("cli/preview", `the preview ${what}: ${CURE}`);
  }
  const result = parse(digest, value);
  if ("value" in result) return result.value;
  const { faults } = result;
  const more = faults.length > NAMED ? `\nand ${faults.length - NAMED} more` : "";
  throw new ToolError(
    "cli/preview",
    `this is a preview of a Pulumi that is not understood, an older one perhaps: use Pulumi 3\n${format(faults.slice(0, NAMED))}${more}`,
  );
}
