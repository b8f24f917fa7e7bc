/** The network that a stack describes, as its state has it: what `pulumi stack export` prints. */
import { z } from "zod";
import { format, parse } from "../faults";
import { unpacked } from "../packed";
import { ToolError } from "./error";
import type { Source } from "./export";
import { json, orElse, wholeOf } from "./json";
import { byName } from "./order";
import { mustBe } from "./stackName";

/** A machine of the stack, or somebody else's that is a peer of one. */
export interface StackNode {
  name: string;
  /** Somebody else's machine, or another stack's node: nothing but what its peers say of it is known. */
  foreign: boolean;
  /** In the overlay. */
  addresses: string[];
  id?: number;
  /** As state has it: how its machine is reached. */
  connection?: unknown;
  /** The command to use as ssh, as its provider was told. */
  ssh?: string;
}

/** One side of a link, or of a mesh. What is not known is left out: of somebody else's machine all but `called`. */
export interface StackEnd {
  node: string;
  device?: string;
  /** Bytes. */
  mtu?: number;
  /** UDP. */
  port?: number;
  /** Underlay address and port where others call it: `203.0.113.5:11002`. */
  called?: string;
}

export type PostQuantum = "permissive" | "strict";

export interface StackLink {
  name: string;
  ends: [StackEnd, StackEnd];
  /** Whether Rosenpass exchanges keys for it. */
  postQuantum?: PostQuantum;
}

export interface StackMesh {
  name: string;
  ends: StackEnd[];
  /** Of those of its pairs that exchange keys, the weakest. */
  postQuantum?: PostQuantum;
}

export interface StackMember {
  node: string;
  device: string;
  /** With the lengths of their prefixes; of a member in a bridge, those of the bridge. */
  addresses: string[];
  bridge?: string;
}

export interface StackSegment {
  name: string;
  vni: number;
  variant: string;
  /** UDP. */
  port: number;
  /** Bytes: the least of its members'. */
  mtu: number;
  /** Its frames go by links alone. */
  encrypted: boolean;
  members: StackMember[];
}

/** Two nodes that reach each other by way of a third. */
export interface StackRelay {
  a: string;
  b: string;
  by: string;
}

/** Each list in the order of names. */
export interface StackNetwork {
  /** `net/prod` */
  stack: string;
  nodes: StackNode[];
  links: StackLink[];
  meshes: StackMesh[];
  segments: StackSegment[];
  relays: StackRelay[];
}

const sorted = <T extends { name: string }>(all: Iterable<T>): T[] => [...all].sort((a, b) => byName(a.name, b.name));

/** Of apitype.UntypedDeployment in pulumi/pulumi: 3 since Pulumi 1.0, 4 where a resource uses what is newer. */
const VERSIONS = [3, 4];

const values = orElse(z.record(z.string(), z.unknown()), {});
const resource = z.object({
  urn: z.string(),
  type: z.string(),
  /** Another has taken its place, and it waits to be deleted. */
  delete: orElse(z.boolean(), false),
  /** `URN::ID` */
  provider: orElse(z.string(), ""),
  inputs: values,
  outputs: values,
});
/** A resource of whatever package; secrets in it are as they were exported, encrypted that is. */
export type StackResource = z.output<typeof resource>;

/** A stack that nothing was done with yet has none of it. */
const latest = orElse(z.object({ resources: orElse(z.array(resource), []) }), { resources: [] });
const deployment = z.object({ version: z.int(), deployment: latest });
/** As a backend keeps it: a file of .pulumi/stacks. */
const checkpoint = z.object({
  version: z.int(),
  checkpoint: orElse(z.object({ latest }), { latest: { resources: [] } }),
});

const CURE = wholeOf("pulumi stack export");

const fault = (why: string): ToolError => new ToolError("cli/state", `the state ${why}: ${CURE}`);

/** What says that it is a state. Throws an Error that says what it is else. */
function stateIn(text: string): Record<string, unknown> {
  const value = json(text, fault);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw fault("is no object");
  if ("steps" in value || "changeSummary" in value) throw fault("is a preview");
  const lacking = [
    ...("version" in value ? [] : ["version"]),
    ...("deployment" in value || "checkpoint" in value ? [] : ["deployment"]),
  ];
  if (lacking.length > 0) throw fault(`has no ${lacking.join(" and no ")}`);
  return value as Record<string, unknown>;
}

/**
 * All resources of what `pulumi stack export` printed, some of them ours. `from`: a file is to be of the stack that is named.
 * Throws an Error that says what is wrong with it.
 */
export function stackResources(text: string, from: Source = {}): StackResource[] {
  const value = stateIn(text);
  if (typeof value.version === "number" && !VERSIONS.includes(value.version)) {
    const why = value.version < 3 ? "is of a Pulumi before 1.0" : "is of a newer Pulumi than this knows";
    const cure = value.version < 3 ? "export it with a current one" : "use a newer pulumi-overlay";
    throw new ToolError(
      "cli/state",
      `the state has version ${value.version}, which ${why}: ${cure}; legal is ${VERSIONS.join(" or ")}`,
    );
  }
  const all = "checkpoint" in value ? parse(checkpoint, value) : parse(deployment, value);
  if ("faults" in all) {
    // Nobody writes a state by hand.
    const faults = all.faults.slice(0, 10).map((it) => ({ ...it, cure: "export the state again" }));
    throw new ToolError("cli/state", format(faults));
  }
  const found = "checkpoint" in all.value ? all.value.checkpoint.latest.resources : all.value.deployment.resources;
  const [any] = found;
  if (any && from.state !== undefined && from.stack !== undefined) mustBe("state", from.stack, stackOf(any));
  const there = found.filter((it) => !it.delete);
  if (there.some(({ type }) => type.startsWith(OURS))) return there;
  const [first] = there;
  const whose = first ? `the stack ${stackOf(first)} has resources, and none` : "the stack has no resource";
  throw new ToolError(
    "cli/state",
    `${whose} of pulumi-overlay: select another with \`pulumi stack select\`, or run \`pulumi up\``,
  );
}

const OURS = "overlay:";

/** `net/prod` of urn:pulumi:prod::net::TYPE::NAME. */
export function stackOf({ urn }: StackResource): string {
  const [start = "", project = ""] = urn.split("::");
  return `${project}/${start.replace(/^urn:pulumi:/, "")}`;
}

/** lux of urn:pulumi:prod::net::overlay:node:Host::lux. */
export const nameOf = ({ urn }: StackResource): string => urn.split("::").slice(3).join("::");

// What is read of each kind of resource; fields that this does not name may be those of another version.
const name = z.string();
const address = z.string();
const node = z.object({
  node: name,
  id: z.int(),
  owner: z.string().default(""),
  addresses: z.array(address).default([]),
  relay: z.array(z.object({ a: z.object({ name }), b: z.object({ name }) })).default([]),
});
const peer = z.object({
  name,
  endpoint: z.string().optional(),
  addresses: z.union([z.string(), z.array(address)]).default([]),
});
const device = z.object({
  node: name,
  link: name,
  device: name,
  mtu: z.int(),
  listenPort: z.int(),
  peer: peer.optional(),
  peers: z.array(peer).optional(),
  relayed: z.array(z.object({ name, by: name })).default([]),
});
const psk = z.object({ node: name, peer: z.object({ name }), mode: z.enum(["permissive", "strict"]) });
const member = z.object({
  node: name,
  segment: name,
  device: name,
  vni: z.int(),
  variant: z.string(),
  port: z.int().default(4789),
  mtu: z.int(),
  encrypted: z.boolean().default(true),
  addresses: z.array(address).default([]),
  bridge: name.optional(),
});
const bridge = z.object({ node: name, device: name, addresses: z.array(address).default([]) });

type Device = z.output<typeof device>;
type Member = z.output<typeof member>;

/** Those of one type. Throws an Error that says of all at once what is wrong with them. */
export function specs<T>(
  all: readonly StackResource[],
  token: string,
  schema: z.ZodType<T>,
): { resource: StackResource; spec: T }[] {
  const wrong: string[] = [];
  const found = all.flatMap((resource) => {
    if (resource.type !== token) return [];
    const parsed = parse(schema, specOf(resource));
    if ("value" in parsed) return [{ resource, spec: parsed.value }];
    wrong.push(
      ...format(parsed.faults)
        .split("\n")
        .map((fault) => `${nameOf(resource)}: spec.${fault}`),
    );
    return [];
  });
  if (wrong.length === 0) return found;
  const cure = "another version of pulumi-overlay wrote it; use that one, or run `pulumi up` with this one first";
  throw new ToolError(
    "cli/state",
    `the state's ${token} resources cannot be read:\n${wrong.slice(0, 10).join("\n")}\n${cure}`,
  );
}

function specOf({ inputs: { spec } }: StackResource): unknown {
  if (typeof spec !== "string") return spec;
  try {
    return JSON.parse(unpacked(spec));
  } catch {
    return undefined;
  }
}

/** Of all resources of a stack. Throws an Error that says what of them is not as this version has it. */
export function stackNetwork(all: readonly StackResource[]): StackNetwork {
  const hosts = specs(all, "overlay:node:Host", node);
  const devices = specs(all, "overlay:wireguard:Interface", device).map(({ spec }) => spec);
  const members = specs(all, "overlay:vxlan:Member", member).map(({ spec }) => spec);
  const bridges = specs(all, "overlay:vxlan:Bridge", bridge).map(({ spec }) => spec);
  const modes = new Map(
    specs(all, "overlay:rosenpass:Psk", psk).map(({ spec }) => [pair(spec.node, spec.peer.name), spec.mode]),
  );
  const providers = new Map(all.filter(({ type }) => type === "pulumi:providers:overlay").map((it) => [it.urn, it]));
  const own = hosts.map(({ resource: { inputs, provider }, spec: { node, id, addresses } }): StackNode => {
    const ssh = providers.get(provider.split("::").slice(0, -1).join("::"))?.inputs.ssh;
    return {
      name: node,
      foreign: false,
      addresses,
      id,
      connection: inputs.connection,
      ...(typeof ssh === "string" && { ssh }),
    };
  });
  const relays = relaysOf(
    hosts.map(({ spec }) => spec),
    devices,
  );
  const [first] = all;
  const [owner] = hosts.flatMap(({ spec }) => spec.owner || []);
  return {
    stack: owner ?? (first ? stackOf(first) : ""),
    nodes: sorted([...own, ...others(new Set(own.map(({ name }) => name)), devices, relays)]),
    links: linksOf(devices, modes),
    meshes: meshesOf(devices, modes),
    segments: segmentsOf(members, bridges),
    relays,
  };
}

const pair = (a: string, b: string): string => JSON.stringify(a < b ? [a, b] : [b, a]);

const peersOf = ({ peer, peers = [] }: Device) => (peer ? [peer] : peers);

/** Those of whom the stack knows only what it says of them as peers. */
function others(own: ReadonlySet<string>, devices: Device[], relays: StackRelay[]): StackNode[] {
  const found = new Map<string, string[]>(relays.flatMap(({ a, b, by }) => [a, b, by]).map((name) => [name, []]));
  for (const { name, addresses } of devices.flatMap(peersOf)) {
    found.set(name, typeof addresses === "string" ? [] : addresses);
  }
  return [...found].filter(([name]) => !own.has(name)).map(([name, addresses]) => ({ name, foreign: true, addresses }));
}

function grouped<T>(all: T[], nameOf: (one: T) => string): [string, T[]][] {
  const groups = new Map<string, T[]>();
  for (const one of all) groups.set(nameOf(one), [...(groups.get(nameOf(one)) ?? []), one]);
  return [...groups].sort(([a], [b]) => byName(a, b));
}

/** Where the first who calls it calls it. */
const calledAt = (node: string, devices: Device[]): { called?: string } => {
  for (const one of devices) {
    const called = peersOf(one).find(({ name }) => name === node)?.endpoint;
    if (called !== undefined) return { called };
  }
  return {};
};

const endOf = ({ node, device, mtu, listenPort }: Device, devices: Device[]): StackEnd => ({
  node,
  device,
  mtu,
  port: listenPort,
  ...calledAt(node, devices),
});

/** In a link or a mesh, each of its own and each that is somebody else's. */
function endsOf(devices: Device[]): StackEnd[] {
  const own = new Set(devices.map(({ node }) => node));
  const foreign = new Set(devices.flatMap(peersOf).flatMap(({ name }) => (own.has(name) ? [] : [name])));
  return [
    ...devices.map((one) => endOf(one, devices)),
    ...[...foreign].map((node) => ({ node, ...calledAt(node, devices) })),
  ].sort((a, b) => byName(a.node, b.node));
}

const linksOf = (devices: Device[], modes: ReadonlyMap<string, PostQuantum>): StackLink[] =>
  grouped(
    devices.filter(({ peer }) => peer),
    ({ link }) => link,
  ).map(([name, sides]) => {
    const ends = endsOf(sides).slice(0, 2) as [StackEnd, StackEnd];
    const postQuantum = modes.get(pair(ends[0].node, ends[1].node));
    return { name, ends, ...(postQuantum && { postQuantum }) };
  });

const meshesOf = (devices: Device[], modes: ReadonlyMap<string, PostQuantum>): StackMesh[] =>
  grouped(
    devices.filter(({ peers }) => peers),
    ({ link }) => link,
  ).map(([name, all]) => {
    const found = new Set(all.flatMap((one) => peersOf(one).map(({ name }) => modes.get(pair(one.node, name)))));
    const postQuantum = found.has("permissive") ? "permissive" : found.has("strict") ? "strict" : undefined;
    return { name, ends: endsOf(all), ...(postQuantum && { postQuantum }) };
  });

function segmentsOf(members: Member[], bridges: z.output<typeof bridge>[]): StackSegment[] {
  return grouped(members, ({ segment }) => segment).map(([name, all]) => {
    const { vni, variant, port, encrypted } = all[0] as Member;
    const inside = all.map(({ node, device, addresses, bridge }): StackMember => {
      const its = bridge === undefined ? undefined : bridges.find((it) => it.node === node && it.device === bridge);
      return { node, device, addresses: its?.addresses ?? addresses, ...(bridge !== undefined && { bridge }) };
    });
    return {
      name,
      vni,
      variant,
      port,
      encrypted,
      mtu: Math.min(...all.map(({ mtu }) => mtu)),
      members: inside.sort((a, b) => byName(a.node, b.node)),
    };
  });
}

/** A relay of the stack says its pairs; of another stack's, those of the pair say who forwards to the other. */
function relaysOf(hosts: z.output<typeof node>[], devices: Device[]): StackRelay[] {
  const said = [
    ...hosts.flatMap(({ node, relay }) => relay.map(({ a, b }) => [a.name, b.name, node])),
    ...devices.flatMap(({ node, relayed }) => relayed.map(({ name, by }) => [node, name, by])),
  ] as [string, string, string][];
  const relays = new Map(
    said.map(([one, other, by]) => {
      const [a, b] = [one, other].sort(byName) as [string, string];
      return [JSON.stringify([a, b, by]), { a, b, by }];
    }),
  );
  return [...relays.values()].sort((x, y) => byName(x.a, y.a) || byName(x.b, y.b) || byName(x.by, y.by));
}
