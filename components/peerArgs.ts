/** Somebody else's machine: what a person says about it, and what that machine has to be told. */
import { z } from "zod";
import { host } from "../sdk/network/address";
import { addressField, endpointField, idField, nameField, routeField } from "../sdk/network/fields";
import { missingKey } from "../sdk/wireguard/quick";
import { publicKeyField } from "../sdk/wireguard/spec";
import { input } from "./input";

export const peerField = z
  .strictObject({
    name: nameField.describe("Name of the machine, unique in the network. Example: phone"),
    id: idField.describe("Number of the machine, unique in the network; never change it. Example: 50"),
    publicKey: input(publicKeyField).describe("Its WireGuard public key, as `wg pubkey` prints it."),
    addresses: input(z.array(input(addressField)).min(1)).describe(
      "Its addresses in the overlay. Example: [10.255.0.50, fd00:6f::50]",
    ),
    endpoint: input(endpointField)
      .optional()
      .describe("Underlay address and port that it is called at. Default: none; it calls. Example: 192.0.2.7:51820"),
    routes: input(z.array(input(routeField)).default([])).describe(
      "What is reached by way of it besides its own addresses. Default: none. Example: [192.168.9.0/24]",
    ),
  })
  .meta({ id: "Peer", description: "Somebody else's machine at the other end of a link, or in a mesh." });

/** Each is described in the document Arguments of the reference. */
export type Peer = z.input<typeof peerField>;
export type PeerData = z.output<typeof peerField>;

/** What of it is known by the time that it is told. */
type Told = Pick<PeerData, "name"> & { addresses: readonly string[]; endpoint?: string | undefined };

/** A node as that machine sees it. */
export interface Seen {
  name: string;
  publicKey: string;
  addresses: readonly string[];
  routes: readonly string[];
  endpoint?: string;
  keepalive?: number;
}

const line = (name: string, value: string | number | undefined): string[] =>
  value === undefined || value === "" ? [] : [`${name} = ${value}`];

/** The file of wg-quick(8) that makes the machine a part of the network, but for its private key, which is nobody's but its own. */
export function wgQuick({ endpoint, ...peer }: Told, mtu: number, nodes: readonly Seen[]): string {
  return [
    `# ${peer.name}`,
    "[Interface]",
    missingKey(peer.name),
    ...line("Address", peer.addresses.map(host).join(", ")),
    ...line("ListenPort", endpoint?.split(":").at(-1)),
    ...line("MTU", mtu),
    ...nodes.flatMap((node) => [
      "",
      `# ${node.name}`,
      "[Peer]",
      ...line("PublicKey", node.publicKey),
      ...line("AllowedIPs", [...node.addresses.map(host), ...node.routes].join(", ")),
      ...line("Endpoint", node.endpoint),
      ...line("PersistentKeepalive", node.keepalive),
    ]),
    "",
  ].join("\n");
}
