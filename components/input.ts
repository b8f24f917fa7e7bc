/** Arguments whose values may be known only later, because another resource gives them. */

import { z } from "zod";
import { type Fault, fromZod, parse } from "../sdk/faults";
import { placeholder } from "../sdk/kernel/later";
import * as pulumi from "../sdk/provider/pulumi";

type Later<T> = pulumi.Output<T> | Promise<T>;

export const isLater = (value: unknown): value is Later<unknown> =>
  pulumi.Output.isInstance(value) || value instanceof Promise;

/** Accepts what the schema accepts, or an Output or Promise of it; the provider checks that one's value. */
export const input = <S extends z.ZodType>(schema: S) =>
  z
    .union([z.custom(isLater) as z.ZodType<Later<z.output<S>>, Later<z.input<S>>>, schema])
    .meta({ ...(schema.description && { description: schema.description }), input: true });

/** A component of the program as an argument. `token` is its type, `overlay:index:OverlayNode`. */
export const component = <C extends pulumi.ComponentResource>(token: string) => {
  const name = token.split(":").at(-1) ?? "";
  return z
    .custom<C>((value) => pulumi.Resource.isInstance(value) && Reflect.get(value, "__pulumiType") === token, {
      error: `${/^[AEIOU]/.test(name) ? "an" : "a"} ${name} of this program`,
    })
    .meta({ resource: token });
};

/** `compute` of the values: at once when all are known, else an Output. */
export function lift<A extends unknown[], R>(
  compute: (...values: { [I in keyof A]: pulumi.Unwrap<A[I]> }) => R,
  ...values: A
): R | pulumi.Output<R> {
  type Known = { [I in keyof A]: pulumi.Unwrap<A[I]> };
  if (laterIn(values).length === 0) return compute(...(values as unknown as Known));
  return pulumi.output(values).apply((known) => compute(...(known as unknown as Known))) as pulumi.Output<R>;
}

/**
 * `compute` of a value of which parts may be unknown, as in a preview: they are `pulumi.unknown`. The SDK declares the
 * second argument of `apply` for itself only, and reads properties of Outputs by it.
 */
export const applyPartly = <T, R>(value: pulumi.Output<T>, compute: (value: T) => R): pulumi.Output<R> =>
  (pulumi.output(value) as unknown as Partly<T>).apply(compute, true);

interface Partly<T> {
  apply<R>(compute: (value: T) => R, withUnknowns: true): pulumi.Output<R>;
  promise(withUnknowns: true): Promise<T>;
}

/**
 * The same value, without the resources that it came from: whoever takes it waits for them all the same, and state would
 * keep them once for each pair. It stays secret, and in parts unknown.
 */
export const unrelated = <T>(value: pulumi.Output<T>): pulumi.Output<T> =>
  pulumi.output(
    Promise.all([(value as unknown as Partly<T>).promise(true), pulumi.isSecret(value)]).then(([known, secret]) =>
      secret ? pulumi.secret(known) : known,
    ),
  ) as pulumi.Output<T>;

/** In place of what is unknown, what a preview says: for fields of a spec that take it, where all of the spec goes as one text. */
export const standIn = <T>(value: T, name: string): T | string => (pulumi.isUnknown(value) ? placeholder(name) : value);

export const isKnown = <T>(value: T): value is Exclude<T, Later<unknown>> => !isLater(value);

/** The same of a list, where it, or what is in it, is unknown. */
export const standIns = <T>(values: readonly T[], name: string): (T | string)[] =>
  pulumi.isUnknown(values) ? [placeholder(name)] : values.map((it) => standIn(it, name));

/** What is known of a list. */
export const knownOf = <T>(values: Later<T[]> | T[]): Exclude<T, Later<unknown>>[] =>
  isKnown(values) ? values.filter(isKnown) : [];

/** Stands for a value that has a fault: nobody ever knows it. */
const FAULTY = new Promise<never>(() => undefined);

/**
 * As `parse`, and besides the faults what is sound: a value with a fault is one that is known only later, where the schema
 * lets it be. So what it goes with is looked at as well, and nothing is said of what it might have been.
 */
export function parseSound<S extends z.ZodType>(
  schema: S,
  written: unknown,
): { value: z.output<S>; faults: Fault[] } | { faults: Fault[] } {
  const result = schema.safeParse(written);
  if (result.success) return { value: result.data, faults: [] };
  const faults = fromZod(result.error, written, schema);
  const sound = schema.safeParse(result.error.issues.flatMap(leaves).reduce(withFaulty, written));
  return sound.success ? { value: sound.data, faults } : { faults };
}

/** Where the values stand that an issue is about. */
const leaves = (issue: z.core.$ZodIssue): PropertyKey[][] =>
  issue.code === "invalid_union" && issue.errors.length > 0
    ? (issue.errors.at(-1) ?? []).flatMap(leaves).map((path) => [...issue.path, ...path])
    : [issue.path];

function withFaulty(value: unknown, [name, ...path]: PropertyKey[]): unknown {
  if (name === undefined) return FAULTY;
  if (Array.isArray(value)) return value.map((it, index) => (index === name ? withFaulty(it, path) : it));
  return { ...Object(value), [name]: withFaulty(Object(value)[name], path) };
}

/** The faults of what is known of a value. */
export function faultsOfKnown(schema: z.ZodType, value: unknown): Fault[] {
  const result = parse(schema, value);
  if ("value" in result) return [];
  const later = laterIn(value);
  return result.faults.filter(({ path }) => !later.some(([start]) => isWithin(path, start)));
}

/** `peer.publicKey` and `peer[0]` are within `peer`, and `peers` is not. */
const isWithin = (path: string, start: string): boolean =>
  start === "" || path === start || path.startsWith(`${start}.`) || path.startsWith(`${start}[`);

/** What is known only later, by where it stands: `peer.publicKey`, `addresses[1]`. */
function laterIn(value: unknown, path = ""): [path: string, value: Later<unknown>][] {
  if (isLater(value)) return [[path, value]];
  if (Array.isArray(value)) return value.flatMap((inner, index) => laterIn(inner, `${path}[${index}]`));
  if (typeof value !== "object" || value === null || pulumi.Resource.isInstance(value)) return [];
  return Object.entries(value).flatMap(([name, inner]) => laterIn(inner, path === "" ? name : `${path}.${name}`));
}

/** Tells where secrets stand that the program itself made so, before this turn ends; none that a resource gives later. */
export function eachSecret(value: unknown, found: (path: string) => void): void {
  let open = true;
  setImmediate(() => {
    open = false;
  });
  for (const [path, later] of laterIn(value)) {
    pulumi.isSecret(pulumi.output(later)).then(
      (secret) => secret && open && found(path),
      () => undefined, // what rejects is reported by those who use it
    );
  }
}
