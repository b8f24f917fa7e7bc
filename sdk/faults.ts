/**
 * What is wrong with what somebody wrote: where, what was found, what is legal, how to mend it. All faults at once,
 * and never a secret: values under the name of a key, a secret or a password are not shown, nor is anything that looks
 * like one wherever it stands.
 */
import { z } from "zod";
import { type Code, marked, withoutCode } from "./codes";

export interface Fault {
  /** What it is looked up by. */
  code: Code;
  /** `nodes.lux.addresses[0]` */
  path: string;
  /** The value found, as JSON; absent where there was none or where it must not be shown. */
  found?: string;
  legal: string;
  cure: string;
}

/** What a check says, before it is known where the value stands. */
export type Objection = Pick<Fault, "code" | "legal" | "cure">;

/** What the check of a value by itself says: `input/value`. */
export type Mismatch = Omit<Objection, "code">;

type Path = readonly PropertyKey[];

const SECRET_NAME = /key|secret|psk|passw|passphrase|token|identit|credential/i;
/** 32 bytes in base64, as wg(8) writes keys. */
const KEY_SHAPE = /(^|[^A-Za-z0-9+/])[A-Za-z0-9+/]{43}=/;
const KEY_FILE = /PRIVATE KEY|PrivateKey|PresharedKey/i;
/** What stands before the host in a URL, RFC 3986, section 3.2.1; a password that nobody has encoded may have a slash. */
const USER_INFO = /:\/\/\S*(@|%40)/;
const MAX_SHOWN = 80;

/** True for text that may be or hold a private key, and so must not be shown. */
export const looksSecret = (text: string): boolean =>
  KEY_SHAPE.test(text) || KEY_FILE.test(text) || USER_INFO.test(text);

/** A value for people to see, or undefined where it must not be shown or is too much to be of use. */
function shown(value: unknown, path: Path): string | undefined {
  if (value === undefined || path.some((name) => SECRET_NAME.test(String(name)))) return undefined;
  if (typeof value === "object" && value !== null) return undefined;
  const text = JSON.stringify(value) ?? String(value);
  return text.length > MAX_SHOWN || looksSecret(text) ? undefined : text;
}

const written = (path: Path): string =>
  path.reduce<string>((at, name) => {
    if (typeof name === "number") return `${at}[${name}]`;
    if (!/^[\w-]+$/.test(String(name))) return `${at}[${JSON.stringify(String(name))}]`;
    return at === "" ? String(name) : `${at}.${String(name)}`;
  }, "");

/** `found` and `path` for a value that a check of our own, not a schema's, objects to. */
export function fault(path: Path, value: unknown, objection: Objection): Fault {
  const found = shown(value, path);
  return { path: written(path), ...(found !== undefined && { found }), ...objection };
}

/** A string that `object` has nothing to say against. */
export const checkedString = (object: (value: string) => Mismatch | undefined) =>
  z.string().superRefine((value, context) => {
    const objection = object(value);
    if (objection) context.addIssue({ code: "custom", message: objection.legal, params: { cure: objection.cure } });
  });

/** Says what is wrong with a field in the light of others: checks across fields that look at it are then not made. */
export const objectTo = (
  context: z.core.$RefinementCtx,
  path: PropertyKey[],
  { code, legal, cure }: Objection,
  across = false,
): void => context.addIssue({ code: "custom", path, message: legal, params: { code, cure, across } });

/** Says what is wrong between fields: that keeps no other check across fields from being made. */
export const objectAcross = (context: z.core.$RefinementCtx, path: PropertyKey[], objection: Objection): void =>
  objectTo(context, path, objection, true);

/**
 * When a check across fields can be made: none of those that it looks at has a fault of its own. (Without it zod makes
 * no such check until everything else is right, and faults come one round at a time.)
 */
export const unlessFaulty = (...fields: string[]) => ({
  when: ({ issues }: { issues: { path?: PropertyKey[]; params?: { across?: boolean } }[] }): boolean =>
    !issues.some(({ path = [], params }) => {
      const faulty = params?.across ? "" : path.join(".");
      return (
        faulty !== "" && fields.some((field) => `${field}.`.startsWith(`${faulty}.`) || faulty.startsWith(`${field}.`))
      );
    }),
});

const at = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((inner, name) => (inner as Record<PropertyKey, unknown> | undefined)?.[name], value);

/** The fields that an object schema inside of `schema` has. */
function fieldsAt(schema: z.core.$ZodType | undefined, path: Path): string[] {
  const def = schema?._zod.def as
    | {
        shape?: Record<PropertyKey, z.core.$ZodType>;
        options?: z.core.$ZodType[];
        [inner: string]: unknown;
      }
    | undefined;
  if (!def) return [];
  if (def.options) return [...new Set(def.options.flatMap((option) => fieldsAt(option, path)))];
  if (def.shape) {
    const [name, ...rest] = path;
    return name === undefined ? Object.keys(def.shape) : fieldsAt(def.shape[name], rest);
  }
  if (def.element ?? def.valueType) {
    return fieldsAt((def.element ?? def.valueType) as z.core.$ZodType, path.slice(1));
  }
  return fieldsAt((def.innerType ?? def.in) as z.core.$ZodType | undefined, path);
}

function fromIssue(issue: z.core.$ZodIssue, input: unknown, schema: z.core.$ZodType, before: Path): Fault[] {
  const path = [...before, ...issue.path];
  const value = at(input, path);
  switch (issue.code) {
    case "unrecognized_keys": {
      const fields = fieldsAt(schema, path).sort().join(", ");
      return issue.keys.map((key) => ({
        code: "input/unknownField",
        path: written([...path, key]),
        legal: fields === "" ? "no field of this name" : `one of ${fields}`,
        cure: "remove it, or correct its spelling",
      }));
    }
    case "invalid_union": {
      // What stands in for a value comes before the value's own schema, so the last has most to say.
      const last = issue.errors.at(-1);
      if (last) return last.flatMap((inner) => fromIssue(inner, input, schema, path));
      return [fault(path, value, objection(issue, value))];
    }
    case "invalid_key":
      return issue.issues.map((inner) => fault(path, path.at(-1), objection(inner, path.at(-1))));
    default:
      return [fault(path, value, objection(issue, value))];
  }
}

function objection(issue: z.core.$ZodIssue, value: unknown): Objection {
  const cure = issue.code === "custom" ? issue.params?.cure : undefined;
  return {
    code: codeOf(issue, value),
    legal: legal(issue),
    cure: typeof cure === "string" ? cure : value === undefined ? "add it" : "correct the value",
  };
}

function codeOf(issue: z.core.$ZodIssue, value: unknown): Code {
  if (issue.code === "custom" && issue.params?.code) return issue.params.code;
  if (value === undefined) return "input/missing";
  switch (issue.code) {
    case "invalid_type":
      return "input/type";
    case "too_small":
    case "too_big":
      return "input/range";
    default:
      return "input/value";
  }
}

const TYPES: Record<string, string> = {
  array: "a list",
  boolean: "true or false",
  int: "a whole number",
  number: "a number",
  object: "an object",
  record: "an object",
  string: "a string",
};

function legal(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return TYPES[issue.expected] ?? issue.expected;
    case "invalid_value":
      return issue.values.length === 1
        ? JSON.stringify(issue.values[0])
        : `one of ${issue.values.map((value) => JSON.stringify(value)).join(", ")}`;
    case "too_small":
      return `at least ${issue.minimum}`;
    case "too_big":
      return `at most ${issue.maximum}`;
    default:
      return issue.message;
  }
}

/** The faults of a value that its schema refused. `input` is the value that was parsed. */
export const fromZod = (error: z.ZodError, input: unknown, schema: z.ZodType): Fault[] =>
  error.issues.flatMap((issue) => fromIssue(issue, input, schema, []));

/** The value as the schema makes it, or all its faults. */
export function parse<S extends z.ZodType>(schema: S, input: unknown): { value: z.output<S> } | { faults: Fault[] } {
  const result = schema.safeParse(input);
  return result.success ? { value: result.data } : { faults: fromZod(result.error, input, schema) };
}

const one = ({ path, found, legal, cure }: Fault): string =>
  `${path === "" ? "" : `${path}: `}${found === undefined ? "" : `found ${found}, `}legal is ${legal}; ${cure}.`;

/** Faults for people: a sentence each. */
export const format = (faults: readonly Fault[]): string => faults.map(one).join("\n");

/** The same where each is a person's to look up: the end of its way. */
export const formatWithCodes = (faults: readonly Fault[]): string =>
  faults.map((it) => marked(it.code, one(it))).join("\n");

/** One or more as the text and the code of one error: each has its own, and the error that of the last. */
export const asOne = (faults: readonly Fault[]): { code: Code; text: string } => ({
  code: (faults.at(-1) as Fault).code,
  text: withoutCode(formatWithCodes(faults)),
});
