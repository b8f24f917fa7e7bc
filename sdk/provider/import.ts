/** `pulumi import`: a resource that somebody else made, or that state has lost, known by nothing but HOST/DEVICE. */
import { queries, text } from "../kernel";
import { type Operation, type State, state } from "./lifecycle";
import { Refused } from "./outcome";
import type { ResourceType } from "./registry";
import type { Values } from "./wire";

export async function find(
  type: ResourceType,
  id: string,
  operation: Operation,
): Promise<{ inputs: Values; outputs: State } | undefined> {
  throw new Refused(`${id}: import is not there yet`);
}
