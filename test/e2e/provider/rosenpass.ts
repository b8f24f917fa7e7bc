/** The exchange of keys over a link of two nodes of a lab, as resources. */
import { createHash } from "node:crypto";
import { readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import type { Values } from "../../../sdk/provider/wire";
import type { Declared } from "../../sdk/provider/client";
import { connection, IDS, type Network, OWNER } from "./network";

export type Mode = "permissive" | "strict";

/** The program, as `binary` of a resource. */
export function binary(): { path: string; sha256: string } {
  const path = realpathSync(join(__dirname, "../../../dist/.bin/rosenpass"));
  return { path, sha256: createHash("sha256").update(readFileSync(path)).digest("hex") };
}

/** What both ends are told. `more`: of both daemons. */
export class Keyed {
  readonly name: string;
  readonly keys: [Declared, Declared];

  constructor(
    readonly network: Network,
    readonly nodes: readonly [string, string] = ["lux", "fra"],
    /** None: the host has it. */
    readonly program: Values | false = binary(),
  ) {
    this.name = [...nodes].sort().join("-");
    this.keys = nodes.map((node) => this.key(node)) as [Declared, Declared];
  }

  private at = (node: string): Values => ({
    connection: connection(this.network.lab, node),
    machine: this.network.outputs(node)[node]?.machine,
  });
  other = (node: string): string => (node === this.nodes[0] ? this.nodes[1] : this.nodes[0]);
  device = (node: string): string => `inter-${this.other(node)}`;
  /** WireGuard keys of the link's own. */
  rotated: Record<string, unknown> = {};
  wireguardKey = (node: string): unknown => this.rotated[node] ?? this.network.outputs(node)[node]?.publicKey;
  private known = (node: string): Values => this.network.engine.kept(this.key(node)).outputs;

  key(node: string): Declared {
    const spec = { node, owner: OWNER, ...(this.program && { binary: this.program }) };
    return { type: "overlay:rosenpass:Key", name: `rosenpass@${node}`, inputs: { ...this.at(node), spec } };
  }

  private pskOf(node: string, mode: Mode): Declared {
    const far = this.other(node);
    const peer = { name: far, publicKey: this.wireguardKey(far), version: this.known(far).version };
    const { version } = this.known(node);
    const spec = { node, owner: OWNER, name: this.name, device: this.device(node), mode, version, peer };
    return { type: "overlay:rosenpass:Psk", name: `${this.name}@${node}`, inputs: { ...this.at(node), spec } };
  }

  port = (node: string): number => 21000 + (IDS[this.other(node)] ?? 0);

  daemon(node: string, mode: Mode, { peer: peerSpec = {}, ...more }: Values & { peer?: Values } = {}): Declared {
    const far = this.other(node);
    const peer = {
      name: far,
      publicKey: this.wireguardKey(far),
      key: this.known(far).publicKey,
      endpoints: [`${this.network.lab.json.hosts[far]?.addresses[0]}:${this.port(far)}`],
      ...peerSpec,
    };
    const spec = {
      ...{ node, owner: OWNER, name: this.name, device: this.device(node), mode, binary: this.program !== false },
      ...{ port: this.port(node), delay: node === this.nodes[1] ? 1 : 0, peer, ...more },
    };
    const inputs = { ...this.at(node), other: connection(this.network.lab, far), spec };
    return { type: "overlay:rosenpass:Daemon", name: `${this.name}@${node}`, inputs };
  }

  both = <T>(work: (node: string) => Promise<T>): Promise<T[]> => Promise.all(this.nodes.map(work));
  psks = (mode: Mode): Declared[] => this.nodes.map((node) => this.pskOf(node, mode));
  daemons = (mode: Mode, more: Values = {}): Declared[] => this.nodes.map((node) => this.daemon(node, mode, more));

  /** As the engine brings them up: what comes first on both ends, then what stands on it. */
  async up(mode: Mode, more: Values = {}): Promise<void> {
    const all = async (declared: Declared[]) => {
      const ended = await Promise.allSettled(declared.map((it) => this.network.engine.up(it)));
      for (const it of ended) if (it.status === "rejected") throw it.reason;
    };
    await all(this.keys);
    await all(this.psks(mode));
    await all(this.daemons(mode, more));
  }

  async destroy(): Promise<void> {
    const { engine } = this.network;
    for (const type of ["Daemon", "Psk"]) {
      const all = this.nodes.map((node) => ({
        type: `overlay:rosenpass:${type}`,
        name: `${this.name}@${node}`,
        inputs: {},
      }));
      await Promise.all(all.map((it) => engine.destroy(it)));
    }
  }

  /** What the ends say of how they are. */
  health = (mode: Mode = "permissive"): unknown[] =>
    this.daemons(mode).map((it) => this.network.engine.kept(it).outputs.health);

  /** The preshared key of a host, `(none)` where there is none. */
  psk = async (node: string): Promise<string> => {
    const said = await this.network.on(node, `wg show ${this.device(node)} preshared-keys`);
    return said.trim().split("\t")[1] ?? "";
  };
}
