import type { Fault } from "../sdk/faults";
import * as pulumi from "../sdk/provider/pulumi";
import { Interface } from "../sdk/provider/resources";
import { HEALTHY } from "../sdk/rosenpass/health";
import { makeExchange } from "./exchange";
import { applyPartly, unrelated } from "./input";
import { costly, device, meshNode, meshPeers, peerTexts, specText } from "./mesh";
import { type MeshData, meshOutputs, type WgMeshArgs } from "./meshArgs";
import { carried, mtuOf, smallMtu } from "./mtu";
import { pairsOf } from "./network";
import type { OverlayNode } from "./OverlayNode";
import { foretell, named, owner, properties, settled, timeouts, withheld } from "./outputs";
import { makePart } from "./part";
import { type Seen, wgQuick } from "./peerArgs";
import { program } from "./program";
import { ofMesh } from "./rosenpass";
import type { LinkNode } from "./side";

/** The mesh on one of its nodes. */
export interface MeshDevice {
  /** The node's name. */
  node: string;
  /** Name of the network device. */
  device: string;
  /** UDP port that it listens on. */
  listenPort: number;
  /** Bytes. */
  mtu: number;
}

/**
 * A WireGuard mesh: one network device on each node, with all the others as peers, each of which has its own addresses
 * and what is declared to lie behind it.
 *
 * @example
 * ```ts
 * const mesh = new WgMesh("mesh", { nodes: [lux, fra, hkg], routes: { fra: ["192.168.7.0/24"] } });
 * export const { devices } = mesh;
 * ```
 */
export class WgMesh extends pulumi.ComponentResource {
  static readonly token = "overlay:index:WgMesh";

  /** The mesh on each of its nodes, in the order in which they are given. */
  declare readonly devices: pulumi.Output<MeshDevice[]>;
  /** Of `postQuantum`: `healthy`, or what is wrong, as both ends of each pair were last seen. */
  declare readonly health: pulumi.Output<string | undefined>;
  /** For each of `peers`, by its name, a file of wg-quick(8) without its private key. */
  declare readonly wgQuick: pulumi.Output<Record<string, string>>;

  /** Faults of the arguments are reported, with those of the whole program, when it has declared all that it has. */
  constructor(
    readonly meshName: string,
    args: WgMeshArgs,
    options: pulumi.ComponentResourceOptions = {},
  ) {
    super(WgMesh.token, meshName, named(meshOutputs), options);
    if (options.urn) return;
    const mesh = program().sound(this, args, program().network.addMesh(meshName, args));
    program().whenWhole(this, () => (mesh ? [...program().network.overlaps(mesh), ...strict(mesh)] : []));
    if (!mesh) {
      Object.assign(this, withheld(meshOutputs));
      return;
    }
    foretell(this, "warning/largeMesh", costly(mesh));
    foretell(
      this,
      "warning/smallMtu",
      declared(mesh, (nodes) => smallMtu(mesh, nodes, `mesh ${meshName}`)),
    );

    const outputs = settled(meshOutputs, {
      devices: makeDevices(this, mesh, timeouts(options)),
      health: makeExchanges(this, mesh, timeouts(options)),
      wgQuick: forOthers(mesh),
    });
    Object.assign(this, properties(outputs));
    this.registerOutputs(outputs);
  }
}

const declared = <T>({ nodes }: MeshData, compute: (nodes: LinkNode[]) => T) =>
  program().whenDeclared(() => program().network.ofNodes(nodes, compute));

/** With no keys that must be there, a mesh has no fault of that kind. */
const strict = ({ nodes, postQuantum }: MeshData): Fault[] =>
  postQuantum
    ? program().network.strictFaults(
        postQuantum,
        nodes.map(({ nodeName }) => nodeName),
        ["postQuantum"],
      )
    : [];

/** Of every two nodes. */
function makeExchanges(
  parent: WgMesh,
  mesh: MeshData,
  options: pulumi.CustomResourceOptions,
): pulumi.Output<string> | undefined {
  const { postQuantum } = mesh;
  if (!postQuantum) return undefined;
  const all = pairsOf(mesh.nodes).map(([one, other]) => {
    const id = ({ nodeName }: OverlayNode) => program().network.idOf(nodeName) ?? nodeName;
    const exchange = ofMesh(mesh, postQuantum, [id(one), id(other)]);
    const view = (own: LinkNode, peer: LinkNode) => ({ exchange, own, peer, device: device(mesh) });
    const way = `mesh ${mesh.name}`;
    const end = (node: OverlayNode) => ({ node, way, view });
    return makeExchange(parent, exchange, [end(one), end(other)], options);
  });
  return pulumi.all(all).apply((each) => {
    const ill = each.filter((it) => it !== HEALTHY);
    return ill.length === 0 ? HEALTHY : ill.join("; ");
  });
}

const publicKeys = ({ nodes }: MeshData): pulumi.Output<string>[] => nodes.map(({ early }) => early.publicKey);

/** What the machines of somebody else must be told. */
function forOthers(mesh: MeshData): pulumi.Output<Record<string, string>> {
  const seen = declared(mesh, (nodes) => ({
    mtu: mtuOf(mesh, nodes),
    nodes: meshPeers(mesh, nodes, publicKeys(mesh)).slice(0, nodes.length),
  }));
  const peers = pulumi.all(
    mesh.peers.map(({ name, endpoint, addresses }) => ({ name, endpoint, addresses: carried(mesh, addresses) })),
  );
  return pulumi
    .all([seen, peers])
    .apply(([{ mtu, nodes }, all]) =>
      Object.fromEntries(
        all.map(({ addresses, ...peer }) => [
          peer.name,
          wgQuick({ ...peer, addresses: addresses as string[] }, mtu, nodes as Seen[]),
        ]),
      ),
    );
}

/** All at once: each calls and is called, so that there is no order in which nobody comes too early. */
function makeDevices(
  parent: WgMesh,
  mesh: MeshData,
  options: pulumi.CustomResourceOptions,
): pulumi.Output<MeshDevice>[] {
  // Once for all: an Output for each value of each pair would take longer than the hosts do.
  const peers = unrelated(
    applyPartly(
      declared(mesh, (nodes) => meshPeers(mesh, nodes, publicKeys(mesh))),
      peerTexts,
    ),
  );
  const mtu = declared(mesh, (nodes) => mtuOf(mesh, nodes));
  const names = mesh.nodes.map(({ nodeName }) => nodeName);
  return mesh.nodes.map((node, index) => {
    const relays = () => program().network.relays.of(node.nodeName, names);
    const own = declared(mesh, (nodes) => meshNode(mesh, nodes[index] as LinkNode, owner(), mtu, relays()));
    const spec = applyPartly(pulumi.all([own, peers]), ([own, peers]) => specText(own, peers, index));
    const name = (of: string): string => `${mesh.name}@${of}`;
    const after = () => program().keyBefore(node.nodeName, names);
    const more = mesh.postQuantum && { keyed: true };
    const made = makePart(Interface, node, { part: "machine", name, spec, more, after }, { ...options, parent });
    program().devices.set(`mesh ${name(node.nodeName)}`, made);
    // By way of the URN, so that what uses an output of the mesh waits for its device.
    return pulumi
      .all([own, made.urn])
      .apply(([{ node, device, listenPort, mtu }]) => pulumi.output({ node, device, listenPort, mtu }));
  });
}
