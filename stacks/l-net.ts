/**
 * The shape of many a personal network: WireGuard is nothing but the underlay, one interface a node, and all that people
 * use is one VXLAN segment on top of it, dual stack, with a router to the outside. Its VXLAN packets live for one hop,
 * because WireGuard leads to every member directly.
 *
 *     npm run -s lab -- up l-net --name lnet
 *     OVERLAY_LAB=lnet pulumi up --stack l-net
 */
import { OverlayNode, VxlanSegment, WgMesh } from "../components";
import { labHosts } from "./labHosts";

const { provider, reached } = labHosts("lnet");
// What the router forwards is for its owner to say.
const forwarding = { "net/ipv4/ip_forward": "1", "net/ipv6/conf/all/forwarding": "1" };

const gauss = new OverlayNode(
  "gauss",
  { id: 1, ...reached("gauss"), addresses: ["192.168.228.166"], sysctls: forwarding },
  { provider },
);
const hilbert = new OverlayNode(
  "hilbert",
  { id: 2, ...reached("hilbert"), addresses: ["192.168.228.128"] },
  { provider },
);
const noether = new OverlayNode(
  "noether",
  { id: 3, ...reached("noether"), addresses: ["192.168.228.60"] },
  { provider },
);
const prefix = "fde9:632e:2c3f::";

const mesh = new WgMesh("wg0", { nodes: [gauss, hilbert, noether], device: "wg0" }, { provider });

const lan = new VxlanSegment(
  "lan",
  {
    vni: 49371,
    variant: "static-flood",
    mesh,
    ttl: 1,
    device: "vwg0",
    members: [
      {
        node: gauss,
        addresses: ["192.168.102.1/24", `${prefix}1/64`],
        // The router: what is outside, under its own address.
        routes: ["198.18.7.0/24", "2001:db8:7::/64"],
        masquerade: "eth0",
      },
      { node: hilbert, addresses: ["192.168.102.2/24", `${prefix}2/64`] },
      { node: noether, addresses: ["192.168.102.3/24", `${prefix}3/64`] },
    ],
  },
  { provider },
);

export const { devices } = lan;
