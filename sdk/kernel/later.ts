/** Values that exist only after another resource does: text that stands in for them in a preview. */
import { z } from "zod";

const PLACEHOLDER = /<known after [^<>]+ is created>/;

export const placeholder = (name: string): string => `<known after ${name} is created>`;

/** True for text that is or contains a placeholder. */
export const isPlaceholder = (text: string): boolean => text.includes("<") && PLACEHOLDER.test(text);

// With `abort` zod reports what the other schema says of a value that neither accepts.
const standIn = z.string().regex(new RegExp(`^${PLACEHOLDER.source}$`), { abort: true });

/** Accepts what the schema accepts, or a placeholder in its place. */
export const later = <T extends z.ZodType>(schema: T) => z.union([standIn, schema]);

/** Accepts a list of what the schema accepts; a placeholder stands for one of them, or for all, which is then one. */
export const laterList = <T extends z.ZodType>(schema: T) =>
  z.union([standIn.transform((text) => [text]), z.array(later(schema))]);
