/** What an engineer writes a network with. */

export { Provider, type ProviderArgs } from "../sdk/provider/resources";
export type { WgLinkArgs } from "./linkArgs";
export type { WgMeshArgs } from "./meshArgs";
export type { OverlayNodeArgs } from "./nodeArgs";
export { type Endpoint, OverlayNode, type Underlay } from "./OverlayNode";
export type { Peer } from "./peerArgs";
export { RosenpassPeer } from "./RosenpassPeer";
export type { RosenpassPeerArgs } from "./rosenpassArgs";
export { SourceOfTruth } from "./SourceOfTruth";
export type { VxlanSegmentArgs } from "./segmentArgs";
export { fullMesh, type ShapeArgs, star } from "./shapes";
export type { SourceOfTruthArgs } from "./truthArgs";
export { type SegmentDevice, VxlanSegment } from "./VxlanSegment";
export { type LinkSide, WgLink } from "./WgLink";
export { type MeshDevice, WgMesh } from "./WgMesh";
