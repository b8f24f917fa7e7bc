/** The links, meshes and segments that resources are the ends of, and what becomes of them. Pure. */

import { z } from "zod";
import { unpacked } from "../../packed";
import { byName as compareNames } from "../order";
import type { State } from "./preview";
import { type Change, intended, parts, type Resource, shownName } from "./resources";

export interface Link {
  name: string;
  kind: "link" | "mesh" | "segment";
  /** Nodes. */
  ends: string[];
  change: Change | "same";
  /** Nodes that come to it, while others are there. */
  joining: string[];
  /** Nodes that leave it, while others stay. */
  leaving: string[];
  /** Whether one of its devices is not as declared. */
  drifted: boolean;
}

/** What this version does not understand it takes for not being there. */
const name = z.string().optional().catch(undefined);
const peer = z.object({ name }).optional().catch(undefined);
const spec = z
  .object({ node: name, link: name, segment: name, peer, peers: z.array(peer).optional().catch(undefined) })
  .catch({});
export type Spec = z.output<typeof spec>;

function json(text: string): unknown {
  try {
    return JSON.parse(unpacked(text));
  } catch {
    return undefined;
  }
}

/** What was declared of it; nothing, where it is not known yet. */
export function specOf({ after, before }: Resource): Spec {
  const declared = after?.inputs.spec ?? before?.inputs.spec;
  return spec.parse(typeof declared === "string" ? json(declared) : declared);
}

/** Resources of a node are called THING@NODE, and of those that are not its own device THING@NODE/DEVICE. */
export const nodeOf = (resource: Resource, { node }: Spec): string =>
  node !== undefined ? shownName(node) : (/@([^/]+)/.exec(resource.name)?.[1] ?? resource.name);

export interface Side {
  kind: Link["kind"];
  name: string;
  node: string;
  /** It, and whom it names. */
  ends: string[];
  resource: Resource;
}

const KINDS: Record<string, Link["kind"]> = {
  "overlay:index:WgLink": "link",
  "overlay:index:WgMesh": "mesh",
  "overlay:index:VxlanSegment": "segment",
};

/** What a component that made it tells of it, where its spec is not known yet. */
function ofParent(state: State | undefined): Pick<Side, "kind" | "name"> | undefined {
  const { type, name } = parts(state?.parent ?? "");
  const kind = KINDS[type];
  return kind && { kind, name };
}

function declared({ type }: Resource, { link, segment, peer }: Spec): Pick<Side, "kind" | "name"> | undefined {
  if (type === "overlay:vxlan:Member" && segment !== undefined) return { kind: "segment", name: shownName(segment) };
  if (type !== "overlay:wireguard:Interface" || link === undefined) return undefined;
  return { kind: peer ? "link" : "mesh", name: shownName(link) };
}

const DEVICES = ["overlay:wireguard:Interface", "overlay:vxlan:Member"];

function side(resource: Resource, spec: Spec): Side | undefined {
  if (!DEVICES.includes(resource.type)) return undefined;
  const of = declared(resource, spec) ?? ofParent(resource.after ?? resource.before);
  if (!of) return undefined;
  const node = nodeOf(resource, spec);
  const peers = [spec.peer, ...(spec.peers ?? [])].flatMap((it) => (it?.name === undefined ? [] : shownName(it.name)));
  return { ...of, node, ends: [node, ...peers], resource };
}

export const sidesOf = (all: readonly (readonly [Resource, Spec])[]): Side[] =>
  all.flatMap((one) => side(...one) ?? []);

export const byName = (a: { name: string }, b: { name: string }): number => compareNames(a.name, b.name);

const sorted = (names: readonly string[]): string[] =>
  [...new Set(names)]
    .map((name) => ({ name }))
    .sort(byName)
    .map(({ name }) => name);

function link(sides: Side[], driftOf: (resource: Resource) => string[]): Link {
  const { kind, name } = sides[0] as Side;
  const changes = new Set(sides.map(({ resource }) => resource.change));
  const [only = "same"] = changes;
  // Of a mesh or a segment others are told, too, when a member comes.
  const change = changes.size === 1 ? only : changes.has("replaced") ? "replaced" : "changed";
  const asBefore = sides.every(({ resource }) => intended(resource, driftOf(resource)).length === 0);
  const those = (which: Change) =>
    changes.size === 1 ? [] : sorted(sides.flatMap((it) => (it.resource.change === which ? it.node : [])));
  return {
    name,
    kind,
    ends: sorted(sides.flatMap(({ ends }) => ends)),
    change: asBefore ? "same" : change,
    joining: those("new"),
    leaving: those("gone"),
    drifted: sides.some(({ resource }) => driftOf(resource).length > 0),
  };
}

/** `driftOf`: lines of what is not as declared. */
export function links(all: readonly (readonly [Resource, Spec])[], driftOf: (resource: Resource) => string[]): Link[] {
  const groups = new Map<string, Side[]>();
  for (const one of sidesOf(all)) {
    const key = `${one.kind} ${one.name}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()]
    .map((sides) => link(sides, driftOf))
    .sort((a, b) => byName(a, b) || (a.kind < b.kind ? -1 : 1));
}
