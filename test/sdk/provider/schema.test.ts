/** The committed schema is the one that the zod schemas make. `UPDATE_GOLDEN=1` writes it anew. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { settings } from "../../../components/rollout";
import { components } from "../../../components/types";
import { Configuration } from "../../../sdk/provider/configuration";
import { packageSchema } from "../../../sdk/provider/schema";

const root = join(__dirname, "../../..");
const { name, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Record<string, string>;

interface Property {
  description?: string;
  type?: string;
  $ref?: string;
  items?: Property;
  additionalProperties?: Property;
  plain?: boolean;
  secret?: boolean;
}

interface Described {
  isComponent?: boolean;
  description?: string;
  properties?: Record<string, Property>;
  inputProperties?: Record<string, Property>;
  required?: string[];
  requiredInputs?: string[];
  enum?: { value: string; description?: string }[];
}

const written = packageSchema({ version: version ?? "", configuration: Configuration, settings, components });
const { resources, types, config, provider, language } = written as {
  [of in "resources" | "types"]: Record<string, Described>;
} & {
  config: { variables: Record<string, Property> };
  provider: Described;
  language: Record<string, Record<string, string>>;
};

test("schema.json is up to date", () => {
  const path = join(root, "schema.json");
  const schema = `${JSON.stringify(written, null, 2)}\n`;
  if (process.env.UPDATE_GOLDEN === "1") writeFileSync(path, schema);
  expect(schema).toBe(readFileSync(path, "utf8"));
});

test("nothing lacks a description: no resource, no type, no input, no output, no value", () => {
  const of = (name: string, properties: Record<string, { description?: string }> = {}) =>
    Object.entries(properties).map(([property, { description }]) => [`${name} ${property}`, description]);
  const all = Object.entries({ provider, ...resources, ...types }).flatMap(([name, it]) => [
    [name, it.description],
    ...of(`${name} input`, it.inputProperties),
    ...of(`${name} output`, it.properties),
    ...(it.enum ?? []).map(({ value, description }) => [`${name} ${value}`, description]),
  ]);
  const everything = [...all, ...of("config", config.variables)];
  expect(everything.length).toBeGreaterThan(250);
  expect(everything.filter(([, description]) => !description)).toEqual([]);
});

/** What is given to a component, by where it stands: its arguments, and the fields of the types that they have. */
function given(): [where: string, field: Property, required: boolean][] {
  const seen = new Set<string>();
  const within = ({ $ref, items, additionalProperties }: Property): string[] => [
    ...($ref?.startsWith("#/types/") ? [$ref.slice("#/types/".length)] : []),
    ...[items, additionalProperties].flatMap((it) => (it ? within(it) : [])),
  ];
  const fields = (
    name: string,
    all: Record<string, Property> = {},
    required: string[] = [],
  ): ReturnType<typeof given> =>
    Object.entries(all).flatMap(([field, property]) => [
      [`${name}.${field}`, property, required.includes(field)] as [string, Property, boolean],
      ...within(property).flatMap((type) => {
        if (seen.has(type)) return [];
        seen.add(type);
        return fields(type, types[type]?.properties, types[type]?.required);
      }),
    ]);
  const own = Object.entries(resources).filter(([, { isComponent }]) => isComponent);
  return own.flatMap(([token, it]) => fields(token, it.inputProperties, it.requiredInputs));
}

test("what may be left out says its default", () => {
  const all = [...given(), ...Object.entries(config.variables).map(([name, it]) => [name, it, false] as const)];
  expect(all.length).toBeGreaterThan(100);
  const poor = all.filter(([, { description = "" }, required]) => !required && !/Default: /.test(description));
  expect(poor.map(([where]) => where)).toEqual([]);
});

test("settings name their legal words, and a secret is one", () => {
  for (const [name, field] of Object.entries(Configuration.shape)) {
    const [{ description = "", secret }] = [config.variables[name] ?? {}];
    const inner = field.unwrap();
    const words = inner instanceof z.ZodEnum ? inner.options : [];
    for (const word of words) expect(description).toMatch(new RegExp(`\\b${word}\\b`));
    expect({ name, secret: secret === true }).toEqual({ name, secret: name === "identities" });
  }
  expect(Object.keys(config.variables)).toContain("rollout");
});

test("an SDK that is generated for TypeScript has another name than this npm package", () => {
  expect(language.nodejs?.packageName).not.toBe(name);
});
