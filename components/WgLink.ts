import * as pulumi from "@pulumi/pulumi";
import { Interface } from "../sdk/provider/resources";
import { type LinkData, linkOutputs, type WgLinkArgs } from "./linkArgs";
import { named, owner, settled, timeouts, withheld } from "./outputs";
import { program } from "./program";
import { type SideName, sideSpec } from "./side";

/** The link on one of its nodes. */
export interface LinkSide {
  node: string;
  device: string;
  listenPort: number;
  /** Where it calls the other side; absent where it waits to be called. */
  endpoint?: string;
  /** Bytes. */
  mtu: number;
}

/**
 * A WireGuard link between two nodes: a network device on each, which carries what the routes say.
 *
 *     const link = new WgLink("lux-fra", { a: lux, b: fra });
 */
export class WgLink extends pulumi.ComponentResource {
  static readonly token = "overlay:index:WgLink";

  declare readonly sideA: pulumi.Output<LinkSide>;
  declare readonly sideB: pulumi.Output<LinkSide>;

  /** Faults of the arguments are reported, with those of the whole program, when it has declared all that it has. */
  constructor(name: string, args: WgLinkArgs, options: pulumi.ComponentResourceOptions = {}) {
    super(WgLink.token, name, named(linkOutputs), options);
    if (options.urn) return;
    const link = program().sound(this, args, program().network.addLink(name, args));
    if (!link) {
      Object.assign(this, withheld(linkOutputs));
      return;
    }

    // The side that calls is made when there is somebody to answer: a handshake that finds nobody, or crosses the
    // other side's own, is tried again only after 5 s (REKEY_TIMEOUT, the WireGuard paper, section 6.1).
    const [first, last] = program().network.order(link);
    const answering = makeSide(this, link, first, timeouts(options));
    const calling = makeSide(this, link, last, { ...timeouts(options), dependsOn: answering.made });
    const sides = { [first]: answering.output, [last]: calling.output };
    const outputs = settled(linkOutputs, { sideA: sides.a, sideB: sides.b });
    Object.assign(this, outputs);
    this.registerOutputs(outputs);
  }
}

interface Side {
  made: Interface;
  output: pulumi.Output<LinkSide>;
}

function makeSide(parent: WgLink, link: LinkData, side: SideName, options: pulumi.CustomResourceOptions): Side {
  const [own, peer] = side === "a" ? [link.a, link.b] : [link.b, link.a];
  const { network } = program();
  const spec = program().whenDeclared(() =>
    network.ofNodes([own, peer], ([here, there]) =>
      sideSpec({ side, link, own: here, peer: there }, owner(), peer.publicKey),
    ),
  );
  const name = (node: string): string => `${link.name}@${node}`;
  const made = new Interface(
    name(own.nodeName),
    { connection: own.connection, machine: own.machine, spec },
    { ...options, parent, deletedWith: own, aliases: own.formerNames.map((former) => ({ name: name(former) })) },
  );
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
