/** A component's outputs: what it registers, and what it has from the start. */
import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";

/** Every output, to be had before it has a value: a program goes on to its end even when a component has faults. */
export const unsettled = (outputs: z.ZodObject): pulumi.Inputs => each(outputs, () => undefined);

/** Every output with its value. */
export const settled = (outputs: z.ZodObject, values: pulumi.Inputs): Record<string, pulumi.Output<unknown>> =>
  each(outputs, (name) => pulumi.output(values[name]));

const each = <T>(outputs: z.ZodObject, value: (name: string) => T): Record<string, T> =>
  Object.fromEntries(Object.keys(outputs.shape).map((name) => [name, value(name)]));

/** Whose the machines are: `project/stack`. */
export const owner = (): string => `${pulumi.getProject()}/${pulumi.getStack()}`;
