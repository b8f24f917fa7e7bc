/** Facts as text: what preview shows, what state keeps, what a host replays at boot. */
import type { Fact } from "./fact";
import { kindOf } from "./kinds";
import { inOrder } from "./order";

function lines(facts: readonly Fact[]): string[] {
  const all: string[] = [];
  for (const fact of inOrder(facts)) all.push(...kindOf(fact).lines(fact.value));
  return all;
}

/** The `config` of a resource: one line or a few for each fact, each whole in itself. */
export const text = (facts: readonly Fact[]): string => lines(facts).join("\n");

/** The boot file of a resource: whose it is, then all that a reboot loses. */
export const bootText = (owner: string, facts: readonly Fact[]): string =>
  [`# ${owner}`, ...lines(facts.filter((fact) => kindOf(fact).volatile)), ""].join("\n");
