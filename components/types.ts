/** The components for the plugin, which makes them for programs in every language. */
import type { ComponentType } from "../sdk/provider/construct";
import { linkArgs, linkOutputs } from "./linkArgs";
import { meshArgs, meshOutputs } from "./meshArgs";
import { nodeArgs, nodeOutputs } from "./nodeArgs";
import { OverlayNode } from "./OverlayNode";
import { RosenpassPeer } from "./RosenpassPeer";
import { rosenpassArgs, rosenpassOutputs } from "./rosenpassArgs";
import { SourceOfTruth } from "./SourceOfTruth";
import { segmentArgs, segmentOutputs } from "./segmentArgs";
import { truthArgs, truthOutputs } from "./truthArgs";
import { VxlanSegment } from "./VxlanSegment";
import { WgLink } from "./WgLink";
import { WgMesh } from "./WgMesh";

export const components: ComponentType[] = [
  {
    token: OverlayNode.token,
    description: "A machine of the network: its keys, its addresses in the overlay, and all that its links stand on.",
    args: nodeArgs,
    outputs: nodeOutputs,
    make: OverlayNode,
  },
  {
    token: WgLink.token,
    description: "A WireGuard link between two nodes: a network device on each, which carries what the routes say.",
    args: linkArgs,
    outputs: linkOutputs,
    make: WgLink,
  },
  {
    token: WgMesh.token,
    description: "A WireGuard mesh: one network device on each node, with all the others as peers.",
    args: meshArgs,
    outputs: meshOutputs,
    make: WgMesh,
  },
  {
    token: RosenpassPeer.token,
    description: "Post-quantum keys for the packets of a link: Rosenpass exchanges a new one every two minutes.",
    args: rosenpassArgs,
    outputs: rosenpassOutputs,
    make: RosenpassPeer,
  },
  {
    token: VxlanSegment.token,
    description: "A VXLAN segment: one Ethernet network of several nodes, over links and meshes that encrypt it.",
    args: segmentArgs,
    outputs: segmentOutputs,
    make: VxlanSegment,
  },
  {
    token: SourceOfTruth.token,
    description: "A network that several stacks have a part of: what each says of its own nodes and links, signed.",
    args: truthArgs,
    outputs: truthOutputs,
    make: SourceOfTruth,
  },
];
