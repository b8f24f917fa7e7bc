/**
 * What is found out once: a mesh of a thousand says the same of each node a thousand times. Nothing is forgotten, for a
 * run of the engine is over before there is too much of it.
 */
import type { z } from "zod";

export function remembered<T>(compute: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined || known.has(text)) return before as T;
    const found = compute(text);
    known.set(text, found);
    return found;
  };
}

/** The same of an object that nobody changes, and of a text; of several texts with one object, the last. */
export function rememberedOf<O extends object, T>(compute: (of: O, text: string) => T): (of: O, text?: string) => T {
  const known = new WeakMap<O, { text: string; found: T }>();
  return (of, text = "") => {
    const before = known.get(of);
    if (before?.text === text) return before.found;
    const found = compute(of, text);
    known.set(of, { text, found });
    return found;
  };
}

/**
 * The same schema, which looks at each value once; of those with one name, at the last. What it gives for equal values is
 * one and the same object.
 */
export function rememberedByName<S extends z.ZodObject<{ name: z.ZodType }>>(schema: S): S {
  const known = new Map<unknown, { input: unknown; output: unknown }>();
  const { run } = schema._zod;
  schema._zod.run = (payload, context) => {
    const input = payload.value;
    const name = (input as { name?: unknown } | undefined)?.name;
    const before = known.get(name);
    if (before && equal(before.input, input)) {
      payload.value = before.output;
      return payload;
    }
    const result = run(payload, context);
    if (!(result instanceof Promise) && result.issues.length === 0) known.set(name, { input, output: result.value });
    return result;
  };
  return schema;
}

/** Equal as JSON, the fields in the same order. */
function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((one, index) => equal(one, b[index]));
  const [before, now] = [Object.keys(a), Object.keys(b)];
  return (
    before.length === now.length &&
    before.every((name, index) => name === now[index] && equal(a[name as keyof typeof a], b[name as keyof typeof b]))
  );
}
