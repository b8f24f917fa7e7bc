import * as pulumi from "../sdk/provider/pulumi";
import { Interface, Key } from "../sdk/provider/resources";
import { ADOPTED } from "../sdk/wireguard/label";
import { type LinkData, linkOutputs, type WgLinkArgs } from "./linkArgs";
import { carried, smallMtu } from "./mtu";
import type { OverlayNode } from "./OverlayNode";
import { foretell, formerNames, named, owner, properties, settled, timeouts, withheld } from "./outputs";
import { makePart } from "./part";
import { type PeerData, type Seen, wgQuick } from "./peerArgs";
import { program } from "./program";
import { device, keyLabel, type LinkNode, nodeOf, type SideName, seen, sideSpec } from "./side";

/** The link on one of its nodes. */
export interface LinkSide {
  /** The node's name. */
  node: string;
  /** Name of the network device. */
  device: string;
  /** UDP port that it listens on. */
  listenPort: number;
  /** Where it calls the other side; absent where it waits to be called. */
  endpoint?: string;
  /** Bytes. */
  mtu: number;
}

/**
 * A WireGuard link between two nodes: a network device on each, which carries what the routes say.
 *
 * @example
 * ```ts
 * const link = new WgLink("lux-fra", { a: lux, b: fra, routes: { b: ["192.168.7.0/24"] } });
 * export const { sideA, sideB, pathMtu } = link;
 * ```
 */
export class WgLink extends pulumi.ComponentResource {
  static readonly token = "overlay:index:WgLink";

  /** The link on node a. */
  declare readonly sideA: pulumi.Output<LinkSide>;
  /** The link on node b; nothing where the other end is a `peer`. */
  declare readonly sideB: pulumi.Output<LinkSide | undefined>;
  /** Bytes that a packet may have to pass in one piece: the MTU, or less where less was found to. */
  declare readonly pathMtu: pulumi.Output<number>;
  /** For a `peer`, a file of wg-quick(8) without its private key. */
  declare readonly wgQuick: pulumi.Output<string | undefined>;
  /** Names that `aliases` says it had: what exchanges its keys bears its name. */
  readonly formerNames: string[];

  /** Faults of the arguments are reported, with those of the whole program, when it has declared all that it has. */
  constructor(
    readonly linkName: string,
    args: WgLinkArgs,
    options: pulumi.ComponentResourceOptions = {},
  ) {
    super(WgLink.token, linkName, named(linkOutputs), options);
    this.formerNames = formerNames(options);
    if (options.urn) return;
    const link = program().sound(this, args, program().network.addLink(linkName, args));
    program().whenWhole(this, () => (link ? program().network.overlaps(link) : []));
    if (!link) {
      Object.assign(this, withheld(linkOutputs));
      return;
    }

    const { b, peer } = link;
    const made = b ? makeBoth(this, link, b, timeouts(options)) : {};
    const outputs = settled(linkOutputs, peer ? makeOne(this, link, peer, timeouts(options)) : made);
    Object.assign(this, properties(outputs));
    this.registerOutputs(outputs);
  }
}

/**
 * The side that calls is made when there is somebody to answer: a handshake that finds nobody, or crosses the other
 * side's own, is tried again only after 5 s (REKEY_TIMEOUT, the WireGuard paper, section 6.1). Neither changes its key
 * before both have theirs. A rollout goes before that.
 */
function makeBoth(parent: WgLink, link: LinkData, b: OverlayNode, options: pulumi.CustomResourceOptions) {
  const { network, rollout } = program();
  const nodes = { a: [link.a, b], b: [b, link.a] } as const;
  const key = (side: SideName) => makeKey(parent, link, side, nodes[side], options);
  const keys = { a: key("a"), b: key("b") };
  const make = (side: SideName, after: pulumi.Resource[]) => {
    const { publicKey } = keys[side === "a" ? "b" : "a"];
    const spec = program().whenDeclared(() =>
      network.ofNodes(nodes[side], ([own, peer]) => {
        const relays = network.relays.of(own.name, [peer.name]);
        return sideSpec({ side, link, own, peer, relays }, owner(), publicKey);
      }),
    );
    return makeSide(parent, link, nodes[side][0], spec, options, after);
  };
  const earlier = rollout.stage(link.a.nodeName) - rollout.stage(b.nodeName);
  const [first, last]: [SideName, SideName] =
    earlier === 0 ? network.order(link) : earlier < 0 ? ["a", "b"] : ["b", "a"];
  const made = [...keys.a.made, ...keys.b.made];
  const answering = make(first, made);
  const calling = make(last, [...made, answering.made]);
  const sides = { [first]: answering.output, [last]: calling.output };
  foretell(
    parent,
    "warning/smallMtu",
    program().whenDeclared(() => network.ofNodes(nodes.a, (both) => smallMtu(link, both, `link ${link.name}`))),
  );
  return { sideA: sides.a, sideB: sides.b, pathMtu: pathMtu(answering, calling) };
}

/** The other side is somebody else's, who is told what to do. */
function makeOne(parent: WgLink, link: LinkData, peer: PeerData, options: pulumi.CustomResourceOptions) {
  const of = <T>(compute: (a: LinkNode) => T) =>
    program().whenDeclared(() => program().network.ofNodes([link.a], ([a]) => compute(a)));
  const key = makeKey(parent, link, "a", [link.a, { nodeName: peer.name }], options);
  const relays = (from: string, to: string) => program().network.relays.of(from, [to]);
  const own = link.a.nodeName;
  const spec = of((a) =>
    sideSpec({ side: "a", link, own: a, peer: nodeOf(peer), relays: relays(own, peer.name) }, owner(), peer.publicKey),
  );
  const told = of((a) =>
    seen({ side: "b", link, own: nodeOf(peer), peer: a, relays: relays(peer.name, own) }, key.publicKey),
  );
  const side = makeSide(parent, link, link.a, spec, options, key.made);
  const file = pulumi
    .all([spec, told, peer.endpoint, carried(link, peer.addresses)])
    .apply(([{ mtu }, node, endpoint, addresses]) =>
      wgQuick({ name: peer.name, addresses: addresses as string[], endpoint }, mtu as number, [node as Seen]),
    );
  foretell(
    parent,
    "warning/smallMtu",
    of((own) => smallMtu(link, [own, nodeOf(peer)], `link ${link.name}`)),
  );
  return { sideA: side.output, pathMtu: pathMtu(side), wgQuick: file };
}

/** The key that a side has: the node's, or one of the link's own, with the label in its name. */
function makeKey(
  parent: WgLink,
  link: LinkData,
  side: SideName,
  [own, peer]: readonly [OverlayNode, Pick<OverlayNode, "nodeName">],
  options: pulumi.CustomResourceOptions,
): { publicKey: pulumi.Output<string>; made: Key[] } {
  const label = keyLabel({ side, link });
  if (label === undefined) return { publicKey: own.early.publicKey, made: [] };
  const name = device({ side, link, peer: { name: peer.nodeName } });
  const of = (node: string): string => `${link.name}@${node}/${name}.${label}`;
  const spec = { node: own.nodeName, owner: owner(), device: name, label, adopt: label === ADOPTED };
  const made = makePart(Key, own, { part: "key", name: of, spec }, { ...options, parent });
  program().keys.set(`link ${link.name}@${own.nodeName}`, made.publicKey);
  return { publicKey: made.publicKey, made: [made] };
}

/** Each side has seen what comes to itself. */
const pathMtu = (...sides: Side[]): pulumi.Output<number> =>
  pulumi
    .all(sides.map(({ made, output }) => pulumi.all([output, made.pathMtu])))
    .apply((all) => Math.min(...all.flatMap(([{ mtu }, found]) => [mtu, ...Object.values(found ?? {})])));

interface Side {
  made: Interface;
  output: pulumi.Output<LinkSide>;
}

type Spec = pulumi.Output<pulumi.Unwrap<ReturnType<typeof sideSpec<pulumi.Input<string>>>>>;

function makeSide(
  parent: WgLink,
  link: LinkData,
  own: OverlayNode,
  spec: Spec,
  options: pulumi.CustomResourceOptions,
  after: pulumi.Resource[],
): Side {
  const name = (node: string): string => `${link.name}@${node}`;
  const ends = [link.a.nodeName, link.b?.nodeName ?? link.peer?.name ?? ""];
  const before = () => [...after, ...program().keyBefore(own.nodeName, ends)];
  const more = { keyed: program().whenDeclared(() => program().network.isKeyed(own.nodeName, ends) || undefined) };
  const made = makePart(Interface, own, { part: "machine", name, spec, more, after: before }, { ...options, parent });
  program().devices.set(`link ${name(own.nodeName)}`, made);
  // By way of the URN, so that what uses an output of the link waits for the link.
  const output = pulumi.all([spec, made.urn]).apply(
    ([
      {
        node,
        device,
        listenPort,
        mtu,
        peer: { endpoint },
      },
    ]) => pulumi.output({ node, device, listenPort, mtu, ...(endpoint !== undefined && { endpoint }) }),
  );
  return { made, output };
}
