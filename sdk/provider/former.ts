/**
 * What a resource was before. A half-applied update leaves things of the old spec and of the new one on the host, and
 * the engine then keeps the old inputs: all specs stay in the outputs, until all that they had is gone.
 */
import { type Fact, factId } from "../kernel";
import { parseSpec } from "./inputs";
import type { ResourceType } from "./registry";
import type { Values } from "./wire";

/** One spec that the host has or had, in whole or in part. */
export interface Shape {
  facts: Fact[];
  bootFile: string;
}

/** Specs as JSON, the last one first. */
export const specsOf = (inputs: Values, outputs: Values): string[] => [
  ...new Set([String(inputs.spec), ...((outputs.former as string[] | undefined) ?? [])]),
];

export const shapes = (type: ResourceType, specs: readonly string[]): Shape[] =>
  specs.map((json) => {
    const spec = parseSpec(type, json);
    return { facts: type.technology.plan(spec), bootFile: type.bootFile(spec) };
  });

/** Each fact once; of two with the same identity the first counts. */
export const once = (facts: readonly Fact[]): Fact[] => [
  ...new Map([...facts].reverse().map((fact) => [factId(fact), fact])).values(),
];
