/** One look at each host of a stack, over one SSH connection each, and what it shows of that host's own resources. */
import { CodedError, marked, withCode } from "../../codes";
import { format, parse } from "../../faults";
import {
  agentFiles,
  Connection,
  chooseFiles,
  describeConnection,
  type Followed,
  type Hosts,
  measure,
  type Probe,
  type RunOptions,
  rosenpassFiles,
  snapshot,
  trace,
} from "../../host";
import { type Fact, live, type Path, queries, type Snapshot, type Technology, text } from "../../kernel";
import { lineDiff } from "../../lineDiff";
import { chooser, node, nodeKey } from "../../node";
import { rosenpassDaemon, rosenpassKey, rosenpassPsk } from "../../rosenpass";
import { vxlan, vxlanBridge } from "../../vxlan";
import { wireguard, wireguardKey } from "../../wireguard";
import { ToolError } from "../error";
import { type StackNetwork, type StackNode, type StackResource, specs } from "../stack";
import { adopted, begin, hostsOf, type Login, type Reach } from "./early";

/** A resource of a node, as it was declared. */
export interface Declared {
  token: string;
  // biome-ignore lint/suspicious/noExplicitAny: each has its own spec
  technology: Technology<any, any>;
  // biome-ignore lint/suspicious/noExplicitAny: each technology has its own
  spec: any;
  facts: Fact[];
  outputs: Record<string, unknown>;
}

/** What is to be found on a host. */
export interface Wanted {
  node: StackNode;
  /** /etc/machine-id, as Pulumi knows it. */
  machine?: string;
  declared: Declared[];
}

export interface Look {
  /** Absent: it could not be looked at. */
  seen?: Snapshot;
  /** Why not; one sentence. */
  fault?: string;
  /** Lines of the kernel's text that are not as declared, as a refresh has them. */
  drift: string[];
  /** When that was, in milliseconds. */
  at?: number;
  /** Ways by which packets were sent, and how many bytes of what comes in by each pass in one piece; absent: nobody answered. */
  ways?: { path: Path; bytes?: number }[];
}

export interface LookOptions {
  /** Ends it, and its connection, at once. */
  signal?: AbortSignal;
  /** Whether packets are sent, too. Default: no. */
  measured?: boolean;
}

// biome-ignore lint/suspicious/noExplicitAny: each technology has its own spec
const technologies = (): Technology<any, any>[] => [
  node(agentFiles()),
  nodeKey,
  wireguardKey,
  wireguard,
  vxlanBridge,
  vxlan,
  rosenpassKey(rosenpassFiles()),
  rosenpassPsk,
  rosenpassDaemon,
  chooser(chooseFiles()),
];

/** By node, in the network's order. Throws an Error where the state is another version's. */
export function wanted(resources: readonly StackResource[], { nodes }: StackNetwork): Wanted[] {
  const all = technologies().flatMap((technology) =>
    specs(resources, technology.token, technology.spec).map(({ resource: { outputs }, spec }): Declared => {
      return { token: technology.token, technology, spec, facts: technology.plan(spec), outputs };
    }),
  );
  const byNode = new Map(nodes.map(({ name }): [string, Declared[]] => [name, []]));
  for (const declared of all) byNode.get(declared.spec.node)?.push(declared);
  return nodes
    .filter(({ foreign }) => !foreign)
    .map((node) => {
      const declared = byNode.get(node.name) ?? [];
      const machine = declared.find(({ token }) => token === "overlay:node:Host")?.outputs.machine;
      return { node, declared, ...(typeof machine === "string" && { machine }) };
    });
}

/** What is secret in a connection, its host's key, is not seen where it is encrypted: known_hosts then has to have it. */
function connectionOf({ name, connection }: StackNode): Connection {
  const { hostKey, ...rest } = Object(connection) as Record<string, unknown>;
  const result = parse(Connection, { ...rest, ...(typeof hostKey === "string" && { hostKey }) });
  if ("value" in result) return result.value;
  throw new ToolError("cli/state", `the state does not say how ${name} is reached: ${format(result.faults)}`);
}

const asked = (declared: readonly Declared[]): string[] => [
  ...new Set([
    ...queries(declared.flatMap(({ facts }) => facts)),
    ...declared.flatMap(({ token, spec }) => {
      if (token === rosenpassPsk.token) return [`rosenpass ${spec.name}`];
      return token === "overlay:node:Chooser" ? ["decisions"] : [];
    }),
  ]),
];

const reachBy = ({ name, ssh }: StackNode, connection: Connection): Reach => ({
  name,
  ...(ssh !== undefined && { ssh }),
  connection,
});

/** Of hosts for the next time: those of whose connection nothing is secret. */
export const kept = (nodes: readonly StackNode[]): Reach[] =>
  nodes.flatMap((node) => {
    const read = parse(Connection, node.connection);
    return "value" in read ? [reachBy(node, read.value)] : [];
  });

/** Those of whom it is known how they are reached; of the others the look tells. */
const reached = (nodes: readonly StackNode[]): Reach[] =>
  nodes.flatMap((node) => {
    try {
      return [reachBy(node, connectionOf(node))];
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
      return [];
    }
  });

/**
 * Has logins begin, which take half a second: what is to be asked is worked out meanwhile. What comes of them the look tells.
 * `early`: those that have begun already; of these go on what may.
 */
export async function begun(
  nodes: readonly StackNode[],
  ssh?: string,
  early: readonly Login[] = [],
): Promise<Map<string, Hosts>> {
  const all = reached(nodes);
  const before = adopted(early, all);
  const others = all.filter(({ name }) => !before.some(({ reach }) => reach.name === name));
  return new Map([...before, ...(await begin(others, ssh))].map(({ reach, hosts }) => [reach.name, hosts]));
}

/** Seconds for a look, after the login. */
const PATIENCE = 20;

/** A host that is looked at again and again, over the same connection. */
export class Looked {
  readonly #hosts: Hosts;
  readonly #asked: Set<string>;
  #told: string[] | undefined;

  constructor(
    private readonly wanted: Wanted,
    ssh: string | undefined,
    /** Queries besides those for what is declared. */
    more: readonly string[] = [],
    hosts = hostsOf(wanted.node, ssh),
  ) {
    this.#hosts = hosts;
    this.#asked = new Set([...asked(wanted.declared), ...more]);
  }

  /** Queries that each look from now on asks, too. */
  ask(more: readonly string[]): void {
    for (const query of more) this.#asked.add(query);
  }

  async look({ signal, measured = false }: LookOptions = {}): Promise<Look> {
    const options = { timeout: PATIENCE, ...(signal && { signal }) };
    try {
      const connection = connectionOf(this.wanted.node);
      // A moment in which attempts may begin: another look is another attempt, where the last one was refused.
      const looking = snapshot(this.#hosts.session(connection), [...this.#asked], { ...options, wait: 0.1 });
      this.#told ??= told(this.wanted.declared); // in the meantime: all hosts answer at once
      const seen = await looking;
      const look = this.compared(seen, describeConnection(connection));
      return measured && look.seen ? { ...look, ways: await this.#measured(look.seen, options) } : look;
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      return { fault: withCode(error), drift: [], at: Date.now() };
    }
  }

  #measured(seen: Snapshot, options: RunOptions): Promise<NonNullable<Look["ways"]>> {
    const paths = this.wanted.declared.flatMap(({ technology, spec }) => technology.paths?.(spec, seen) ?? []);
    return Promise.all(
      paths.map(async (path) => {
        const carried = await measure(this, path, options);
        return { path, ...(carried && { bytes: carried.bytes }) };
      }),
    );
  }

  /** Throws HostError. */
  probe = (probes: readonly Probe[], options: RunOptions = {}) =>
    this.#hosts.probes(connectionOf(this.wanted.node)).probe(probes, { timeout: PATIENCE, ...options });

  /** Throws HostError. */
  trace = (all: readonly Followed[]) =>
    trace(this.#hosts.session(connectionOf(this.wanted.node)), all, { timeout: PATIENCE });

  close = (): Promise<void> => this.#hosts.close();

  /** Its connection ends now: nothing is asked of it any more. */
  kill = (): void => this.#hosts.kill();

  private compared(seen: Snapshot, who: string): Look {
    const { machine, declared } = this.wanted;
    const at = Date.now();
    if (machine !== undefined && seen.machine !== machine) {
      const fault = `${who} is another machine than the one that Pulumi knows: run \`pulumi up\``;
      return { fault: marked("host/otherMachine", fault), drift: [], at };
    }
    return { seen, drift: driftOf(declared, seen, this.#told), at };
  }
}

/** The kernel's text of each as it is declared. */
const told = (declared: readonly Declared[]): string[] => declared.map(({ facts }) => text(facts));

/** Lines that differ, `- ` as declared and `+ ` as there. */
export function driftOf(declared: readonly Declared[], seen: Snapshot, should = told(declared)): string[] {
  const drift = declared.flatMap(({ facts }, index) =>
    lineDiff(should[index] ?? "", text(live(seen, facts))).filter(isLine),
  );
  return [...new Set(drift)];
}

const isLine = (line: string): boolean => line.length > 2;

/** Work of which so much goes on at once, in the order in which it was asked for. */
export function limited(most: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let now = 0;
  return async (work) => {
    if (now < most) now++;
    else await new Promise<void>((turn) => waiting.push(turn));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else now--;
    }
  };
}

/** So many at once. */
export async function inParallel<T>(all: readonly T[], most: number, work: (one: T) => Promise<void>): Promise<void> {
  const turn = limited(most);
  await Promise.all(all.map((one) => turn(() => work(one))));
}
