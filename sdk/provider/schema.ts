/**
 * The package's schema, from which Pulumi makes SDKs and documentation: written from the same zod schemas that check
 * what people write. https://www.pulumi.com/docs/iac/guides/building-extending/packages/schema/
 */
import assert from "node:assert/strict";
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
  /**
   * Marks of the fields' own: a value that may be an Output, an argument that is a component, a secret, and of an enum what
   * each value stands for.
   */
  input?: boolean;
  resource?: string;
  secret?: boolean;
  values?: Record<string, string>;
}

/** A property or a type of Pulumi's schema. */
type Spec = Record<string, unknown>;
type Specs = Record<string, Spec>;

const asJson = (schema: z.ZodType): JsonSchema =>
  z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema;

const mapped = <T, U>(record: Record<string, T> = {}, change: (value: T, name: string) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value, name)]));

const typeToken = (name: string): string => `overlay:index:${name}`;

/** The value itself, of what may be that or an Output. */
const itself = (json: JsonSchema): JsonSchema => (json.input ? (json.anyOf?.at(-1) ?? json) : json);

/**
 * The shape of a value. `mark`: `plain` where that is said of all that is not marked as an input, at each level by itself: a
 * list whose items may be Outputs has to be a list when the program runs.
 */
function shape(json: JsonSchema, mark: { plain?: true }): Spec {
  const own = json.input ? {} : mark;
  const { anyOf, resource, $ref, items, additionalProperties, type, enum: values } = itself(json);
  const inner = (it: JsonSchema): Spec => shape(it, mark);
  if (anyOf) return { oneOf: anyOf.map(inner), ...own };
  if (resource) return { $ref: `#/resources/${resource}`, ...own };
  if ($ref) return { $ref: `#/types/${typeToken($ref.replace("#/$defs/", ""))}`, ...own };
  if (items) return { type: "array", items: inner(items), ...own };
  if (typeof additionalProperties === "object") {
    return { type: "object", additionalProperties: inner(additionalProperties), ...own };
  }
  assert(values === undefined, `an enum without an id: ${values?.join(", ")}`);
  return { type, ...own };
}

const described =
  (mark: { plain?: true }) =>
  (json: JsonSchema): Spec => ({ ...shape(json, mark), ...(json.description && { description: json.description }) });

const argument = described({ plain: true });
const result = described({});

const ANY = "pulumi.json#/Any";

/**
 * A field of a type: a component is anything there. An SDK for Python has a component's module import the types', and could not be
 * imported if these imported it.
 */
const field = (json: JsonSchema): Spec => ({ ...argument(json), ...(json.resource && { $ref: ANY }) });

function namedType({ description, ...json }: JsonSchema, name: string): Spec {
  const words = description && { description };
  if (!json.enum) {
    return { ...words, type: "object", properties: mapped(json.properties, field), required: json.required ?? [] };
  }
  const meant = (value: string): string => {
    const words = json.values?.[value];
    assert(words !== undefined, `nothing says what ${value} of ${name} stands for`);
    return words;
  };
  return { ...words, type: "string", enum: json.enum.map((value) => ({ value, description: meant(value) })) };
}

const typesOf = (definitions: Record<string, JsonSchema>): Specs =>
  Object.fromEntries(Object.entries(definitions).map(([name, json]) => [typeToken(name), namedType(json, name)]));

function component({ token, description, args, outputs }: ComponentType): { resources: Specs; types: Specs } {
  const [taken, given] = [asJson(args), asJson(outputs)];
  const resource = {
    isComponent: true,
    description,
    inputProperties: mapped(taken.properties, argument),
    requiredInputs: taken.required ?? [],
    properties: mapped(given.properties, result),
    required: given.required ?? [],
  };
  return { resources: { [token]: resource }, types: typesOf({ ...given.$defs, ...taken.$defs }) };
}

/** A setting, which travels as text: an enum of it would be read as JSON by programs. */
const setting = ({ enum: _, ...json }: JsonSchema): Spec => ({ ...result(json), ...(json.secret && { secret: true }) });

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
  /** What the components read of the stack's configuration. */
  settings: z.ZodObject;
  components: readonly ComponentType[];
}

/** The schema as Pulumi's engine and its generators of SDKs read it. */
export function packageSchema({ version, configuration, settings, components }: Package): object {
  const made = components.map(component);
  const inputProperties = mapped(asJson(configuration).properties, setting);
  const ofStack = asJson(settings);
  return {
    name: "overlay",
    version,
    displayName: "Overlay",
    description: "Encrypted overlay networks on real Linux hosts.",
    keywords: ["pulumi", "overlay", "wireguard", "network", "category/network"],
    license: "Apache-2.0",
    config: { variables: { ...inputProperties, ...mapped(ofStack.properties, result) } },
    provider: { description: "How hosts are reached.", inputProperties },
    resources: Object.assign(
      {},
      ...made.map(({ resources }) => resources),
      ...tokens.map((token) => ({ [token]: resource(resourceType(token) as ResourceType) })),
      { "overlay:truth:Part": truthPart() },
    ),
    types: Object.assign(typesOf(ofStack.$defs ?? {}), ...made.map(({ types }) => types)),
    language: {
      // Other than that of the npm package, which programs in TypeScript use without an SDK.
      nodejs: { packageName: "pulumi-overlay-sdk", respectSchemaVersion: true },
      python: { packageName: "pulumi_overlay", pyproject: { enabled: true }, respectSchemaVersion: true },
      go: {
        // It is to be had nowhere: who generates it says where it is (docs/languages.md).
        importBasePath: "example.com/pulumi-overlay/sdk/go/overlay",
        // Else the items of lists that have to be known are of types that it does not have.
        generateExtraInputTypes: true,
        respectSchemaVersion: true,
      },
    },
  };
}
