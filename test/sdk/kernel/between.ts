import { changes, type HostFacts, live } from "../../../sdk/kernel";
import { KernelModel } from "../../kernel-model";
import { type Declared, planned } from "../planned";
import { either } from "./arbitrary";

/** A host that is as declared, and the commands from there to something else. */
export function commandsBetween(
  before: Declared[],
  after: Declared[],
  host: HostFacts = { wireguard: "kernel" },
): string[] {
  const [from, to] = [before.flatMap(planned), after.flatMap(planned)];
  const model = new KernelModel(host);
  model.run(changes([], from, host).commands);
  return changes(live(model.snapshot(), either(to, from)), to, host).commands;
}
