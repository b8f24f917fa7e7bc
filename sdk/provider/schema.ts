/**
 * The package's schema, from which Pulumi makes SDKs and documentation: written from the same zod schemas that check
 * what people write. https://www.pulumi.com/docs/iac/guides/building-extending/packages/schema/
 */
import { z } from "zod";
import type { ComponentType } from "./construct";
import { type ResourceType, resourceType, tokens } from "./registry";
import { partInputs } from "./truth";

/** What is used of JSON Schema, as z.toJSONSchema writes it. */
interface JsonSchema {
  type?: string;
  $ref?: string;
  description?: string;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  additionalProperties?: JsonSchema | boolean;
  enum?: string[];
  anyOf?: JsonSchema[];
  $defs?: Record<string, JsonSchema>;
  /** Marks of the components' own: a value that may be an Output, an argument that is a component. */
  input?: boolean;
  resource?: string;
}

/** A property or a type of Pulumi's schema. */
type Spec = Record<string, unknown>;
type Specs = Record<string, Spec>;

const asJson = (schema: z.ZodType): JsonSchema =>
  z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema;

const mapped = <T, U>(record: Record<string, T> = {}, change: (value: T, name: string) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value, name)]));

const typeToken = (name: string): string => `overlay:index:${name}`;

/** The shape of a value. */
function shape(json: JsonSchema): Spec {
  const { anyOf = [] } = json;
  const last = anyOf.at(-1);
  // An Output or the value itself: the latter is the last.
  if (last && json.input) return shape(last);
  if (last) return { oneOf: anyOf.map(shape) };
  if (json.resource) return { $ref: `#/resources/${json.resource}` };
  if (json.$ref) return { $ref: `#/types/${typeToken(json.$ref.replace("#/$defs/", ""))}` };
  if (json.items) return { type: "array", items: shape(json.items) };
  if (typeof json.additionalProperties === "object") {
    return { type: "object", additionalProperties: shape(json.additionalProperties) };
  }
  return { type: json.type };
}

const described = (json: JsonSchema): Spec => ({
  ...shape(json),
  ...(json.description && { description: json.description }),
});

/** Whether a value, or any part of it, may be known only later. */
function mayBeLater(json: JsonSchema, types: Record<string, JsonSchema>): boolean {
  const { items, additionalProperties, properties = {}, anyOf = [], $ref } = json;
  const inside = [
    ...Object.values(properties),
    ...anyOf,
    items,
    additionalProperties,
    types[$ref?.split("/").at(-1) ?? ""],
  ];
  return json.input === true || inside.some((it) => typeof it === "object" && mayBeLater(it, types));
}

/** Of arguments: where nothing is marked as an input, all has to be known when the program runs. */
const argument =
  (types: Record<string, JsonSchema> = {}) =>
  (json: JsonSchema): Spec => ({ ...described(json), ...(!mayBeLater(json, types) && { plain: true }) });

function namedType({ description, ...json }: JsonSchema): Spec {
  const words = description && { description };
  if (json.enum) return { ...words, type: "string", enum: json.enum.map((value) => ({ value })) };
  return { ...words, type: "object", properties: mapped(json.properties, described), required: json.required ?? [] };
}

function component({ token, description, args, outputs }: ComponentType): { resources: Specs; types: Specs } {
  const [taken, given] = [asJson(args), asJson(outputs)];
  const types = mapped({ ...given.$defs, ...taken.$defs }, namedType);
  const resource = {
    isComponent: true,
    description,
    inputProperties: mapped(taken.properties, argument(taken.$defs)),
    requiredInputs: taken.required ?? [],
    properties: mapped(given.properties, described),
    required: given.required ?? [],
  };
  return {
    resources: { [token]: resource },
    types: Object.fromEntries(Object.entries(types).map(([name, type]) => [typeToken(name), type])),
  };
}

const text = (description: string): Spec => ({ type: "string", description });

/** What components make. Their spec is JSON text: state keeps it so, and an import hands it back. */
function resource(type: ResourceType): Spec {
  const inputProperties = {
    connection: { $ref: `#/types/${typeToken("Connection")}`, description: "How the machine is reached over SSH." },
    ...(!type.machine && { machine: text("The Host's output: another machine gets everything afresh.") }),
    spec: text("What it is to be, as JSON."),
    ...(type.asksOther && {
      other: {
        $ref: `#/types/${typeToken("Connection")}`,
        description: "How the machine at the other end is reached.",
      },
    }),
  };
  const properties = {
    config: text("The kernel's lines as they were last known, in the words of ip(8), wg(8) and nft(8)."),
    machine: text("/etc/machine-id of the machine."),
    resource: text("Type and name by which the host knows whose a boot file is."),
    ...mapped(type.results, (_, name) => ({
      type: "string",
      description: RESULTS[`${type.technology.token} ${name}`] ?? RESULTS[name],
    })),
  };
  const made = madeBy("a component", inputProperties, properties);
  return { ...made, requiredInputs: made.requiredInputs.filter((name) => name !== "other") };
}

/** A resource that a component makes: it has all of its inputs, and all of its outputs. */
const madeBy = (who: string, inputProperties: Spec, properties: Spec) => ({
  description: `Made by ${who}; for the rare case that needs one alone.`,
  inputProperties,
  requiredInputs: Object.keys(inputProperties),
  properties,
  required: Object.keys(properties),
});

/** A stack's part of a source of truth, which is on no host. */
function truthPart(): Spec {
  const inputs = asJson(partInputs);
  const inputProperties = mapped(inputs.properties, ({ description }, name) =>
    name === "signers"
      ? { type: "object", additionalProperties: { type: "array", items: { type: "string" } }, description }
      : { type: "string", description },
  );
  const properties = {
    config: text("What the stack says in the document, as lines, as it was last known."),
    known: text("The serial of each part that was seen, as JSON: an older one is refused."),
    told: text(
      "Names of the hosts that were told something, as JSON: when they lose their last link, they are told that.",
    ),
    extracts: text("SHA-256 of what hosts were told."),
    identity: text("Of the document: another network may have the same name."),
    serial: { type: "integer", description: "Of the document." },
  };
  return { ...madeBy("SourceOfTruth", inputProperties, properties), requiredInputs: inputs.required };
}

const RESULTS: Record<string, string> = {
  publicKey: "WireGuard public key; the private one never leaves the machine.",
  "overlay:rosenpass:Key publicKey": "SHA-256 of the Rosenpass public key; the secret one never leaves the machine.",
  version: "What Rosenpass says that it is there.",
  wireguard: "Where WireGuard runs: kernel or userspace.",
};

export interface Package {
  version: string;
  /** The provider's own configuration. */
  configuration: z.ZodObject;
  components: readonly ComponentType[];
}

/** The schema as Pulumi's engine and its generators of SDKs read it. */
export function packageSchema({ version, configuration, components }: Package): object {
  const made = components.map(component);
  const variables = mapped(asJson(configuration).properties, described);
  return {
    name: "overlay",
    version,
    displayName: "Overlay",
    description: "Encrypted overlay networks on real Linux hosts.",
    keywords: ["pulumi", "overlay", "wireguard", "network", "category/network"],
    license: "Apache-2.0",
    config: { variables },
    provider: { description: "How hosts are reached.", inputProperties: variables },
    resources: Object.assign(
      {},
      ...made.map(({ resources }) => resources),
      ...tokens.map((token) => ({ [token]: resource(resourceType(token) as ResourceType) })),
      { "overlay:truth:Part": truthPart() },
    ),
    types: Object.assign({}, ...made.map(({ types }) => types)),
    language: {
      nodejs: { packageName: "pulumi-overlay", respectSchemaVersion: true },
      python: { packageName: "pulumi_overlay", pyproject: { enabled: true }, respectSchemaVersion: true },
    },
  };
}
