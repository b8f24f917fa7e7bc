/** JSON that Pulumi, a program in Go, has printed. */
import type { z } from "zod";
import type { ToolError } from "./error";

/** In Go what is empty may be left out, be `null`, or be there. */
export const orElse = <S extends z.ZodType>(schema: S, none: z.output<S>) =>
  schema.nullish().transform((it) => it ?? none);

export const wholeOf = (command: string): string =>
  `give the whole of what \`${command}\` prints on standard output, and nothing else`;

/** Windows' shells put a mark before what they write into a file. */
const BYTE_ORDER_MARK = /^\ufeff/;

/** Throws what `fault` makes of why a text is none, in words that show nothing of it, and of the text. */
export function json(given: string, fault: (why: string, text: string) => ToolError): unknown {
  const text = given.replace(BYTE_ORDER_MARK, "").trim();
  if (text === "") throw fault("is empty", text);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw fault(reason(text, (error as Error).message), text);
  }
}

/** Characters before the end at which V8 may say that an escape or a number is none, when it has no end. */
const NEAR = 6;

/** `message`: V8's, which may show some of the text. */
function reason(text: string, message: string): string {
  const position = Number(/at position (\d+)/.exec(message)?.[1] ?? text.length);
  if (!text.startsWith("{")) return "is no JSON";
  if (/^Unexpected non-whitespace character after JSON/.test(message))
    return `has something after its end, in line ${text.slice(0, position).split("\n").length}`;
  return position > text.length - NEAR ? `breaks off after ${text.length} characters` : "is no JSON";
}
