/** The provider's own configuration: how hosts are reached, the same for all of them. */
import { z } from "zod";
import { type Fault, parse } from "../faults";
import { plain, Secret, type Values } from "./wire";

export const Configuration = z.strictObject({
  ssh: z
    .string()
    .trim()
    .min(1)
    .default("ssh")
    .describe("The command to use as ssh, split at white space. Default: ssh. Example: ssh -F ./ssh_config"),
  identities: z
    .array(z.string())
    .default([])
    .describe("Private keys, as text; a secret. Default: none, and ssh has its own.")
    .meta({ secret: true }),
  live: z
    .enum(["on", "off"])
    .default("off")
    .describe("Whether every preview reads the hosts first, on or off. Default: off. Example: on"),
  allowDestroy: z
    .enum(["on", "off", "true", "false"])
    .default("off")
    .describe(
      "Whether a run may remove more than a fifth of the stack's links, on or off, or true or false, which are the same. " +
        "Default: off. Example: true",
    ),
});
export type Configuration = z.output<typeof Configuration>;

/** Not for us: added by the engine and by the SDK; and what the components read (components/rollout.ts). */
const FOREIGN = ["version", "pluginDownloadURL", "rollout"];

/** Lists travel as JSON text. One key may be given as it is. */
function list(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    const parsed: unknown = JSON.parse(value);
    return Array.isArray(parsed) ? parsed : [value];
  } catch {
    return [value];
  }
}

const fieldsOf = (values: Values): Values =>
  Object.fromEntries(
    Object.entries(plain(values) as Values)
      .filter(([name]) => !FOREIGN.includes(name) && !name.startsWith("__"))
      .map(([name, value]) => [name, name === "identities" ? list(value) : value]),
  );

/** The configuration; or all its faults. */
export const configuration = (values: Values): { value: Configuration } | { faults: Fault[] } =>
  parse(Configuration, fieldsOf(values));

/** As state keeps it: private keys are a secret there, also where the user forgot to say so. */
export const guarded = (values: Values): Values =>
  values.identities === undefined ? values : { ...values, identities: new Secret(plain(values.identities)) };
