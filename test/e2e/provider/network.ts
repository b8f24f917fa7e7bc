/** Two nodes of a lab and the link between them, as resources; and the ways to look at what became of them. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Values } from "../../../sdk/provider/wire";
import type { Lab, Result } from "../../lab";
import { type Declared, type Options, TestEngine } from "../../sdk/provider/client";

/** Milliseconds without a call of the engine after which the provider looks at hosts anew, and a few more. */
export const PAUSE = 120;
export const OWNER = "net/test";
export const KEY = "/etc/overlay/keys/wireguard.key";
export const IDS: Record<string, number> = { lux: 1, fra: 2, hkg: 3 };
export const PREFIXES = ["10.255.0.0/24", "fd00:6f::/48"];

const addresses = (node: string): string[] => [`10.255.0.${IDS[node]}`, `fd00:6f::${IDS[node]}`];

/** How the operator of the lab reaches a host, with its key pinned. */
export function connection(lab: Lab, host: string): Values {
  const { addresses, hostKey } = lab.json.hosts[host] ?? {};
  return { host: addresses?.[0], user: "root", hostKey };
}

export const host = (lab: Lab, node: string, spec: Values = {}): Declared => ({
  type: "overlay:node:Host",
  name: node,
  inputs: {
    connection: connection(lab, node),
    spec: { node, owner: OWNER, id: IDS[node], addresses: addresses(node), prefixes: PREFIXES, ...spec },
  },
});

/** The side of `node` of its link with `peer`. `known`: outputs of both hosts. */
export function side(
  lab: Lab,
  node: string,
  peer: string,
  known: Record<string, Values>,
  { peer: peerSpec = {}, ...spec }: Values & { peer?: Values } = {},
): Declared {
  return {
    type: "overlay:wireguard:Interface",
    name: `${node}-${peer}`,
    inputs: {
      connection: connection(lab, node),
      machine: known[node]?.machine,
      spec: {
        node,
        owner: OWNER,
        link: [node, peer].sort().join("-"),
        device: `inter-${peer}`,
        id: IDS[node],
        mtu: 1420,
        listenPort: 11000 + (IDS[peer] ?? 0),
        addresses: addresses(node),
        prefixes: PREFIXES,
        peer: {
          name: peer,
          id: IDS[peer],
          publicKey: known[peer]?.publicKey,
          endpoint: `${lab.json.hosts[peer]?.addresses[0]}:${11000 + (IDS[node] ?? 0)}`,
          keepalive: 25,
          addresses: addresses(peer),
          ...peerSpec,
        },
        ...spec,
      },
    },
  };
}

/** An engine for the lab's hosts that counts its connections to them. */
export class Network {
  readonly folder = mkdtempSync(join(tmpdir(), "overlay-test-"));
  readonly #count = join(this.folder, "connections");

  private constructor(
    readonly lab: Lab,
    private readonly options: Options,
  ) {}

  engine!: TestEngine;

  static async open(lab: Lab, options: Options = {}): Promise<Network> {
    const network = new Network(lab, options);
    await network.restart();
    return network;
  }

  /** Another run of the engine, with the state of the one before. */
  async restart(options: Options = {}): Promise<TestEngine> {
    const state = this.engine?.state ?? this.options.state;
    await this.engine?.close();
    const ssh = `${join(__dirname, "count-ssh.sh")} ${this.#count} ${this.lab.json.ssh}`;
    rmSync(this.#count, { force: true });
    const config = { ssh, ...this.options.config, ...options.config };
    this.engine = await TestEngine.start({ ...this.options, ...options, config, ...(state && { state }) });
    return this.engine;
  }

  /** SSH connections since the engine was started. */
  get connections(): number {
    return existsSync(this.#count) ? readFileSync(this.#count, "utf8").trim().split("\n").length : 0;
  }

  outputs = (...hosts: string[]): Record<string, Values> =>
    Object.fromEntries(
      hosts.map((node) => [node, this.engine.kept({ type: "overlay:node:Host", name: node }).outputs]),
    );

  /** Brings up both hosts and both sides of a link; what it returns can be brought up again. */
  async link(a: string, b: string): Promise<{ a: Declared; b: Declared }> {
    await Promise.all([a, b].map((node) => this.engine.up(host(this.lab, node))));
    const known = this.outputs(a, b);
    const sides = { a: side(this.lab, a, b, known), b: side(this.lab, b, a, known) };
    await Promise.all([this.engine.up(sides.a), this.engine.up(sides.b)]);
    return sides;
  }

  /**
   * Runs a command on a host whatever its network does. Somebody who logs in to do so takes longer than the provider relies on
   * what it saw.
   */
  async exec(node: string, command: string): Promise<Result> {
    const result = await this.lab.exec(node, command);
    await sleep(PAUSE);
    return result;
  }

  /** The same, and throws where it fails. */
  async on(node: string, command: string): Promise<string> {
    const result = await this.exec(node, command);
    if (result.code !== 0) throw new Error(`${node}: ${command}: code ${result.code}: ${result.stderr}`);
    return result.stdout;
  }

  async close(): Promise<void> {
    await this.engine.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
