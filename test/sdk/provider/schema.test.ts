/** The committed schema is the one that the zod schemas make. `UPDATE_GOLDEN=1` writes it anew. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { components } from "../../../components";
import { Configuration } from "../../../sdk/provider/configuration";
import { packageSchema } from "../../../sdk/provider/schema";

const root = join(__dirname, "../../..");
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };

test("schema.json is up to date", () => {
  const path = join(root, "schema.json");
  const schema = `${JSON.stringify(packageSchema({ version, configuration: Configuration, components }), null, 2)}\n`;
  if (process.env.UPDATE_GOLDEN === "1") writeFileSync(path, schema);
  expect(schema).toBe(readFileSync(path, "utf8"));
});

test("nothing lacks a description: no resource, no type, none of their properties", () => {
  const { resources, types, config, provider } = packageSchema({
    version,
    configuration: Configuration,
    components,
  }) as {
    [of in "resources" | "types"]: Record<string, Described>;
  } & { config: { variables: Record<string, Described> }; provider: Described };
  const lacking = (name: string, of: Described): string[] => [
    ...(of.description ? [] : [name]),
    ...Object.entries({ ...of.properties, ...of.inputProperties })
      .filter(([, { description }]) => !description)
      .map(([property]) => `${name} ${property}`),
  ];
  const all = Object.entries({ provider, ...config.variables, ...resources, ...types });
  expect(all.length).toBeGreaterThan(40);
  expect(all.flatMap(([name, of]) => lacking(name, of))).toEqual([]);
});

interface Described {
  description?: string;
  properties?: Record<string, Described>;
  inputProperties?: Record<string, Described>;
}

test("every argument is described, with its default or an example", () => {
  const poor = components.flatMap(({ token, args }) =>
    Object.entries(args.shape)
      .filter(([, field]) => !field.description || (field.isOptional() && !/Default: /.test(field.description)))
      .map(([name]) => `${token} ${name}`),
  );
  expect(poor).toEqual([]);
});
