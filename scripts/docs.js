/**
 * `npm run docs`: the reference of what the package exports, in dist/reference. TypeDoc sees no words in zod's schemas, so what
 * each argument means is a document beside it, from schema.json.
 */
const { spawnSync } = require("node:child_process");
const { mkdirSync, readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");

const root = join(__dirname, "..");
const schema = JSON.parse(readFileSync(join(root, "schema.json"), "utf8"));

const nameOf = (token) => token.split(":").at(-1);

function typeOf({ $ref, type, items, additionalProperties, oneOf }) {
  if ($ref?.startsWith("#/types/")) return `[${nameOf($ref)}](#${nameOf($ref).toLowerCase()})`;
  if ($ref) return $ref === "pulumi.json#/Any" ? "component" : nameOf($ref);
  if (items) return `list of ${typeOf(items)}`;
  if (additionalProperties) return `by name, ${typeOf(additionalProperties)}`;
  return oneOf ? oneOf.map(typeOf).join(" or ") : type;
}

const cell = (text = "") => text.replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll("{", "&#123;");

const table = (properties, required = []) =>
  [
    "| | | |",
    "|---|---|---|",
    ...Object.entries(properties).map(([name, property]) => {
      const { description } = property;
      return `| ${required.includes(name) ? `**${name}**` : name} | ${typeOf(property)} | ${cell(description)} |`;
    }),
  ].join("\n");

const section = (title, description, body) => [`## ${title}`, ...(description ? [cell(description)] : []), body];

const components = Object.entries(schema.resources)
  .filter(([, { isComponent }]) => isComponent)
  .flatMap(([token, { description, inputProperties, requiredInputs }]) =>
    section(nameOf(token), description, table(inputProperties, requiredInputs)),
  );
const types = Object.entries(schema.types).flatMap(([token, { description, properties, required, enum: values }]) =>
  section(
    nameOf(token),
    description,
    values
      ? values.map(({ value, description }) => `- \`${value}\`: ${cell(description)}`).join("\n")
      : table(properties, required),
  ),
);
const head = ["---\ntitle: Arguments\n---", "# Arguments", "What is in bold is required."];

mkdirSync(join(root, "dist"), { recursive: true });
writeFileSync(join(root, "dist/arguments.md"), `${[...head, ...components, ...types].join("\n\n")}\n`);
const typedoc = join(root, "node_modules/typedoc/bin/typedoc");
process.exitCode =
  spawnSync(process.execPath, [typedoc, ...process.argv.slice(2)], { cwd: root, stdio: "inherit" }).status ?? 1;
