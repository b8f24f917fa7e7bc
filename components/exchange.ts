/** What an exchange of keys makes on its nodes: on each the program and a key pair, once, then a preshared key and a daemon. */
import * as pulumi from "../sdk/provider/pulumi";
import { type PartArgs, RosenpassDaemon, RosenpassKey, RosenpassPsk } from "../sdk/provider/resources";
import type { RosenpassDaemonSpec, RosenpassPskSpec } from "../sdk/rosenpass";
import type { OverlayNode } from "./OverlayNode";
import { owner } from "./outputs";
import { makePart } from "./part";
import { program } from "./program";
import { daemonSpec, type Exchange, hashOf, pskSpec, type View } from "./rosenpass";
import type { LinkNode } from "./side";

/** One end of an exchange. */
interface End {
  node: OverlayNode;
  /** As `link lux-fra`: the WireGuard device that it is for. */
  way: string;
  view(own: LinkNode, peer: LinkNode): View;
}

/** What it is for, and what WireGuard knows it by. */
const interfaceOf = ({ node, way }: End): pulumi.Resource[] => {
  const made = program().devices.get(`${way}@${node.nodeName}`);
  return made ? [made] : [];
};
const publicKeyOf = ({ node, way }: End): pulumi.Output<string> =>
  program().keys.get(`${way}@${node.nodeName}`) ?? node.publicKey;

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
 * both keys, and only then removes a device. The health of both ends.
 */
export function makeExchange(
  parent: pulumi.Resource,
  exchange: Exchange,
  ends: readonly [End, End],
  options: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  const keys = ends.map(({ node }) => makeKey(node, exchange.binary, options));
  const names = namesOf(exchange);
  const own = { ...options, parent };
  const psks = ends.map((end, index) => {
    const [far, mine, theirs] = [ends[1 - index] as End, keys[index], keys[1 - index]];
    const spec = specOf(end, far, (view) =>
      pskSpec(view, owner(), {
        publicKey: publicKeyOf(far),
        version: mine?.version,
        peerVersion: theirs?.version,
      }),
    ) as PartArgs<RosenpassPskSpec>["spec"];
    const after = () => [...keys, ...ends.flatMap(interfaceOf)];
    return makePart(RosenpassPsk, end.node, { part: "psk", ...names, spec, after }, own);
  });
  const daemons = ends.map((end, index) => {
    const [far, theirs] = [ends[1 - index] as End, keys[1 - index]];
    const known = { publicKey: publicKeyOf(far), key: theirs?.publicKey };
    const spec = specOf(end, far, (view) => daemonSpec(view, owner(), known)) as PartArgs<RosenpassDaemonSpec>["spec"];
    const other = { other: far.node.connection };
    const all = { part: "daemon" as const, ...names, spec, after: () => psks, more: other };
    return makePart<RosenpassDaemonSpec, RosenpassDaemon>(RosenpassDaemon, end.node, all, own);
  });
  return healthOf(daemons);
}

/** The same, where the other end is somebody else's machine. */
export function makeOneEnd(
  parent: pulumi.Resource,
  exchange: Exchange,
  end: End,
  peer: { node: LinkNode; publicKey: pulumi.Input<string> },
  options: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  const key = makeKey(end.node, exchange.binary, options);
  const names = namesOf(exchange);
  const own = { ...options, parent };
  const { publicKey } = peer;
  const spec = <T>(make: (view: View) => T) =>
    program().whenDeclared(() => program().network.ofNodes([end.node], ([node]) => make(end.view(node, peer.node))));
  const file = hashOf(exchange.peerKey ?? "");
  const known = { publicKey, key: "sha256" in file ? file.sha256 : "" };
  const versions = { publicKey, version: key.version, peerVersion: key.version };
  const pskOf = spec((view) => pskSpec(view, owner(), versions)) as PartArgs<RosenpassPskSpec>["spec"];
  const after = () => [key, ...interfaceOf(end)];
  const psk = makePart(RosenpassPsk, end.node, { part: "psk", ...names, spec: pskOf, after }, own);
  const daemonOf = spec((view) => daemonSpec(view, owner(), known)) as PartArgs<RosenpassDaemonSpec>["spec"];
  const all = { part: "daemon" as const, ...names, spec: daemonOf, after: () => [psk] };
  const daemon = makePart<RosenpassDaemonSpec, RosenpassDaemon>(RosenpassDaemon, end.node, all, own);
  return healthOf([daemon]);
}

const specOf = <T>(end: End, far: End, make: (view: View) => T) =>
  program().whenDeclared(() =>
    program().network.ofNodes([end.node, far.node], ([own, peer]) => make(end.view(own, peer))),
  );

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
