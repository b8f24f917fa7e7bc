/**
 * The source of truth of a network: one document, in which each stack has a part that it alone writes and signs. Its text
 * has one node or link a line, in one order, so that a line diff says what is different.
 */
import { z } from "zod";
import { type Fault, fault, fromZod } from "../faults";
import { nameField, ownerField } from "../network/fields";
import { crossFaults } from "./faults";
import { ascending, type Part, partSchema } from "./schema";

/** Bytes: 10,000 nodes have 3 MB of text. */
export const MAX_BYTES = 16 * 2 ** 20;

/** `MIGRATIONS[n]` makes a part of version n + 2 of one of version n + 1; the schema is that of the last. */
export type Migration = (part: Record<string, unknown>) => Record<string, unknown>;
const MIGRATIONS: Migration[] = [];
const { value: SCHEMA } = partSchema.shape.version;

const documentSchema = z.strictObject({
  version: z.literal(1),
  network: nameField,
  /** Made at random with the document: another network may have the same name. */
  identity: z.string().regex(/^[0-9a-f]{32}$/, { error: "32 hexadecimal digits, as they were made with the document" }),
  /** Rises with each write. */
  serial: z.int().min(1),
  stacks: z.record(ownerField, partSchema),
});
export type Document = z.output<typeof documentSchema>;

/** Parts of an older version as they were signed; who is not their owner writes them back so. */
const signed = new WeakMap<Part, unknown>();

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** JSON in one line, whatever order the fields came in. */
export function line(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(line).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const fields = Object.keys(value)
    .filter((name) => value[name] !== undefined)
    .sort(ascending);
  return `{${fields.map((name) => `${JSON.stringify(name)}:${line(value[name])}`).join(",")}}`;
}

type Entry = [name: string, text: string];

const block = (entries: readonly Entry[]): string =>
  entries.length === 0 ? "{}" : `{\n${entries.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(",\n")}\n}`;

const inLines = (value: unknown): string =>
  isObject(value)
    ? block(
        Object.keys(value)
          .sort(ascending)
          .map((name) => [name, line(value[name])]),
      )
    : line(value);

const partText = (part: Record<string, unknown>, hidden: readonly string[] = []): string =>
  block(
    Object.keys(part)
      .filter((name) => part[name] !== undefined && !hidden.includes(name))
      .sort(ascending)
      .map((name) => [name, name === "nodes" || name === "links" ? inLines(part[name]) : line(part[name])]),
  );

const asWritten = (part: Part): Record<string, unknown> => (signed.get(part) ?? part) as Record<string, unknown>;

/** The document's text; the same for the same content. */
export function print({ version, network, identity, serial, stacks }: Document): string {
  const parts = Object.entries(stacks)
    .sort(([a], [b]) => ascending(a, b))
    .map(([stack, part]): Entry => [stack, partText(asWritten(part))]);
  const head: Entry[] = Object.entries({ version, network, identity, serial }).map(([name, it]) => [name, line(it)]);
  return `${block([...head, ["stacks", block(parts)]])}\n`;
}

/** What a stack's signature is of: its part, and which network it is a part of. */
export const payload = ({ network, identity }: Pick<Document, "network" | "identity">, stack: string, part: Part) =>
  `${line({ network, identity, stack })}\n${partText(asWritten(part), ["signature"])}\n`;

export type Parsed = { value: Document } | { faults: Fault[] };

const RESTORE = "`overlay truth log` shows the last good one, and `overlay truth put` writes it back";

const unreadable = (legal: string): Parsed => ({
  faults: [fault([], undefined, { code: "truth/unreadable", legal, cure: RESTORE })],
});

/** The document in a text, or all that is wrong with it. */
export function parseDocument(text: string, migrations: readonly Migration[] = MIGRATIONS): Parsed {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_BYTES) return unreadable(`a document of at most ${MAX_BYTES} bytes, and this has ${bytes}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const why = text.trimEnd().endsWith("}") ? "it is not JSON" : "it is cut off";
    return unreadable(`a whole document, as \`overlay truth get\` prints it, and ${why} (${bytes} bytes)`);
  }
  const ahead = fromTheFuture(value, migrations.length + 1);
  if (ahead.length > 0) return { faults: ahead };
  const { migrated, originals } = migrate(value, migrations);
  const result = documentSchema.safeParse(migrated);
  if (!result.success) {
    return { faults: [...fromZod(result.error, migrated, documentSchema), ...crossFaults(migrated)] };
  }
  for (const [stack, original] of originals) {
    const part = result.data.stacks[stack];
    if (part) signed.set(part, original);
  }
  const faults = crossFaults(result.data);
  return faults.length > 0 ? { faults } : { value: result.data };
}

const partsOf = (value: unknown): [stack: string, part: Record<string, unknown>][] =>
  Object.entries(Object((value as { stacks?: unknown } | null)?.stacks)).filter(
    (it): it is [string, Record<string, unknown>] => isObject(it[1]),
  );

function fromTheFuture(value: unknown, known: number): Fault[] {
  const versions: [path: string[], version: unknown, known: number][] = [
    [["version"], (value as { version?: unknown } | null)?.version, 1],
    ...partsOf(value).map(([stack, { version }]): [string[], unknown, number] => [
      ["stacks", stack, "version"],
      version,
      known,
    ]),
  ];
  return versions
    .filter(([, version, most]) => typeof version === "number" && version > most)
    .map(([path, version, most]) =>
      fault(path, version, {
        code: "truth/version",
        legal: `at most ${most}, which is what this version of pulumi-overlay knows`,
        cure: "update pulumi-overlay here, or write that part with this version",
      }),
    );
}

/** The same value with every part of the newest version, and those that were of an older one as they were. */
function migrate(value: unknown, migrations: readonly Migration[]) {
  const originals: [stack: string, original: unknown][] = [];
  const stacks = partsOf(value).map(([stack, part]) => {
    const { version } = part;
    if (typeof version !== "number" || version < 1 || version > migrations.length) return [stack, part];
    originals.push([stack, part]);
    return [stack, { ...migrations.slice(version - 1).reduce((it, next) => next(it), part), version: SCHEMA }];
  });
  if (originals.length === 0) return { migrated: value, originals };
  const whole = value as { stacks: object };
  return { migrated: { ...whole, stacks: { ...whole.stacks, ...Object.fromEntries(stacks) } }, originals };
}
