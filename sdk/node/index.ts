import { nestedElse } from "../kernel/nested";
import { type Technology, warningsOf } from "../kernel/technology";
import { faults, queries } from "./faults";
import { type Agents, plan } from "./plan";
import { type Input, type Spec, spec } from "./spec";

export { agentFields, type ChooserSpec, chooser, chooserTraces, profileField } from "./choose";
export { type KeySpec as NodeKeySpec, nodeKey } from "./key";
export type { Agents, Input as HostSpec };

/** A machine of the network. `agents`: the files that stay on a host, which the plan writes but may not read itself. */
export const node = (agents: Agents): Technology<Input, Spec> => ({
  token: "overlay:node:Host",
  spec,
  plan: plan(agents),
  queries,
  faults,
  warnings: (spec, snapshot) => warningsOf("warning/nested", nestedElse(spec.node, snapshot)),
});
