/** What `pulumi preview --json` printed, read: PreviewDigest of pkg/display/json.go in pulumi/pulumi. */
import { z } from "zod";
import { format, parse } from "../../faults";
import { ToolError } from "../error";

/** In Go what is empty may be left out, be `null`, or be there. */
const orElse = <S extends z.ZodType>(schema: S, none: z.output<S>) => schema.nullish().transform((it) => it ?? none);

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
  steps: orElse(z.array(step), []),
  diagnostics: orElse(z.array(diagnostic), []),
  /** How many there are of each operation, also of those that are not among the steps. */
  changeSummary: orElse(z.record(z.string(), z.number()), {}),
});

export type State = z.output<typeof state>;
export type Step = z.output<typeof step>;
export type Diagnostic = z.output<typeof diagnostic>;
export type Preview = z.output<typeof digest>;

const CURE = "give the whole of what `pulumi preview --json` prints on standard output, and nothing else";

/** Faults that are named; of a preview of another version each step has one. */
const NAMED = 5;

function json(text: string): unknown {
  if (text === "") throw new ToolError("cli/preview", `the preview is empty: ${CURE}`);
  try {
    return JSON.parse(text);
  } catch (error) {
    // Its message may show some of the text.
    const why = isStream(text)
      ? "is a stream of events"
      : breaksOff(text, (error as Error).message)
        ? `breaks off after ${text.length} characters`
        : "is no JSON";
    throw new ToolError("cli/preview", `the preview ${why}: ${CURE}`);
  }
}

/** Characters before the end at which V8 may say that an escape or a number is none, when it has no end. */
const NEAR = 6;

/** Whether it is the beginning of an object: what is wrong is at its end, as V8's messages say. */
function breaksOff(text: string, message: string): boolean {
  const position = /at position (\d+)/.exec(message)?.[1] ?? text.length;
  return text.startsWith("{") && Number(position) > text.length - NEAR;
}

/** One object a line, as with PULUMI_ENABLE_STREAMING_JSON_PREVIEW. */
function isStream(text: string): boolean {
  try {
    return typeof JSON.parse(text.split("\n", 1)[0] as string) === "object";
  } catch {
    return false;
  }
}

/** Windows' shells put a mark before what they write into a file. */
const BYTE_ORDER_MARK = /^\ufeff/;

/** Throws an Error that says what is wrong with the text, and shows none of it. */
export function preview(text: string): Preview {
  const value = json(text.replace(BYTE_ORDER_MARK, "").trim());
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
