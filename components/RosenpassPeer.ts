import * as pulumi from "../sdk/provider/pulumi";
import { makeExchange } from "./exchange";
import type { LinkData } from "./linkArgs";
import { named, properties, settled, timeouts, withheld } from "./outputs";
import type { PeerData } from "./peerArgs";
import { program } from "./program";
import { configOf, hashOf, linkViews, ofLink, toldOf } from "./rosenpass";
import { type RosenpassData, type RosenpassPeerArgs, rosenpassOutputs } from "./rosenpassArgs";
import { type LinkNode, nodeOf } from "./side";

/**
 * Post-quantum keys for the packets of a link: Rosenpass exchanges a new preshared key every two minutes.
 *
 * @example
 * ```ts
 * const link = new WgLink("lux-fra", { a: lux, b: fra });
 * export const { health } = new RosenpassPeer("lux-fra", { link, mode: "permissive" });
 * ```
 */
export class RosenpassPeer extends pulumi.ComponentResource {
  static readonly token = "overlay:index:RosenpassPeer";

  /** `healthy`, or what is wrong, as both ends were last seen. */
  declare readonly health: pulumi.Output<string>;
  /** For a `peer`, a configuration of Rosenpass. */
  declare readonly peerConfig: pulumi.Output<string | undefined>;

  /** Faults of the arguments are reported, with those of the whole program, when it has declared all that it has. */
  constructor(name: string, args: RosenpassPeerArgs, options: pulumi.ComponentResourceOptions = {}) {
    super(RosenpassPeer.token, name, named(rosenpassOutputs), options);
    if (options.urn) return;
    const declared = program().sound(this, args, program().network.addRosenpass(name, args));
    if (!declared) {
      Object.assign(this, withheld(rosenpassOutputs));
      return;
    }
    const { data, link } = declared;
    const exchange = ofLink(data, link);
    const nodes = [link.a.nodeName, link.b?.nodeName ?? link.peer?.name ?? ""];
    program().whenWhole(this, () => program().network.strictFaults(exchange, nodes));
    const outputs = settled(rosenpassOutputs, {
      ...(link.b ? { health: makeBoth(this, data, link, timeouts(options)) } : {}),
      ...(link.peer ? makeOne(this, data, link, link.peer, timeouts(options)) : {}),
    });
    Object.assign(this, properties(outputs));
    this.registerOutputs(outputs);
  }
}

function makeBoth(parent: RosenpassPeer, data: RosenpassData, link: LinkData, options: pulumi.CustomResourceOptions) {
  const [exchange, way] = [ofLink(data, link), `link ${link.name}`];
  const b = link.b as LinkData["a"];
  return makeExchange(
    parent,
    exchange,
    [
      { node: link.a, way, view: (own, peer) => linkViews(exchange, link, own, peer)[0] },
      { node: b, way, view: (own, peer) => linkViews(exchange, link, peer, own)[1] },
    ],
    options,
  );
}

/** The other end is somebody else's, who is told what to do. */
function makeOne(
  parent: RosenpassPeer,
  data: RosenpassData,
  link: LinkData,
  peer: PeerData,
  options: pulumi.CustomResourceOptions,
) {
  const [exchange, way, node] = [ofLink(data, link), `link ${link.name}`, nodeOf(peer)];
  const views = (own: LinkNode) => linkViews(exchange, link, own, node);
  const end = { node: link.a, way, view: (own: LinkNode) => views(own)[0] };
  const file = hashOf(exchange.peerKey ?? "");
  const stranger = { peer: node, publicKey: peer.publicKey, key: "sha256" in file ? file.sha256 : "" };
  const health = makeExchange(parent, exchange, [end, stranger], options);
  const { network, keys } = program();
  const publicKey = keys.get(`${way}@${link.a.nodeName}`) ?? link.a.early.publicKey;
  const told = program().whenDeclared(() => network.ofNodes([link.a], ([own]) => toldOf(views(own)[1])));
  const peerConfig = pulumi.all([told, publicKey, link.a.nodeName]).apply(([{ endpoints, port }, key, name]) => {
    const view = { exchange, own: node, peer: { ...node, name }, device: "wg0" };
    return configOf(view, key, endpoints as string[], port as number);
  });
  return { health, peerConfig };
}
