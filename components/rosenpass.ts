/** The exchange of keys between two nodes, from what they and the link or the mesh say; and what is wrong with it. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { type Fault, fault } from "../sdk/faults";
import { endpoint } from "../sdk/network/address";
import { rosenpassPort } from "../sdk/network/ports";
import type * as pulumi from "../sdk/provider/pulumi";
import { isKnown, lift } from "./input";
import type { LinkData } from "./linkArgs";
import type { MeshData } from "./meshArgs";
import { outer } from "./mtu";
import { letIn } from "./nodeArgs";
import type { RosenpassData } from "./rosenpassArgs";
import { callables, device, type LinkNode } from "./side";

/** What both ends have in common. */
export interface Exchange {
  /** That of the link; in a mesh of the two nodes by their ids, the same on both, and for good. */
  name: string;
  /** What it was called before. */
  formerly: readonly string[];
  of: "link" | "mesh";
  mode: RosenpassData["mode"];
  binary: RosenpassData["binary"];
  port: RosenpassData["port"];
  family: LinkData["family"];
  /** Where the other end is somebody else's, its public key. */
  peerKey?: string | undefined;
}

export const ofLink = (
  { link: { formerNames: formerly }, mode, binary, port, peerKey }: RosenpassData,
  { name, family }: LinkData,
): Exchange => ({ ...{ name, formerly, of: "link", mode, binary, port, family, peerKey } });

/** `ids`: of the two nodes, which keep them whatever they are called. */
export const ofMesh = (
  { name, family }: MeshData,
  { mode, binary }: NonNullable<MeshData["postQuantum"]>,
  ids: readonly [Id, Id],
): Exchange => ({
  name: `${name}.${[...ids].sort(byNumber).join("-")}`,
  ...{ formerly: [], of: "mesh", mode, binary, port: undefined, family },
});

/** A node of another process is known by its name. */
type Id = number | string;
const byNumber = (a: Id, b: Id): number => `${a}`.localeCompare(`${b}`, "en", { numeric: true });

/** A node as its other end sees it. */
export interface View {
  exchange: Exchange;
  own: LinkNode;
  peer: LinkNode;
  device: string;
}

const turned = (view: View): View => ({ ...view, own: view.peer, peer: view.own });

/** The two ends of a link. */
export const linkViews = (exchange: Exchange, link: LinkData, a: LinkNode, b: LinkNode): [View, View] => [
  { exchange, own: a, peer: b, device: device({ side: "a", link, peer: b }) },
  { exchange, own: b, peer: a, device: device({ side: "b", link, peer: a }) },
];

/** The port that a node listens on for the other. */
export const portOf = ({ exchange, own, peer }: View) =>
  lift((declared, base) => declared ?? rosenpassPort(peer.id, base, exchange.of), exchange.port, own.portBase);

/** Where a node is called: at all of its endpoints by which that port is reached. */
function endpointsOf(view: View): (string | pulumi.Output<string>)[] {
  const { exchange, peer } = view;
  const port = portOf(turned(view));
  const reached = ({ ports }: ReturnType<typeof callables>[number]) =>
    exchange.peerKey !== undefined || !ports?.every(isKnown) || !isKnown(port) || ports.includes(port);
  return callables(peer, exchange.family)
    .filter(reached)
    .map(({ address }) => lift(endpoint, address, port));
}

const isCalled = (view: View): boolean => endpointsOf(turned(view)).length > 0;

/** Seconds: of two who call each other, the one of the greater id begins to call later, or their calls would cross. */
const LATER = 1;
const delay = (view: View): number =>
  view.own.id > view.peer.id && isCalled(view) && endpointsOf(view).length > 0 ? LATER : 0;

/** What a node's host is told of the preshared key. `V`: what its Rosenpass says that it is. */
export const pskSpec = <K, V>(
  { exchange: { name, mode, peerKey }, own, peer, device }: View,
  owner: string,
  { publicKey, version, peerVersion }: { publicKey: K; version: V; peerVersion: V },
) => ({
  ...{ node: own.name, owner, name, device, mode, version },
  peer: { name: peer.name, publicKey, ...(peerKey === undefined && { version: peerVersion }) },
});

/** The same of the daemon. `key`: SHA-256 of the other node's Rosenpass public key. */
export const daemonSpec = <K, H>(view: View, owner: string, { publicKey, key }: { publicKey: K; key: H }) => {
  const { exchange, own, peer, device } = view;
  const { name, mode, binary, peerKey } = exchange;
  return {
    ...{ node: own.name, owner, name, device, mode },
    binary: binary !== undefined,
    port: portOf(view),
    delay: delay(view),
    called: isCalled(view),
    ...letIn(own),
    peer: {
      name: peer.name,
      publicKey,
      key,
      ...(peerKey !== undefined && { file: peerKey }),
      endpoints: endpointsOf(view),
    },
  };
};

/** SHA-256 of a file where Pulumi runs, or why it cannot be read. */
export function hashOf(path: string): { sha256: string; size: number } | { why: string } {
  try {
    const bytes = readFileSync(path);
    return { sha256: createHash("sha256").update(bytes).digest("hex"), size: bytes.length };
  } catch (error) {
    return { why: (error as NodeJS.ErrnoException).code ?? String(error) };
  }
}

/** The program has to be the one that was meant, before any host is touched. */
export function binaryFaults(binary: Exchange["binary"], at: PropertyKey[] = []): Fault[] {
  if (binary?.path === undefined) return [];
  const file = hashOf(binary.path);
  const path = [...at, "binary", "path"];
  if ("why" in file) {
    const legal = `a file that can be read (${file.why})`;
    const cure = "correct the path, or put the program there";
    return [fault(path, binary.path, { code: "provider/unreadable", legal, cure })];
  }
  if (file.sha256 === binary.sha256) return [];
  const legal = `a program with the SHA-256 that \`sha256\` says, and this one has ${file.sha256}`;
  const cure = "get the right program, or correct `sha256`";
  return [fault(path, binary.path, { code: "provider/wrongFile", legal, cure })];
}

/** Bytes of a public key of release 0.2. */
const KEY_SIZE = 524160;

/** The key of somebody else's machine. */
export function peerKeyFaults({ peerKey }: RosenpassData, { peer }: LinkData): Fault[] {
  const path = ["peerKey"];
  if (!peer) {
    const legal = "absent where the link has two nodes, whose keys are their own";
    const objection = { code: "input/conflict", legal, cure: "leave it out" } as const;
    return peerKey === undefined ? [] : [fault(path, undefined, objection)];
  }
  if (peerKey === undefined) {
    const legal = `the file with the Rosenpass public key of ${peer.name}, because the other end is a \`peer\``;
    const cure = "have `rosenpass gen-keys` run there, copy its public key, and name that file";
    return [fault(path, undefined, { code: "input/missing", legal, cure })];
  }
  const file = hashOf(peerKey);
  const legal = `a public key of rosenpass 0.2, a file of ${KEY_SIZE} bytes`;
  const cure = `copy the public key of ${peer.name} there once more, as bytes`;
  const wrong = "why" in file ? file.why : file.size === KEY_SIZE ? undefined : `this one has ${file.size}`;
  // The name of the field would keep the value from being shown.
  return wrong === undefined
    ? []
    : [
        {
          code: "why" in file ? "provider/unreadable" : "provider/wrongFile",
          ...{ path: "peerKey", found: JSON.stringify(peerKey), legal: `${legal} (${wrong})`, cure },
        },
      ];
}

/** What is wrong with an exchange by itself. In a mesh a port is not to be chosen: it is a node's `portBase` and an id. */
export function exchangeFaults(views: readonly [View, View]): Fault[] {
  const ports = views.flatMap(portFaults);
  if (ports.length > 0 || views.some(isCalled)) return ports;
  const [{ exchange, own, peer }] = views;
  const kind = exchange.family === undefined ? "" : ` of family ${outer(exchange.family)}`;
  const legal = `an endpoint${kind} of ${own.name} or ${peer.name} that is reached at Rosenpass's port, too, which is not among its \`ports\``;
  if (exchange.of === "link") {
    const cure = "give a `port` that is among them, and that no link has";
    return [fault(["port"], undefined, { code: "input/port", legal, cure })];
  }
  const all = views.map((view) => ({ name: view.own.name, port: portOf(view) }));
  const added = all.flatMap(({ name, port }) => (isKnown(port) ? [`${port} to those of ${name}`] : [])).join(", or ");
  return [fault(["postQuantum"], undefined, { code: "input/port", legal, cure: `add ${added}` })];
}

function portFaults(view: View): Fault[] {
  const { exchange, own, peer } = view;
  const port = portOf(view);
  if (!isKnown(port) || !isKnown(own.ports)) return [];
  const path = [exchange.of === "mesh" ? "postQuantum" : "port"];
  if (own.ports !== undefined && !own.ports.some((it) => it === port)) {
    const few = `one of the UDP ports that ${own.name} has, ${own.ports.filter(isKnown).join(", ")}, and none that a link has`;
    if (exchange.of === "mesh") {
      const legal = `${few}, and towards ${peer.name} it is ${port}`;
      return [fault(path, undefined, { code: "input/port", legal, cure: `add it to \`ports\` of ${own.name}` })];
    }
    if (exchange.port === undefined)
      return [fault(path, undefined, { code: "input/missing", legal: few, cure: "add it" })];
    return [fault(path, port, { code: "input/port", legal: few, cure: "choose one of them" })];
  }
  if (port <= 65535) return [];
  const legal = `a UDP port, at most 65535, and that of ${own.name} would be ${port}`;
  const less = `give ${peer.name} a lesser \`id\`, or ${own.name} a lesser \`portBase\``;
  const cure = exchange.of === "mesh" ? less : "give one";
  return [fault(path, undefined, { code: "input/range", legal, cure })];
}

/** Traffic would go on by way of a relay, with the keys of other links. */
export function strictFaults(
  { mode }: Pick<Exchange, "mode">,
  one: string,
  other: string,
  relays: readonly string[],
  at: PropertyKey[] = [],
): Fault[] {
  if (mode !== "strict" || relays.length === 0) return [];
  const names = relays.join(", ");
  const legal = `"permissive" where ${names} relays between ${one} and ${other}: when their link is down, packets go that way, with no key of theirs`;
  const cure = `leave the pair out of \`relay\` of ${names}, or say "permissive"`;
  return [fault([...at, "mode"], mode, { code: "input/strict", legal, cure })];
}

/** What Rosenpass on somebody else's machine must be told. */
export function configOf(view: View, publicKey: string, at: readonly string[], port: number): string {
  const { own, peer } = view;
  return [
    `# Rosenpass on ${own.name}, with ${peer.name}. The public key of ${peer.name}: npx overlay rosenpass HOST > ${peer.name}.public`,
    `public_key = "${own.name}.public"`,
    `secret_key = "${own.name}.secret"`,
    `listen = ["[::]:${port}"]`,
    'verbosity = "Quiet"',
    "",
    "[[peers]]",
    `public_key = "${peer.name}.public"`,
    ...at.slice(0, 1).map((endpoint) => `endpoint = "${endpoint}"`),
    `device = "${view.device}"`,
    `peer = "${publicKey}"`,
    "",
  ].join("\n");
}

/** For `configOf`, what may be known only later. */
export const toldOf = (view: View) => ({ endpoints: endpointsOf(view), port: portOf(view) });
