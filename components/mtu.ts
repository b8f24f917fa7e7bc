/** What packets inside of a link or a mesh may be: of which family, and how large. */
import { type Fault, fault } from "../sdk/faults";
import { type Family, family } from "../sdk/network/address";
import { ipv4Alone, leastMtu, mtuObjection, type Way, wayMtu, wireguardMtu } from "../sdk/network/mtu";
import { isKnown, lift } from "./input";
import type { LinkData } from "./linkArgs";
import type { LinkNode } from "./side";

/** What a link or a mesh may say about its own packets. */
type Shape = Pick<LinkData, "mtu" | "family">;

/** Family of packets that carry others: where there is IPv4 alone, they are so, too. */
export const outer = (family: Shape["family"]): Family | undefined => (family === "v4" ? "inet" : family);

/** What there is inside of a device, in the words of its spec. */
export const onlyV4 = ({ family }: Pick<Shape, "family">): { family?: "v4" } => (family === "v4" ? { family } : {});

/** Those of a machine's addresses that packets inside of a link or a mesh may have. */
export const carriedOf = ({ family: of }: Pick<Shape, "family">, addresses: readonly string[]): string[] =>
  addresses.filter((it) => of !== "v4" || family(it) === "inet");

/** The same, where they may be known only later. */
export const carried = (shape: Pick<Shape, "family">, addresses: LinkNode["addresses"]) =>
  shape.family === "v4" ? lift((all) => carriedOf(shape, all), addresses) : addresses;

/** Bytes that the underlay carries between nodes. */
export const underlayMtu = (nodes: readonly LinkNode[]) =>
  lift((...underlays) => Math.min(...underlays.map(({ mtu }) => mtu)), ...nodes.map(({ underlay }) => underlay));

/** The MTU between nodes, on all of them. */
export const mtuOf = ({ mtu, family }: Shape, nodes: readonly LinkNode[]) =>
  lift((declared, underlay) => declared ?? wireguardMtu({ underlay, family: outer(family) }), mtu, underlayMtu(nodes));

/** How the MTU between nodes comes about, where all of it is known. */
export function wayOf({ mtu: declared, family }: Shape, nodes: readonly LinkNode[], who: string): Way | undefined {
  const underlay = underlayMtu(nodes);
  if (!isKnown(declared)) return undefined;
  if (declared !== undefined) return { underlay: declared, name: who, layers: [] };
  return isKnown(underlay) ? wireguardWay(underlay, family) : undefined;
}

/** For the worst endpoint, where nobody says which family all have. */
const wireguardWay = (underlay: number, family: Shape["family"]): Way => ({
  underlay,
  layers: [{ layer: "WireGuard", outer: outer(family) ?? "inet6" }],
});

/** What IPv4 alone is said for, and does without. */
export function smallMtu(shape: Shape, nodes: readonly LinkNode[], who: string): string | undefined {
  const inner = mtuOf(shape, nodes);
  if (shape.family !== "v4" || !isKnown(inner) || inner >= leastMtu()) return undefined;
  return `An MTU of ${inner} bytes, under ${leastMtu()}: nothing goes by ${who} with IPv6, it has no link-local addresses and leads to none of the nodes' IPv6 addresses, and what is sent there in larger pieces is fragmented or lost.`;
}

/** Too small for IPv6, or more than the underlay carries in one piece. */
export function mtuFaultsOf({ mtu: declared, family }: Shape, nodes: readonly LinkNode[]): Fault[] {
  const underlay = underlayMtu(nodes);
  if (!isKnown(underlay) || !isKnown(declared)) return [];
  const way = wireguardWay(underlay, family);
  const least = leastMtu(onlyV4({ family }).family);
  const objection = mtuObjection(declared, way, least);
  if (!objection) return [];
  const [most, wanted] = [wayMtu(way), declared ?? least];
  const [a, b, ...more] = nodes.map(({ name }) => name);
  const narrow = nodes.filter(({ underlay: it }) => isKnown(it) && it.mtu === underlay).map(({ name }) => name);
  const raise = `raise the MTU of the underlay ${more.length > 0 ? `of ${narrow.join(", ")}` : `between ${a} and ${b}`}, and say it in underlay.mtu`;
  const leave = `leave it out, or say in underlay.mtu of ${more.length > 0 ? "all" : "both"} nodes what the underlay carries`;
  const alone = most < least || wanted < least ? ipv4Alone(least, most) : "";
  return [fault(["mtu"], declared, { ...objection, cure: `${most < least ? raise : leave}${alone}` })];
}
