/** What `pulumi preview --json` printed, read: PreviewDigest of pkg/display/json.go in pulumi/pulumi. */
import { z } from "zod";
import { format, parse } from "../../faults";
import { ToolError } from "../error";
import { json, orElse, wholeOf } from "../json";

const values = orElse(z.record(z.string(), z.unknown()), {});
const names = orElse(z.array(z.string()), []);

const state = z.object({
  /** Not so a component. */
  custom: orElse(z.boolean(), true),
  /** URN */
  parent: orElse(z.string(), ""),
  inputs: values,
  outputs: values,
  /** Why the last run left it half done. */
  initErrors: names,
  /** Its removal from state leaves alone what it stands for. */
  retainOnDelete: orElse(z.boolean(), false),
  /** It is read by the program, which neither makes nor removes it. */
  external: orElse(z.boolean(), false),
});
const step = z.object({
  op: z.string(),
  urn: z.string(),
  oldState: state.nullish(),
  newState: state.nullish(),
  diffReasons: names,
  replaceReasons: names,
});
const diagnostic = z.object({
  urn: orElse(z.string(), ""),
  message: orElse(z.string(), ""),
  severity: orElse(z.string(), "info"),
});
const digest = z.object({
  /** The stack's, by `PROJECT:NAME`. */
  config: values,
  steps: orElse(z.array(step), []),
  diagnostics: orElse(z.array(diagnostic), []),
  /** How many there are of each operation, also of those that are not among the steps. */
  changeSummary: orElse(z.record(z.string(), z.number()), {}),
});

export type State = z.output<typeof state>;
export type Step = z.output<typeof step>;
export type Diagnostic = z.output<typeof diagnostic>;
export type Preview = z.output<typeof digest>;

const CURE = wholeOf("pulumi preview --json");

/** Faults that are named; of a preview of another version each step has one. */
const NAMED = 5;

/** One object a line, as with PULUMI_ENABLE_STREAMING_JSON_PREVIEW. */
function isStream(text: string): boolean {
  try {
    return typeof JSON.parse(text.split("\n", 1)[0] as string) === "object";
  } catch {
    return false;
  }
}

/** Throws an Error that says what is wrong with the text, and shows none of it. */
export function preview(text: string): Preview {
  const value = json(text, (why, whole) => {
    const what = whole !== "" && isStream(whole) ? "is a stream of events" : why;
    return new ToolError("cli/preview", `the preview ${what}: ${CURE}`);
  });
  const known = ["steps", "diagnostics", "changeSummary"];
  if (typeof value !== "object" || value === null || !known.some((name) => name in value)) {
    const other = Object(value);
    const what =
      "deployment" in other || "checkpoint" in other
        ? "is a state"
        : "sequence" in other
          ? "is a stream of events"
          : "has neither steps nor diagnostics";
    throw new ToolError("cli/preview", `the preview ${what}: ${CURE}`);
  }
  const result = parse(digest, value);
  if ("value" in result) return result.value;
  // Whatever is in the place of what was looked for is not shown: it may be anything.
  const faults = result.faults.map(({ found: _, ...fault }) => fault);
  const more = faults.length > NAMED ? `\nand ${faults.length - NAMED} more` : "";
  throw new ToolError(
    "cli/preview",
    `this is a preview of a Pulumi that is not understood, an older one perhaps: use Pulumi 3\n${format(faults.slice(0, NAMED))}${more}`,
  );
}
