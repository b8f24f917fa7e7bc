/** What only the live host can tell to be wrong with a link. */
import { type Fault, fault } from "../faults";
import { connected } from "../kernel/connected";
import { kinds } from "../kernel/kinds";
import { isPlaceholder } from "../kernel/later";
import { isOurs } from "../kernel/marks";
import { foreignOwner } from "../kernel/owner";
import type { Snapshot } from "../kernel/snapshot";
import { tunnelTo } from "../kernel/tunnel";
import { host, parseEndpoint } from "../network/address";
import type { Spec } from "./spec";

// Our own devices are not looked at: the one that has the port may be about to go.
function portTaken(spec: Spec, snapshot: Snapshot): Fault[] {
  const other = snapshot.wg.find(({ device, listenPort }) => {
    const link = kinds.link.read(snapshot, device);
    return listenPort === spec.listenPort && link !== undefined && !isOurs(link);
  });
  if (!other) return [];
  const legal = `a port that nothing else listens on, and the host's device ${other.device} listens on this one`;
  return [fault(["listenPort"], spec.listenPort, { legal, cure: "give the link another port in `ports`" })];
}

/** A route to one address is better than that of a network around it: it would take a neighbour of the host's away. */
function neighbours({ peer }: Spec, snapshot: Snapshot): Fault[] {
  return [peer.addresses].flat().flatMap((address, index) => {
    const clash = isPlaceholder(address) ? undefined : connected(snapshot, host(address));
    if (!clash) return [];
    const legal = `an address that the host is not connected to, and its device ${clash.device} is in ${clash.dst}`;
    return [fault(["peer", "addresses", index], address, { legal, cure: "give the other node another address" })];
  });
}

/** The loop guard would drop every packet, and nobody would hear of it. */
function wayThroughTunnel({ node, peer, underlay }: Spec, snapshot: Snapshot): Fault[] {
  const at = parseEndpoint(peer.endpoint ?? "");
  const tunnel = at && tunnelTo(snapshot, at.address);
  if (!tunnel || underlay.includes(tunnel.device)) return [];
  const legal = `an address that is not behind a tunnel, and the way to it leaves ${node} by ${tunnel.device}, a ${tunnel.kind} tunnel, where the guard against loops drops all packets`;
  const cure = `give it a route by another device; or, if ${tunnel.device} does not itself run over this network, name it in \`underlay.devices\` of ${node}`;
  return [fault(["peer", "endpoint"], peer.endpoint, { legal, cure })];
}

export const faults = (spec: Spec, snapshot: Snapshot): Fault[] => [
  ...foreignOwner(snapshot, spec.owner),
  ...portTaken(spec, snapshot),
  ...neighbours(spec, snapshot),
  ...wayThroughTunnel(spec, snapshot),
];
