/** From what somebody wrote to what state keeps: every fault at once, and the text that preview shows. Pure. */
import { z } from "zod";
import { type Fault, fault, fromZod } from "../faults";
import { Connection } from "../host";
import { placeholder } from "../kernel";
import { packed, unpacked } from "../packed";
import { config } from "./config";
import { NO_SECRET } from "./noSecret";
import { Refused } from "./outcome";
import type { ResourceType } from "./registry";
import {
  hasUnknown,
  isObject,
  isUnknown,
  mapValue,
  type Path,
  plain,
  Secret,
  secretPaths,
  UNKNOWN,
  type Values,
} from "./wire";

/** As state keeps them: few and flat, because the engine writes all of them at every step. */
export type Inputs = {
  connection: unknown;
  /** How the machine at the other end is reached, of a resource that has to ask it. */
  other?: unknown;
  /** Which machine the host says that it is; a resource that is the machine itself has it as an output only. */
  machine?: string;
  /** JSON (see `packed`), every default filled in; UNKNOWN in a preview that lacks more than what can stand in the text. */
  spec: string;
  /** How many devices of the stack's links one run may remove, unless it is allowed to remove more. */
  removable?: number;
  /** Its host shows first whether a change is one to survive: it is always taken back unless a new login works. */
  canary?: boolean;
  /** Whether others of the stack exchange keys for it. */
  keyed?: boolean;
  /** The kernel's lines. Placeholders stand for what is known only after another resource is made. */
  config: string;
};

export type Checked = { inputs: Inputs } | { faults: Fault[] };

const fieldsOf = (type: ResourceType): string[] => [
  "connection",
  ...(type.machine ? [] : ["machine"]),
  "spec",
  ...(type.asksOther ? ["other"] : []),
];
/** What components say of the stack; it is no part of what the host is told, and no difference. */
const OF_STACK = ["removable", "canary", "keyed"];

/** Never shown and never in an error, so it may be a secret. */
const mayBeSecret = (path: Path): boolean =>
  ["connection.hostKey", "other.hostKey"].includes(path.join(".")) || path[0] === "config";

function secrets(news: Values): Fault[] {
  return secretPaths(news)
    .filter((path) => !mayBeSecret(path))
    .map((path) => fault(path, undefined, NO_SECRET));
}

// `config` is what a check made itself: generated code of an import hands it back.
function unknownFields(type: ResourceType, news: Values): Fault[] {
  const fields = fieldsOf(type);
  return Object.keys(news)
    .filter((name) => ![...fields, ...OF_STACK, "config"].includes(name) && !name.startsWith("__"))
    .map((name) =>
      fault([name], undefined, {
        code: "input/unknownField",
        legal: `one of ${fields.join(", ")}`,
        cure: "remove it, or correct its spelling",
      }),
    );
}

/** The JSON form serves those who cannot nest unknown values, and state itself. */
function nested(spec: unknown): unknown {
  if (typeof spec !== "string") return spec;
  try {
    return JSON.parse(unpacked(spec));
  } catch {
    return spec;
  }
}

/** Unknown leaves by the resource that they wait for, which is what the object around them is about. */
function withPlaceholders(value: unknown, name: string): unknown {
  if (isUnknown(value)) return placeholder(name);
  if (Array.isArray(value)) return value.map((inner) => withPlaceholders(inner, name));
  if (!isObject(value)) return value;
  const about = [value.name, value.node].find((inner) => typeof inner === "string" && !isUnknown(inner)) ?? name;
  return mapEntries(value, (inner) => withPlaceholders(inner, about as string));
}

const mapEntries = (object: Values, change: (value: unknown) => unknown): Values =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value)]));

/** True where the value, or what it is a part of, is unknown. */
export function unknownAt(value: unknown, path: Path): boolean {
  if (isUnknown(value)) return true;
  const [name, ...rest] = path;
  if (name === undefined || typeof value !== "object" || value === null) return false;
  return unknownAt((value as Record<PropertyKey, unknown>)[name], rest);
}

/**
 * The schema's value; the faults of what is known; or UNKNOWN where only what is unknown keeps it from being valid.
 * `input`: the value with placeholders for what is unknown in it.
 */
function parseKnown<T>(
  schema: z.ZodType<T>,
  value: unknown,
  input: unknown,
  field: string,
): { value: T | typeof UNKNOWN } | { faults: Fault[] } {
  if (isUnknown(value)) return { value: UNKNOWN };
  const result = schema.safeParse(input);
  if (result.success) return { value: result.data };
  const known = result.error.issues.filter((issue) => !unknownAt(value, issue.path));
  if (known.length === 0) return { value: UNKNOWN };
  const faults = fromZod(new z.ZodError(known), input, schema);
  return { faults: faults.map((one) => ({ ...one, path: one.path === "" ? field : `${field}.${one.path}` })) };
}

/** `owner`: the resource's own name, for unknown values of which nothing else says what they wait for. */
export function check(type: ResourceType, news: Values, owner: string): Checked {
  const { connection, other, machine, spec, removable, canary, keyed } = plain(news) as Values;
  const known = parseKnown(type.technology.spec, spec, nested(withPlaceholders(spec, owner)), "spec");
  const reachable = (value: unknown, field: string) =>
    parseKnown(Connection, value, withPlaceholders(value, owner), field);
  const reach = reachable(connection, "connection");
  const far = other === undefined ? undefined : reachable(other, "other");
  const faults = [
    ...secrets(news),
    ...unknownFields(type, news),
    ...("faults" in reach ? reach.faults : []),
    ...(far && "faults" in far ? far.faults : []),
    ...("faults" in known ? known.faults : []),
    ...(machine === undefined || typeof machine === "string"
      ? []
      : [
          fault(["machine"], machine, {
            code: "input/type",
            legal: "a machine id",
            cure: "give the host's output `machine`",
          }),
        ]),
  ];
  if (faults.length > 0 || "faults" in reach || "faults" in known || (far && "faults" in far)) return { faults };
  const complete = known.value !== UNKNOWN;
  return {
    inputs: {
      connection: reach.value === UNKNOWN ? news.connection : keepSecret(reach.value, news.connection),
      ...(far && { other: far.value === UNKNOWN ? news.other : keepSecret(far.value, news.other) }),
      ...(typeof machine === "string" && { machine }),
      ...(typeof removable === "number" && { removable }),
      ...(canary === true && { canary }),
      ...(keyed === true && { keyed }),
      spec: complete ? packed(JSON.stringify(known.value)) : UNKNOWN,
      config: complete ? config(type.technology.plan(known.value)) : UNKNOWN,
    },
  };
}

/** What came in as a secret goes into state as one. */
const keepSecret = (connection: Connection, news: unknown): Values =>
  isObject(news) && news.hostKey instanceof Secret && connection.hostKey !== undefined
    ? { ...connection, hostKey: new Secret(connection.hostKey) }
    : { ...connection };

/** The connection of inputs that passed `check`, be it by an older version of this package. */
export const connectionOf = (inputs: Values): Connection => Connection.parse(plain(inputs.connection));

/** The same of the machine at the other end. */
export const otherOf = ({ other }: Values): Connection | undefined =>
  other === undefined || hasUnknown(other) ? undefined : Connection.parse(plain(other));

/** A spec that passed `check`, be it by an older version of this package. Throws Refused. */
export function parseSpec(type: ResourceType, spec: unknown): unknown {
  const result = type.technology.spec.safeParse(nested(spec));
  if (result.success) return result.data;
  throw new Refused(
    "provider/version",
    "The state's `spec` is none of this version of the overlay plugin: use the version that wrote it.",
  );
}

/** Equal as JSON, whatever the order of fields and whether secret or not. */
export const same = (a: unknown, b: unknown): boolean => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));

const sorted = (value: unknown): unknown =>
  mapValue(plain(value), (inner) =>
    isObject(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
