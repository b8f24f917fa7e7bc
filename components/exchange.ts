/** What an exchange of keys makes on its nodes: on each the program and a key pair, once, then a preshared key and a daemon. */
import * as pulumi from "../sdk/provider/pulumi";
import { type PartArgs, RosenpassDaemon, RosenpassKey, RosenpassPsk } from "../sdk/provider/resources";
import type { RosenpassDaemonSpec, RosenpassPskSpec } from "../sdk/rosenpass";
import type { OverlayNode } from "./OverlayNode";
import { owner } from "./outputs";
import { makePart } from "./part";
import { program } from "./program";
import { daemonSpec, type Exchange, pskSpec, type View } from "./rosenpass";
import type { LinkNode } from "./side";

/** A node at one end of an exchange. */
interface End {
  node: OverlayNode;
  /** As `link lux-fra`: the WireGuard device that it is for. */
  way: string;
  view(own: LinkNode, peer: LinkNode): View;
}

/** Somebody else's machine at the other end, and what is known of it. */
interface Stranger {
  peer: LinkNode;
  publicKey: pulumi.Input<string>;
  /** SHA-256 of its Rosenpass public key. */
  key: pulumi.Input<string>;
}

const isNode = (end: End | Stranger): end is End => "node" in end;

/** What it is for, and what WireGuard knows it by. */
const interfaceOf = ({ node, way }: End): pulumi.Resource[] => {
  const made = program().devices.get(`${way}@${node.nodeName}`);
  return made ? [made] : [];
};
const publicKeyOf = ({ node, way }: End): pulumi.Output<string> =>
  program().keys.get(`${way}@${node.nodeName}`) ?? node.early.publicKey;

/** Once for all exchanges of a node: it is the node's, so that it stays as long as one of them does. */
function makeKey(node: OverlayNode, binary: Exchange["binary"], options: pulumi.CustomResourceOptions): RosenpassKey {
  const key = `rosenpass@${node.nodeName}`;
  const { devices } = program();
  const before = devices.get(key);
  if (before) return before as RosenpassKey;
  const spec = { node: node.nodeName, owner: owner(), ...(binary && { binary }) };
  const name = (of: string): string => `rosenpass@${of}`;
  const made = makePart(RosenpassKey, node, { part: "machine", name, spec }, { ...options, parent: node });
  devices.set(key, made);
  return made;
}

/**
 * Both daemons come after both preshared keys, and these after both devices: so that what goes stops both daemons, then clears
 * both keys, and only then removes a device. The health of both ends; of one, where the other is a stranger.
 */
export function makeExchange(
  parent: pulumi.Resource,
  exchange: Exchange,
  ends: readonly [End, End | Stranger],
  options: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  const names = namesOf(exchange);
  const own = { ...options, parent };
  const nodes = ends.filter(isNode);
  const keys = nodes.map(({ node }) => makeKey(node, exchange.binary, options));
  const sides = nodes.map((end, index) => {
    const [mine, theirs, far] = [keys[index], keys[1 - index], ends[1 - index] as End | Stranger];
    const known = isNode(far)
      ? { publicKey: publicKeyOf(far), key: theirs?.publicKey as pulumi.Input<string> }
      : { publicKey: far.publicKey, key: far.key };
    return { end, far, known, versions: { version: mine?.version, peerVersion: theirs?.version } };
  });
  const psks = sides.map(({ end, far, known: { publicKey }, versions }) => {
    const make = (view: View) => pskSpec(view, owner(), { publicKey, ...versions });
    const spec = specOf(end, far, make) as PartArgs<RosenpassPskSpec>["spec"];
    const after = () => [...keys, ...nodes.flatMap(interfaceOf)];
    return makePart(RosenpassPsk, end.node, { part: "psk", ...names, spec, after }, own);
  });
  const daemons = sides.map(({ end, far, known }) => {
    const spec = specOf(end, far, (view) => daemonSpec(view, owner(), known)) as PartArgs<RosenpassDaemonSpec>["spec"];
    const more = isNode(far) ? { other: far.node.connection } : {};
    const all = { part: "daemon" as const, ...names, spec, after: () => psks, more };
    return makePart<RosenpassDaemonSpec, RosenpassDaemon>(RosenpassDaemon, end.node, all, own);
  });
  return healthOf(daemons);
}

function specOf<T>(end: End, far: End | Stranger, make: (view: View) => T) {
  const { network } = program();
  return program().whenDeclared(() =>
    isNode(far)
      ? network.ofNodes([end.node, far.node], ([own, peer]) => make(end.view(own, peer)))
      : network.ofNodes([end.node], ([own]) => make(end.view(own, far.peer))),
  );
}

/** Of what it has on a node, by the node's name. */
const namesOf = ({ name, formerly }: Exchange) => {
  const of = (its: string) => (node: string) => `${its}@${node}`;
  return { name: of(name), formerly: formerly.map(of) };
};

/** The end that was there first did not see the other. */
const healthOf = (daemons: readonly RosenpassDaemon[]): pulumi.Output<string> =>
  pulumi
    .all(daemons.map(({ health }) => health))
    .apply((all) => [...new Set(all.filter((it) => it !== undefined))].join("; "));
