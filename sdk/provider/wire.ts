/**
 * Property values as they travel between the engine and a provider. The marks are those of
 * sdk/go/common/resource/properties.go and sdk/go/common/resource/plugin/rpc.go in pulumi/pulumi; the SDK has them too,
 * but loading it takes longer than everything else that a plugin does when nothing has changed.
 */
import { Struct } from "./grpc";

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4";

/** Stands for a value that a preview cannot know yet. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
/** The same for a boolean, a number, an array, an asset, an archive and an object. */
const UNKNOWNS = new Set([
  UNKNOWN,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

export type Values = Record<string, unknown>;
export type Path = readonly PropertyKey[];

/** A value that the user has marked secret. */
export class Secret {
  constructor(readonly value: unknown) {}
}

export const isUnknown = (value: unknown): boolean => value === UNKNOWN;

/** True where anything inside is unknown. */
export function hasUnknown(value: unknown): boolean {
  if (value instanceof Secret) return hasUnknown(value.value);
  return typeof value === "object" && value !== null ? Object.values(value).some(hasUnknown) : isUnknown(value);
}

export const isObject = (value: unknown): value is Values =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Secret);

/** Each value inside, and the value itself, changed from the leaves up. */
export function mapValue(value: unknown, change: (value: unknown, path: Path) => unknown, path: Path = []): unknown {
  if (value instanceof Secret) return change(new Secret(mapValue(value.value, change, path)), path);
  if (Array.isArray(value)) {
    return change(
      value.map((inner, index) => mapValue(inner, change, [...path, index])),
      path,
    );
  }
  if (!isObject(value)) return change(value, path);
  const entries = Object.entries(value).map(([name, inner]) => [name, mapValue(inner, change, [...path, name])]);
  return change(Object.fromEntries(entries), path);
}

function decodeOne(value: unknown): unknown {
  if (typeof value === "string") return UNKNOWNS.has(value) ? UNKNOWN : value;
  if (!isObject(value) || typeof value[SIGNATURE] !== "string") return value;
  if (value[SIGNATURE] === SECRET) return new Secret(value.value);
  if (value[SIGNATURE] === OUTPUT) {
    const inner = "value" in value ? value.value : UNKNOWN;
    return value.secret === true ? new Secret(inner) : inner;
  }
  return value;
}

export const decode = (struct: Struct | undefined): Values =>
  mapValue(struct?.toJavaScript() ?? {}, decodeOne) as Values;

const encodeOne = (value: unknown): unknown => {
  if (value instanceof Secret) return { [SIGNATURE]: SECRET, value: value.value };
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined));
};

// biome-ignore lint/suspicious/noExplicitAny: the SDK's type of a Struct's content is not exported
export const encode = (values: Values): Struct => Struct.fromJavaScript(mapValue(values, encodeOne) as any);

/** The value without marks of secrecy. */
export const plain = (value: unknown): unknown =>
  mapValue(value, (inner) => (inner instanceof Secret ? inner.value : inner));

/** Where there are secrets, the outermost of each. */
export function secretPaths(value: unknown, path: Path = []): Path[] {
  if (value instanceof Secret) return [path];
  if (Array.isArray(value)) return value.flatMap((inner, index) => secretPaths(inner, [...path, index]));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, inner]) => secretPaths(inner, [...path, name]));
}
