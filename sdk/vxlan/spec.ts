/** A member of a VXLAN segment: one VTEP. What a person may say. */
import { z } from "zod";
import { type Objection, objectAcross, unlessFaulty } from "../faults";
import { isPlaceholder, later, laterList } from "../kernel/later";
import { contains, family, inside, withinOverlay } from "../network/address";
import {
  addressField,
  deviceField,
  groupField,
  idField,
  insideField,
  macField,
  nameField,
  ownerField,
  portField,
  prefixField,
  vniField,
} from "../network/fields";
import { IPV4_MIN_MTU, leastMtu, mtuObjection } from "../network/mtu";
import { type Compared, nothingTwice, type Objected, onlyV4, samePrefixes } from "./members";

export const VARIANTS = [
  "point-to-point",
  "multicast",
  "static-flood",
  "static-l2",
  "static-arp-nd",
  "route-short-circuit",
  "unicast-routing",
] as const;

const behind = z.strictObject({
  mac: later(macField).describe("MAC address of a host behind the member's bridge. Example: 52:54:00:12:34:56"),
  addresses: laterList(addressField)
    .default([])
    .describe("IP addresses that it has. Default: none. Example: [10.100.0.50, fd00:100::50]"),
});

const peer = z.strictObject({
  name: nameField.describe("The other member's node. Example: lux"),
  id: idField.optional().describe("That node's own id, which its link-local address is made of. Default: unknown."),
  vtep: later(addressField).describe("Address that its VXLAN packets come from and go to. Example: 10.255.0.1"),
  mac: macField.describe("MAC address that it has in the segment. Example: 02:00:00:64:00:01"),
  addresses: z
    .array(insideField)
    .default([])
    .describe("Its addresses in the segment. Default: none. Example: [10.100.0.1/24, fd00:100::1/64]"),
  behind: z.array(behind).default([]).describe("Hosts behind its bridge that are known. Default: none."),
  routes: laterList(prefixField)
    .default([])
    .describe("What is reached by way of it. Default: none. Example: [192.168.7.0/24]"),
});

const router = z.strictObject({
  mac: later(macField).describe("MAC address of the router that packets are not sent to. Example: 02:00:5e:00:01:01"),
  at: nameField.optional().describe("The member behind which it is. Default: the first; it may be away. Example: lux"),
  addresses: z
    .array(addressField)
    .default([])
    .describe("The router's addresses, for a member without a bridge. Default: none. Example: [10.100.0.254]"),
  routes: z
    .array(prefixField)
    .default([])
    .describe("What the member itself reaches by way of the router. Default: none. Example: [10.101.0.0/24]"),
});

const fields = z.strictObject({
  node: nameField.describe("The node's own name. Example: fra"),
  owner: ownerField.describe("Project and stack that the machine belongs to. Example: net/prod"),
  segment: nameField.describe("Name of the segment. Example: lan"),
  device: deviceField.describe("Name of the VXLAN device, at most 15 bytes. Example: vx-lan"),
  id: idField.describe("The node's own id, unique in the network. Example: 2"),
  vni: vniField.describe("VXLAN network identifier, 1 to 16777215. Example: 100"),
  variant: z.enum(VARIANTS).describe("How members find each other. Example: static-flood"),
  port: portField.default(4789).describe("UDP port. Default: 4789."),
  ttl: z
    .int()
    .min(1)
    .max(255)
    .default(64)
    .describe("Hops that the outer packets may take; 1 does not cross a relay. Default: 64. Example: 1"),
  mtu: z
    .int()
    .min(IPV4_MIN_MTU)
    .max(65535)
    .describe("Bytes inside; at least 1280 but for family v4 (RFC 8200). Example: 1370"),
  family: z
    .enum(["v4"])
    .optional()
    .describe("v4: the segment carries no IPv6, so that 576 bytes will do. Default: both."),
  carrier: z
    .int()
    .optional()
    .describe(
      "Bytes that the outer packets may have: the least MTU of what they leave by. Default: unknown. Example: 1420",
    ),
  local: later(addressField).describe("Address of this VTEP. Example: 10.255.0.2"),
  encrypted: z
    .boolean()
    .default(true)
    .describe("Whether frames come and go by links alone. false: by anything, from and to the members. Default: true."),
  group: groupField.optional().describe("Of multicast, the group. Example: 239.1.1.1"),
  underlay: deviceField.optional().describe("Of multicast, the device on which the group is. Example: eth0"),
  mac: macField.describe("MAC address of the device. Example: 02:00:00:64:00:02"),
  addresses: z
    .array(insideField)
    .default([])
    .describe("The node's own addresses in the segment; in a bridge, they are the bridge's. Example: [10.100.0.2/24]"),
  bridge: deviceField.optional().describe("Bridge that the device is a port of. Default: none. Example: br-lan"),
  masquerade: deviceField
    .optional()
    .describe(
      "Device by which what comes from the segment leaves under the host's own address. Default: none. Example: eth0",
    ),
  router: router.optional().describe("Of route-short-circuit, the router."),
  peers: z.array(peer).default([]).describe("The other members. Default: none yet."),
});

type Fields = z.output<typeof fields>;
type Context = z.core.$RefinementCtx;

const object = (context: Context, path: PropertyKey[], code: Objection["code"], legal: string, cure: string): void =>
  objectAcross(context, path, { code, legal, cure });

/** Fields that one variant has and others have not. */
const OF_VARIANT = { group: "multicast", underlay: "multicast", router: "route-short-circuit" } as const;

function variantFields(spec: Fields, context: Context): void {
  for (const [name, variant] of Object.entries(OF_VARIANT)) {
    const there = spec[name as keyof typeof OF_VARIANT] !== undefined;
    if (there && spec.variant !== variant) {
      const legal = `absent where the variant is not ${variant}`;
      object(context, [name], "input/conflict", legal, "leave it out, or change `variant`");
    }
    if (!there && spec.variant === variant) object(context, [name], "input/missing", `there, for ${variant}`, "add it");
  }
  if (spec.variant === "unicast-routing" && spec.bridge !== undefined) {
    const legal = "absent for unicast-routing, which routes packets and knows no frames";
    object(context, ["bridge"], "input/conflict", legal, "leave it out, or choose another variant");
  }
}

function overWireguard({ variant, encrypted }: Fields, context: Context): void {
  if (variant !== "multicast" || !encrypted) return;
  const legal =
    "another variant than multicast over WireGuard, which sends each packet to the one peer that has its address as an allowed IP, and a group is nobody's";
  object(
    context,
    ["variant"],
    "input/conflict",
    legal,
    "choose static-flood, or say encrypted: false for a plain underlay",
  );
}

function onePeer({ variant, peers }: Fields, context: Context): void {
  if (variant !== "point-to-point" || peers.length === 1) return;
  const legal = `two members, and there ${peers.length === 0 ? "is one" : `are ${peers.length + 1}`}`;
  object(context, ["peers"], "input/conflict", legal, "choose static-flood for more");
}

/** Addresses inside cannot be in the bridge and on its port. */
function bridgeOrAddresses({ bridge, addresses }: Fields, context: Context): void {
  if (bridge === undefined || addresses.length === 0) return;
  const cure = `give them to the bridge ${bridge}`;
  object(context, ["addresses"], "input/conflict", "none where there is a bridge", cure);
}

function oneFamily({ local, peers, group }: Fields, context: Context): void {
  if (isPlaceholder(local)) return;
  const own = family(local);
  const wrong = (path: PropertyKey[]) =>
    object(
      context,
      path,
      "input/family",
      `an ${own === "inet" ? "IPv4" : "IPv6"} address, as \`local\` is`,
      "name addresses of one family for all members",
    );
  if (group !== undefined && family(group) !== own) wrong(["group"]);
  for (const [index, { vtep }] of peers.entries()) {
    if (!isPlaceholder(vtep) && family(vtep) !== own) wrong(["peers", index, "vtep"]);
  }
}

/** The segment's packets would be put into themselves. */
function outside({ local, addresses, peers }: Fields, context: Context): void {
  const prefixes = addresses.flatMap((it) => inside(it)?.prefix ?? []);
  const look = (vtep: string, path: PropertyKey[]) => {
    const why = isPlaceholder(vtep) ? undefined : withinOverlay(vtep, prefixes);
    if (!why) return;
    const legal = `an address outside of the segment, and this is ${why}`;
    object(context, path, "input/underlay", legal, "name the address of a link");
  };
  look(local, ["local"]);
  for (const [index, { vtep }] of peers.entries()) look(vtep, ["peers", index, "vtep"]);
}

function fits({ mtu, family: only, carrier, local }: Fields, context: Context): void {
  const least = leastMtu(only);
  const way = {
    underlay: carrier ?? 65535 + 70,
    name: "carrier",
    layers: [{ layer: "VXLAN", outer: family(local) } as const],
  };
  const objection = isPlaceholder(local) && carrier !== undefined ? undefined : mtuObjection(mtu, way, least);
  if (objection) objectAcross(context, ["mtu"], objection);
}

function routerAt({ router, peers, addresses }: Fields, context: Context): void {
  if (!router) return;
  if (router.at !== undefined && !peers.some(({ name }) => name === router.at)) {
    object(context, ["router", "at"], "input/reference", "the name of another member", "correct it, or leave it out");
  }
  for (const [index, it] of router.addresses.entries()) {
    if (addresses.some((own) => contains(inside(own)?.prefix ?? "", it))) continue;
    const legal = "an address in a prefix of the member's own";
    object(context, ["router", "addresses", index], "input/prefix", legal, "correct it");
  }
}

/** What members are compared by, of this one and all others. */
const among =
  (check: (spec: Fields, members: Compared[]) => Objected[]) =>
  (spec: Fields, context: Context): void => {
    const own = { name: spec.node, vtep: spec.local, mac: spec.mac, addresses: spec.addresses, behind: [] };
    for (const { path, ...objection } of check(spec, [own, ...spec.peers])) {
      const [member, ...field] = path;
      const here = field[0] === "vtep" ? ["local"] : field;
      objectAcross(context, member === 0 ? here : ["peers", member - 1, ...field], objection);
    }
  };

/** What is to be hidden is known by the members' addresses. */
function hidesSomething({ masquerade, addresses, peers }: Fields, context: Context): void {
  if (masquerade === undefined || [addresses, ...peers.map((it) => it.addresses)].flat().length > 0) return;
  const legal = "absent where no other member has an address, because what leaves is known by their prefixes";
  object(
    context,
    ["masquerade"],
    "input/conflict",
    legal,
    "give another member an address in the segment, or leave it out",
  );
}

export const spec = fields
  .superRefine(variantFields, unlessFaulty("variant", "peers", "bridge", "group", "underlay", "router"))
  .superRefine(overWireguard, unlessFaulty("variant", "encrypted"))
  .superRefine(onePeer, unlessFaulty("variant", "peers"))
  .superRefine(bridgeOrAddresses, unlessFaulty("bridge", "addresses"))
  .superRefine(oneFamily, unlessFaulty("local", "peers", "group"))
  .superRefine(among(nothingTwice), unlessFaulty("local", "mac", "addresses", "peers"))
  .superRefine(among(samePrefixes), unlessFaulty("variant", "addresses", "peers"))
  .superRefine(outside, unlessFaulty("local", "addresses", "peers"))
  .superRefine(among(onlyV4), unlessFaulty("family", "addresses", "peers"))
  .superRefine(fits, unlessFaulty("mtu", "family", "carrier", "local"))
  .superRefine(routerAt, unlessFaulty("router", "peers", "addresses"))
  .superRefine(hidesSomething, unlessFaulty("masquerade", "addresses", "peers"));

export type Spec = z.output<typeof spec>;
export type Input = z.input<typeof spec>;
export type Peer = Spec["peers"][number];
