/**
 * Which nodes go first, as the stack's configuration says in `overlay:rollout`: nodes come in stages, and a stage waits
 * until the one before it is done. First come the keys of all, which devices of any stage have to know and which change
 * nothing that is there; then machines with their devices, stage by stage. Then come what both devices of a link have to be
 * there for, and what both ends of that have to be there for.
 */

import { z } from "zod";
import { type Fault, fault, parse } from "../sdk/faults";
import * as pulumi from "../sdk/provider/pulumi";

const KEY = "overlay:rollout";
const EVERYONE = Number.MAX_SAFE_INTEGER;

const Settings = z
  .strictObject({
    canary: z
      .array(z.string())
      .default([])
      .describe("Names of the nodes that come first. Default: none. Example: [lux]"),
    parallel: z.int().min(1).default(EVERYONE).describe("How many come at a time. Default: all. Example: 5"),
  })
  .meta({ id: "Rollout", description: "Which nodes are changed first, and how many at a time." });

/** What components read of the stack's configuration. */
export const settings = z.object({
  rollout: Settings.optional().describe(
    "In programs in TypeScript and JavaScript: who is changed first. Default: none, all at once. " +
      "Example: {canary: [lux], parallel: 5}",
  ),
});
type Settings = z.output<typeof Settings>;

/** Undefined where there is no such configuration. */
function configured(): { value: Settings } | { faults: Fault[] } | undefined {
  const text = new pulumi.Config("overlay").get("rollout");
  if (text === undefined) return undefined;
  const result = parse(Settings, fromJson(text));
  if ("value" in result) return result;
  return { faults: result.faults.map((it) => ({ ...it, path: it.path === "" ? KEY : `${KEY}.${it.path}` })) };
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * What of a node waits for its turn, each for the whole of the one before: the keys of its devices, the machine with these
 * devices, their preshared keys, and the daemons that exchange these.
 */
const PARTS = ["key", "machine", "psk", "daemon"] as const;
export type Part = (typeof PARTS)[number];

export class Rollout {
  private readonly configured = configured();
  private readonly canary: string[] = [];
  private readonly parallel: number = EVERYONE;
  /** Of each node, in the order of their declaration. */
  private readonly stages = new Map<string, number>();
  private others = 0;
  private readonly made = new Map<string, pulumi.Resource[]>();
  private readonly ends = new Map<string, Promise<void>>();

  constructor() {
    if (this.configured && "value" in this.configured) Object.assign(this, this.configured.value);
  }

  /** Notes a node, when it is declared. */
  join(node: string): void {
    this.stages.set(node, this.next(this.canary.indexOf(node)));
  }

  private next(canary: number): number {
    if (canary >= 0) return Math.floor(canary / this.parallel);
    return Math.ceil(this.canary.length / this.parallel) + Math.floor(this.others++ / this.parallel);
  }

  /** Whether some nodes go before others. */
  get isConfigured(): boolean {
    return this.configured !== undefined;
  }

  isCanary = (node: string): boolean => this.canary.includes(node);

  /** The number of a node's stage, from 0. */
  stage = (node: string): number => this.stages.get(node) ?? 0;

  private get last(): number {
    return Math.max(...this.stages.values());
  }

  /** Notes what later stages have to wait for. */
  add(part: Part, node: string, resource: pulumi.Resource): void {
    const key = `${part} ${this.stage(node)}`;
    const before = this.made.get(key);
    if (before) before.push(resource);
    else this.made.set(key, [resource]);
  }

  /** Resolves when it is the turn of a part of a node. To be asked when all nodes are declared, as all that follows. */
  async turn(part: Part, node: string): Promise<void> {
    // A preview changes nobody, and shows devices with the keys that Hosts of later stages have.
    if (this.configured && !pulumi.runtime.isDryRun()) await this.end(part, this.stage(node) - 1);
  }

  private end(part: Part, stage: number): Promise<void> {
    const before = PARTS[PARTS.indexOf(part) - 1];
    if (stage < 0) return before ? this.end(before, this.last) : Promise.resolve();
    const key = `${part} ${stage}`;
    const known = this.ends.get(key);
    if (known) return known;
    const end = this.end(part, stage - 1)
      .then(() => Promise.all((this.made.get(key) ?? []).map(ended)))
      .then(() => undefined);
    this.ends.set(key, end);
    return end;
  }

  /** What is wrong with the configuration. */
  faults(): Fault[] {
    if (this.configured && "faults" in this.configured) return this.configured.faults;
    const nodes = [...this.stages.keys()].sort().join(", ");
    const objection = {
      ...({ code: "input/reference" } as const),
      ...{ legal: `a node of the program (${nodes})`, cure: "correct the name, or leave it out" },
    };
    return this.canary.flatMap((name, index) =>
      this.stages.has(name) ? [] : [{ ...fault([index], name, objection), path: `${KEY}.canary[${index}]` }],
    );
  }

  /** Why there is none in the plugin, which never knows whether a program has declared all that it will. */
  elsewhere(): Fault[] {
    const cure = "remove it, and let what is to come later depend on what is to come first (`dependsOn`)";
    const legal = "for programs in TypeScript and JavaScript only";
    return this.configured ? [{ code: "input/language", path: KEY, legal, cure }] : [];
  }

  /** The order in one line, for a preview; undefined where there is none. */
  told(): string | undefined {
    if (!this.configured) return undefined;
    const stages = Array.from({ length: this.last + 1 }, (_, stage) =>
      [...this.stages].flatMap(([node, its]) => (its === stage ? [node] : [])).join(", "),
    );
    return `${KEY}: first ${stages.join("; then ")}. Each stage waits until the one before is done.`;
  }
}

/**
 * When the engine is done with a resource. By way of the URN and not of `dependsOn`: this order is one run's, and state
 * would keep it once for each pair of resources. The SDK declares `promise` for itself only.
 */
const ended = ({ urn }: pulumi.Resource): Promise<string> =>
  (urn as unknown as { promise(): Promise<string> }).promise();
