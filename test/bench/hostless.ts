/**
 * Loaded before the plugin: in place of the parts of the host layer that touch hosts there is nothing. What only checks
 * and names things (Connection, errors, the agents' text) stays, because inputs and plans are made of it.
 */
import Module from "node:module";
import { join } from "node:path";

const nothing = (): never => {
  throw new Error("there are no hosts here");
};

class Hosts {
  session = nothing;
  close = async (): Promise<void> => {};
}

const host = join(__dirname, "../../sdk/host");
const replaced: Record<string, unknown> = {
  [join(host, "hosts.js")]: { Hosts },
  [join(host, "snapshot.js")]: { snapshot: nothing, parseSnapshot: nothing },
  [join(host, "apply.js")]: { apply: nothing },
};

// Not declared: what every instrumentation of Node hooks into.
const loader = Module as unknown as {
  _load(request: string, parent: unknown, isMain: boolean): unknown;
  _resolveFilename(request: string, parent: unknown): string;
};
const load = loader._load;
loader._load = (request, parent, isMain) => {
  const stub = request.startsWith(".") ? replaced[loader._resolveFilename(request, parent)] : undefined;
  return stub ?? load(request, parent, isMain);
};
