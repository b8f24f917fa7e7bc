/** A component's outputs, and what its options say about what it makes. */

import type { z } from "zod";
import { marked, type WarningCode } from "../sdk/codes";
import * as pulumi from "../sdk/provider/pulumi";
import { lift } from "./input";
import { program } from "./program";

/** Names alone: a component that was made elsewhere gets its values from the engine. */
export const named = (outputs: z.ZodObject): pulumi.Inputs => each(outputs, () => undefined);

/**
 * With their values, as state keeps them. What is known goes as it is: Pulumi takes a stack trace of each Output there, and
 * looks up its lines in source maps.
 */
export const settled = (outputs: z.ZodObject, values: pulumi.Inputs): pulumi.Inputs =>
  each(outputs, (name) => lift((value) => value, values[name]));

/** The same as a component has them. */
export const properties = (outputs: pulumi.Inputs): Record<string, pulumi.Output<unknown>> =>
  Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, pulumi.output(value)]));

/** Of a component with faults: to be had, so that the program goes on to its end, but without a value for ever. */
export const withheld = (outputs: z.ZodObject): Record<string, pulumi.Output<unknown>> =>
  each(outputs, () => program().whenDeclared(() => undefined));

const each = <T>(outputs: z.ZodObject, value: (name: string) => T): Record<string, T> =>
  Object.fromEntries(Object.keys(outputs.shape).map((name) => [name, value(name)]));

/** Whose the machines are: `project/stack`. */
export const owner = (): string => `${pulumi.getProject()}/${pulumi.getStack()}`;

/** What people are to know before it is made. */
export function foretell(
  component: pulumi.ComponentResource,
  code: WarningCode,
  warning: pulumi.Input<string | undefined>,
): void {
  if (!pulumi.runtime.isDryRun()) return;
  pulumi.output(warning).apply((text) => text !== undefined && pulumi.log.warn(marked(code, text), component));
}

/** A component's time limits are those of the resources that it makes: it does nothing itself. */
export const timeouts = ({
  customTimeouts,
}: pulumi.ResourceOptions): Pick<pulumi.ResourceOptions, "customTimeouts"> => ({
  ...(customTimeouts && { customTimeouts }),
});

/** The names among a component's aliases, given as URN or by themselves. */
export const formerNames = ({ aliases = [] }: pulumi.ComponentResourceOptions): string[] =>
  aliases.flatMap((alias) => {
    const name = typeof alias === "string" ? alias.split("::").at(-1) : (alias as pulumi.Alias).name;
    return typeof name === "string" ? [name] : [];
  });
