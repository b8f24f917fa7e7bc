/** What is wrong between the parts of a document, or between their nodes. */
import type { z } from "zod";
import { type Fault, fault, type Objection } from "../faults";
import { address, withinOverlay } from "../network/address";
import { NAME_UNDERLAY, prefixField } from "../network/fields";
import { pairOf } from "./chooser";
import { fileName } from "./keys";
import { type Declared, type Link, linkSchema, type Node, nodeSchema } from "./schema";

type Path = readonly PropertyKey[];
interface Sound<T> {
  stack: string;
  name: string;
  path: Path;
  value: T;
}

/** What can be checked: all that has no fault of its own. */
interface View {
  nodes: Sound<Node>[];
  /** Stack and name of each node. */
  owned: ReadonlySet<string>;
  links: Sound<Link>[];
  endpoints: { node: string; path: Path; value: string }[];
  overlay: { prefixes: string[]; addresses: ReadonlyMap<string, string> };
  stacks: string[];
}

const entries = (value: unknown): [string, unknown][] =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : [];

function view(document: unknown): View {
  const stacks = entries((document as { stacks?: unknown } | null)?.stacks);
  const all = <T>(field: "nodes" | "links", schema: z.ZodType<T>): Sound<T>[] =>
    stacks.flatMap(([stack, part]) =>
      entries(Object(part)[field]).flatMap(([name, raw]) => {
        const { success, data } = schema.safeParse(raw);
        return success ? [{ stack, name, path: ["stacks", stack, field, name], value: data }] : [];
      }),
    );
  const prefixes = stacks.flatMap(([, part]) => {
    const declared: unknown = Object(part).prefixes;
    return Array.isArray(declared) ? declared.flatMap((it) => prefixField.safeParse(it).data ?? []) : [];
  });
  const nodes = all("nodes", nodeSchema);
  return {
    nodes,
    owned: new Set(nodes.map(({ stack, name }) => `${stack} ${name}`)),
    links: all("links", linkSchema),
    endpoints: stacks.flatMap(([stack, part]) =>
      entries(Object(part).nodes).flatMap(([name, raw]) => {
        const declared: unknown = Object(raw).endpoints;
        return (Array.isArray(declared) ? declared : []).flatMap((it, index) => {
          const path = ["stacks", stack, "nodes", name, "endpoints", index, "address"];
          return typeof it?.address === "string" ? [{ node: name, path, value: it.address as string }] : [];
        });
      }),
    ),
    overlay: {
      prefixes: [...new Set(prefixes)],
      addresses: new Map(nodes.flatMap(({ name, value }) => value.addresses.map((it) => [it, name]))),
    },
    stacks: stacks.map(([stack]) => stack),
  };
}

/**
 * Faults between parts; of a document that has other faults, those of what has none. `joining`: a stack whose nodes
 * `joiningFaults` has held against the names of others.
 */
export function crossFaults(document: unknown, joining?: string): Fault[] {
  const it = view(document);
  return [
    ...twice(it, joining),
    ...endpointFaults(it),
    ...it.links.flatMap((link) => linkFaults(link, it)),
    ...sameFile(it.stacks),
  ];
}

/** What each node has for itself, by what it is called. */
function* belongings({
  name,
  path,
  value,
}: Sound<Node>): Generator<[what: string, key: string, path: Path, shown: unknown]> {
  yield ["a name", name, path, name];
  yield ["an id", String(value.id), [...path, "id"], value.id];
  if (value.publicKey !== undefined) yield ["a public key", value.publicKey, [...path, "publicKey"], undefined];
  for (const address of value.addresses) yield ["an address", address, [...path, "addresses"], address];
}

function twice({ nodes }: View, joining: string | undefined): Fault[] {
  const owners = new Map<string, Sound<Node>>();
  const faults: Fault[] = [];
  for (const node of nodes) {
    for (const [what, key, path, shown] of belongings(node)) {
      const owner = owners.get(`${what} ${key}`);
      owners.set(`${what} ${key}`, owner ?? node);
      if (owner && !(what === "a name" && [owner.stack, node.stack].includes(joining ?? ""))) {
        const legal = `${what} of its own, and ${owner.name} of ${owner.stack} has this one`;
        const cure = `give one of the two another; where these are two networks of one name, call one of them otherwise`;
        faults.push(fault(path, shown, { code: "input/duplicate", legal, cure }));
      }
    }
  }
  return faults;
}

/** Told of each endpoint by itself, whatever else is wrong with its node: it is what loops are made of. */
function endpointFaults({ endpoints, overlay }: View): Fault[] {
  return endpoints.flatMap(({ node, path, value }) => {
    const at = address(value);
    const owner = at && overlay.addresses.get(at);
    const why = owner ? `the address of ${owner} in the overlay` : at && withinOverlay(at, overlay.prefixes);
    if (!why) return [];
    const legal = `an address of ${node} on the underlay, and this is ${why}`;
    return [fault(path, value, { code: "input/underlay", legal, cure: NAME_UNDERLAY })];
  });
}

const RELAY_READS: Objection = {
  code: "input/conflict",
  legal: "true where there is a relay, because it can read what it forwards",
  cure: "add it if you trust the relay with that, or leave the relay out",
};

function linkFaults({ stack, path, value }: Sound<Link>, { owned }: View): Fault[] {
  const names = value.ends.map(({ node }) => node);
  const own = names.filter((name) => owned.has(`${stack} ${name}`));
  const faults: Fault[] = [];
  const object = (at: Path, found: unknown, legal: string, cure: string, code: Objection["code"] = "input/conflict") =>
    faults.push(fault([...path, ...at], found, { code, legal, cure }));
  if (new Set(names).size < names.length) {
    object(["ends"], names.join(", "), "nodes that differ", "name each of them once", "input/duplicate");
  }
  if (own.length === 0) {
    object(
      ["ends"],
      names.join(", "),
      `at least one node of ${stack}`,
      "leave the link to the stack that has its nodes",
    );
  }
  for (const { node, device, port, publicKey } of value.ends) {
    const told = device !== undefined || port !== undefined || publicKey !== undefined;
    if (own.includes(node) && value.relay === undefined && (device === undefined || port === undefined)) {
      object(["ends", node], undefined, "a `device` and a `port` of an own node", "add them", "input/missing");
    } else if (!own.includes(node) && told) {
      object(["ends", node], undefined, `\`node\` alone where it is none of ${stack}`, "leave the rest to its stack");
    }
  }
  if (value.chooser !== undefined && !(names.length === 2 && names.includes(value.chooser))) {
    const legal = `one of two ends (${names.join(", ")})`;
    object(["chooser"], value.chooser, legal, "name one of them, or leave it out", "input/reference");
  }
  if (value.relay !== undefined && (names.length !== 2 || names.includes(value.relay))) {
    object(["relay"], value.relay, "a third node beside two ends", "name the node that forwards between the two");
  }
  if (value.relay !== undefined && value.allowPlaintext !== true) {
    faults.push(fault([...path, "allowPlaintext"], undefined, RELAY_READS));
  }
  return faults;
}

/** Two stacks whose extracts would have one name. */
function sameFile(stacks: readonly string[]): Fault[] {
  const names = new Map<string, string>();
  return stacks.flatMap((stack) => {
    const other = names.get(fileName(stack));
    names.set(fileName(stack), stack);
    if (other === undefined) return [];
    const legal = `a name whose file, ${fileName(stack)}, is no other stack's, and ${other} has it`;
    return [fault(["stacks", stack], stack, { code: "input/duplicate", legal, cure: "name the stack otherwise" })];
  });
}

/** What is wrong with what a stack is about to say, beside what the others say. `others`: without its own part. */
export function joiningFaults(stack: string, declared: Declared, others: ReadonlyMap<string, Declared>): Fault[] {
  const foreign = new Map(
    [...others].flatMap(([owner, { nodes }]) =>
      Object.entries(nodes).map(([name, node]) => [name, { owner, node }] as const),
    ),
  );
  const taken = Object.keys(declared.nodes).flatMap((name) => {
    const other = foreign.get(name);
    if (!other) return [];
    const legal = `a node of ${stack}, and ${name} belongs to ${other.owner}`;
    const cure = `leave ${name} to ${other.owner}, or name yours otherwise`;
    return [fault(["nodes", name], undefined, { code: "input/duplicate", legal, cure })];
  });
  const nodeOf = (name: string): Node | undefined => declared.nodes[name] ?? foreign.get(name)?.node;
  const links = Object.entries(declared.links).flatMap(([name, link]) => {
    const faults = [...link.ends.map(({ node }) => node), ...(link.relay === undefined ? [] : [link.relay])].flatMap(
      (node) => {
        if (nodeOf(node)) return [];
        const known = [...Object.keys(declared.nodes), ...foreign.keys()].sort().slice(0, 20).join(", ");
        const legal = `nodes of the network, such as ${known}`;
        const cure = "correct the name, or run the stack that has it first";
        return [fault(["links", name], node, { code: "input/reference", legal, cure })];
      },
    );
    if (faults.length > 0 || link.relay !== undefined || link.ends.length > 2) return faults;
    if (link.ends.some(({ node }) => (nodeOf(node)?.endpoints.length ?? 0) > 0)) return [];
    const legal = "an endpoint on one of its nodes at least, or a relay";
    const cure = "give `endpoints` to a node that can be called, or a `relay`";
    return [fault(["links", name], undefined, { code: "input/endpoint", legal, cure })];
  });
  return [...taken, ...links, ...chooserFaults(declared, others)];
}

/** Two ends that both choose would pull each other to and fro. */
function chooserFaults(declared: Declared, others: ReadonlyMap<string, Declared>): Fault[] {
  const theirs = new Map(
    [...others].flatMap(([owner, { links }]) =>
      Object.values(links).flatMap((link) =>
        link.chooser === undefined ? [] : [[pairOf(link), { owner, chooser: link.chooser }] as const],
      ),
    ),
  );
  return Object.entries(declared.links).flatMap(([name, link]) => {
    const other = theirs.get(pairOf(link));
    if (!other || link.chooser === undefined || link.chooser === other.chooser) return [];
    const legal = `${other.chooser}, whom ${other.owner} names: one end chooses, or both pull at each other`;
    const cure = "agree on one, or leave it out";
    return [fault(["links", name, "chooser"], link.chooser, { code: "input/conflict", legal, cure })];
  });
}
