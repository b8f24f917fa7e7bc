/** One side of a WireGuard link: what a person may say. */
import { z } from "zod";
import { checkedString, unlessFaulty } from "../faults";
import { later } from "../kernel/later";
import { host, notAnEndpoint, parseEndpoint } from "../network/address";
import {
  addressField,
  deviceField,
  endpointField,
  idField,
  NAME_UNDERLAY,
  nameField,
  ownerField,
  portField,
  prefixField,
} from "../network/fields";
import { IPV6_MIN_MTU } from "../network/mtu";
import { objectToPublicKey } from "./publicKey";

export const publicKeyField = checkedString(objectToPublicKey);

const peer = z.strictObject({
  name: nameField.describe("The other node's name. Example: lux"),
  id: idField.describe("The other node's id, unique in the network. Example: 1"),
  publicKey: later(publicKeyField).describe("The other node's WireGuard public key, as `wg pubkey` prints it."),
  endpoint: later(endpointField)
    .optional()
    .describe(
      "Underlay address and port of the other side. Default: none; the other side calls. Example: 203.0.113.5:11002",
    ),
  keepalive: z
    .int()
    .min(1)
    .max(65535)
    .optional()
    .describe("Seconds between packets that keep a NAT's mapping open. Default: off. Example: 25"),
  addresses: later(z.array(later(addressField)))
    .default([])
    .describe("The other node's overlay addresses. Default: none. Example: [10.255.0.1, fd00:6f::1]"),
});

const fields = z.strictObject({
  node: nameField.describe("The node's own name. Example: fra"),
  owner: ownerField.describe("Project and stack that the machine belongs to. Example: net/prod"),
  link: nameField.describe("Name of the link. Example: lux-fra"),
  device: deviceField.describe("Name of the network device, at most 15 bytes. Example: inter-lux"),
  id: idField.describe("The node's own id, unique in the network. Example: 2"),
  mtu: z
    .int()
    .min(IPV6_MIN_MTU)
    .max(65535)
    .describe("Bytes; at least 1280, because the link carries IPv6 (RFC 8200). Example: 1420"),
  listenPort: portField.describe("UDP port that the device listens on. Example: 11001"),
  alsoPorts: z
    .array(portField)
    .default([])
    .describe(
      "UDP ports that are redirected to listenPort, for networks that let few ports out. Default: none. Example: [443]",
    ),
  addresses: z
    .array(addressField)
    .default([])
    .describe("The node's own overlay addresses. Default: none. Example: [10.255.0.2, fd00:6f::2]"),
  prefixes: z
    .array(prefixField)
    .default([])
    .describe(
      "The overlay's prefixes, where no endpoint may lie. Default: none. Example: [10.255.0.0/24, fd00:6f::/48]",
    ),
  underlay: z
    .array(deviceField)
    .default([])
    .describe("Tunnel devices of others that encrypted packets may leave by, as on the node. Default: none."),
  peer: peer.describe("The other side of the link."),
});

type Fields = z.output<typeof fields>;

/** Addresses of which not even the number is known yet are none. */
const list = (addresses: string | string[]): string[] => (typeof addresses === "string" ? [] : addresses);

type Context = z.core.$RefinementCtx;

const object = (context: Context, path: PropertyKey[], legal: string, cure: string): void =>
  context.addIssue({ code: "custom", path, message: legal, params: { cure } });

function otherId({ id, peer }: Fields, context: Context): void {
  if (id !== peer.id) return;
  object(context, ["peer", "id"], `another id than the node's own, ${id}`, "give each node an id of its own");
}

function otherPorts({ alsoPorts, listenPort }: Fields, context: Context): void {
  const index = alsoPorts.indexOf(listenPort);
  if (index < 0) return;
  object(
    context,
    ["alsoPorts", index],
    "another port than listenPort",
    "leave it out; the device listens there anyway",
  );
}

function endpointOutside({ addresses, peer, prefixes }: Fields, context: Context): void {
  const at = peer.endpoint === undefined ? undefined : parseEndpoint(peer.endpoint);
  const why = at && notAnEndpoint(at.address, [...prefixes, ...addresses.map(host), ...list(peer.addresses).map(host)]);
  if (why) object(context, ["peer", "endpoint"], `an address on the underlay, and this is ${why}`, NAME_UNDERLAY);
}

function otherAddresses({ addresses, peer }: Fields, context: Context): void {
  for (const [index, address] of list(peer.addresses).entries()) {
    if (!addresses.includes(address)) continue;
    const path = ["peer", "addresses", index];
    object(context, path, "an address that the node itself has not", "give each node addresses of its own");
  }
}

export const spec = fields
  .superRefine(otherId, unlessFaulty("id", "peer.id"))
  .superRefine(otherPorts, unlessFaulty("alsoPorts", "listenPort"))
  .superRefine(endpointOutside, unlessFaulty("peer.endpoint", "prefixes", "addresses", "peer.addresses"))
  .superRefine(otherAddresses, unlessFaulty("addresses", "peer.addresses"));

export type Spec = z.output<typeof spec>;
export type Input = z.input<typeof spec>;
