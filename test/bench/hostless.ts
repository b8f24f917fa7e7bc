/**
 * Loaded before the plugin: in place of the parts of the host layer that touch hosts there is a model of each host in
 * memory. What only checks and names things (Connection, errors, the agents' text) stays, because inputs and plans are
 * made of it.
 */
import Module from "node:module";
import { join } from "node:path";
import type { Change, Connection, Probe } from "../../sdk/host";
import type { Snapshot } from "../../sdk/kernel";
import type { ModelMachine } from "../sdk/provider/model-machine";
import { publicKeys } from "../sdk/publicKeys";

/** A host with a key and an id of its own, which are the same for all models. */
class StandIn {
  readonly #publicKey = publicKeys(1)[0] ?? "";
  readonly #model: ModelMachine;

  constructor(private readonly name: string) {
    // Only when it is needed: a run that touches no host loads no model.
    const { ModelMachine } = require("../sdk/provider/model-machine") as typeof import("../sdk/provider/model-machine");
    this.#model = new ModelMachine();
    this.#model.model.run(["apt-get install nftables wireguard-tools"]);
  }

  async look(): Promise<Snapshot> {
    return this.#own(await this.#model.look());
  }

  async change(change: Change) {
    const { failed, snapshot } = await this.#model.change(change);
    return { ...(failed && { failed }), snapshot: this.#own(snapshot) };
  }

  probe = async (probes: readonly Probe[]) => this.#model.probe(probes);

  #own(seen: Snapshot): Snapshot {
    return {
      ...seen,
      machine: Buffer.from(this.name).toString("hex").padStart(32, "0").slice(-32),
      keys: Object.fromEntries(Object.keys(seen.keys).map((path) => [path, this.#publicKey])),
      wg: seen.wg.map((device) => ({ ...device, publicKey: device.publicKey && this.#publicKey })),
    };
  }
}

class Hosts {
  readonly #hosts = new Map<string, StandIn>();

  session({ host, port }: Connection): StandIn {
    const name = `${host}:${port}`;
    const known = this.#hosts.get(name) ?? new StandIn(name);
    this.#hosts.set(name, known);
    return known;
  }

  rounds = (connection: Connection): StandIn => this.session(connection);
  probes = (connection: Connection): StandIn => this.session(connection);

  forget(): void {}

  close = async (): Promise<void> => {};
}

const host = join(__dirname, "../../sdk/host");
const replaced: Record<string, unknown> = {
  [join(host, "hosts.js")]: { Hosts },
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
