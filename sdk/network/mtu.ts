/**
 * MTU arithmetic: every layer's bytes by name, so that an error can show the sum, both ways: what an underlay leaves for
 * the innermost packet, and what underlay a packet needs.
 */
import type { Objection } from "../faults";
import type { Family } from "./address";

export const IP: Record<Family, number> = { inet: 20, inet6: 40 }; // RFC 791 without options, RFC 8200
const UDP = 8; // RFC 768
/** Type, receiver, counter and the authentication tag: 4 + 4 + 8 + 16, the WireGuard paper, section 5.4.6. */
const WIREGUARD = 32;
/** RFC 7348, section 5: the VXLAN header and the inner Ethernet header. */
const VXLAN = 8 + 14;
/** RFC 2784, section 2.1, without checksum and key. */
const GRE = 4;
/**
 * RFC 4303 with AES-CBC and HMAC-SHA-256-128: SPI and sequence number 8, IV 16, ICV 16, and 16 of padding with its length
 * and the next header, of which an odd size takes one more.
 */
const ESP = 8 + 16 + 16 + 16;

/** Bytes that a layer adds to each packet, over an outer family where it has an IP header of its own. */
export const OVERHEAD = {
  WireGuard: (outer: Family): number => IP[outer] + UDP + WIREGUARD,
  VXLAN: (outer: Family): number => IP[outer] + UDP + VXLAN,
  GRE: (outer: Family): number => IP[outer] + GRE,
  /** RFC 2516, section 7: the PPPoE header 6 and the PPP protocol 2. */
  PPPoE: () => 8,
  /** IEEE 802.1Q, 9.3. Of a tag inside a segment: the outer one is not part of an Ethernet device's MTU. */
  "VLAN tag": () => 4,
  /** RFC 6877: an IPv4 packet that crosses a network without IPv4 has the header of IPv6 instead, RFC 7915, section 4. */
  "464XLAT": () => IP.inet6 - IP.inet,
  /** IEEE 802.1AE, 9.3 and 9.11: the SecTAG with its channel identifier 16, and the ICV 16. */
  MACsec: () => 32,
  /** RFC 4301, section 3.2: the packet's own header stays in front. */
  "ESP transport": () => ESP,
  /** RFC 3948: UDP before it, for a NAT. */
  "ESP transport in UDP": () => ESP + UDP,
  /** 72 over IPv4 is the figure in use for the same algorithms; a size that pads badly takes up to 5 more. */
  "ESP tunnel": (outer: Family) => ESP + 16 + IP[outer] - IP.inet,
} as const;

type LayerName = keyof typeof OVERHEAD;
/** Layers with an IP header of their own. */
type Outer = "WireGuard" | "VXLAN" | "GRE" | "ESP tunnel";

/** A layer and, where it has an IP header of its own, the family of that. */
export type Layer = { layer: Outer; outer: Family } | { layer: Exclude<LayerName, Outer>; outer?: undefined };

/** The least MTU of a link that carries IPv6: RFC 8200, section 5. */
export const IPV6_MIN_MTU = 1280;
/** What every host must take of IPv4 in one piece: RFC 791, section 3.1. */
export const IPV4_MIN_MTU = 576;
/** Ethernet, RFC 894. */
export const DEFAULT_UNDERLAY_MTU = 1500;

/** The least MTU of what carries both, or, as somebody has said, IPv4 alone. */
export const leastMtu = (family?: "v4"): number => (family === "v4" ? IPV4_MIN_MTU : IPV6_MIN_MTU);

/** Whether a device has addresses of IPv6: under 1280 bytes the kernel takes all of it off. */
export const carriesIpv6 = ({ mtu, family }: { mtu: number; family?: "v4" | undefined }): boolean =>
  family === undefined && mtu >= IPV6_MIN_MTU;

/** What goes with a fault of something that is too small for IPv6, where there is room for IPv4. */
export const ipv4Alone = (least: number, most: number): string =>
  least === IPV6_MIN_MTU && most >= IPV4_MIN_MTU
    ? `; with family: "v4", which carries no IPv6, ${IPV4_MIN_MTU} will do`
    : "";

const bytes = ({ layer, outer }: Layer): number => OVERHEAD[layer](outer ?? "inet");

/** Bytes left for the innermost packet. */
export const mtu = (underlay: number, layers: readonly Layer[]): number =>
  layers.reduce((left, layer) => left - bytes(layer), underlay);

/** Bytes that an underlay must carry in one piece for an innermost packet of `inner`. */
export const underlayFor = (inner: number, layers: readonly Layer[]): number => inner - mtu(0, layers);

/** The MTU of a WireGuard device, in bytes. `family` is the worst that an endpoint may have: inet6 where in doubt. */
export const wireguardMtu = ({
  underlay = DEFAULT_UNDERLAY_MTU,
  family = "inet6",
}: {
  underlay?: number;
  family?: Family | undefined;
} = {}): number => mtu(underlay, [{ layer: "WireGuard", outer: family }]);

/** One of the ways that packets may take: candidates of a link differ in their family, members in their underlay. */
export interface Way {
  /** Bytes that its lowest device carries. */
  underlay: number;
  /** What the number is of, in an error. Default: underlay. */
  name?: string;
  /** From the lowest to the innermost. */
  layers: readonly Layer[];
}

/** The way that leaves least: all packets must fit through each. The first of several that are the same. */
export const narrowest = (ways: readonly [Way, ...Way[]]): Way =>
  ways.reduce((least, way) => (mtu(way.underlay, way.layers) < mtu(least.underlay, least.layers) ? way : least));

/** Bytes that a way leaves for the innermost packet. */
export const wayMtu = ({ underlay, layers }: Way): number => mtu(underlay, layers);

const FAMILY: Record<Family, string> = { inet: "IPv4", inet6: "IPv6" };

const words = (layer: Layer): string =>
  `${layer.layer}${layer.outer === undefined ? "" : ` over ${FAMILY[layer.outer]}`} ${bytes(layer)}`;

/** `underlay 1300 - WireGuard over IPv6 80 = 1220`, with ` < 1280` where that is less than the least. */
export function mtuChain(
  underlay: number,
  layers: readonly Layer[],
  { name = "underlay", least = IPV6_MIN_MTU } = {},
): string {
  const left = mtu(underlay, layers);
  const steps = layers.map((layer) => ` - ${words(layer)}`);
  return `${name} ${underlay}${steps.join("")} = ${left}${left < least ? ` < ${least}` : ""}`;
}

/** The same sum from the other end: `1500 + VXLAN over IPv4 50 + WireGuard over IPv6 80 = underlay 1630`. */
export function underlayChain(inner: number, layers: readonly Layer[], name = "underlay"): string {
  const steps = layers.toReversed().map((layer) => ` + ${words(layer)}`);
  return `${inner}${steps.join("")} = ${name} ${underlayFor(inner, layers)}`;
}

/**
 * What is wrong with an MTU that somebody wants, or with the one that follows where nobody said any; undefined where it
 * fits through the way. `least`: see `leastMtu`.
 */
export function mtuObjection(
  wanted: number | undefined,
  { underlay, layers, name = "underlay" }: Way,
  least = IPV6_MIN_MTU,
): Objection | undefined {
  const most = mtu(underlay, layers);
  const chain = mtuChain(underlay, layers, { name, least });
  const needs = (inner: number): string =>
    `have ${underlayFor(inner, layers)} bytes below (${underlayChain(inner, layers, name)})`;
  const why = least === IPV6_MIN_MTU ? "for IPv6 (RFC 8200)" : "for IPv4 (RFC 791)";
  if (most < least) {
    const cure = `${needs(Math.max(wanted ?? least, least))}${ipv4Alone(least, most)}`;
    return { code: "input/mtu", legal: `at least ${least} bytes ${why}, and ${chain}`, cure };
  }
  if (wanted === undefined || (wanted >= least && wanted <= most)) return undefined;
  const legal = `${least} to ${most} bytes (${chain})`;
  const cure = wanted > most ? `leave it out, or ${needs(wanted)}` : `leave it out${ipv4Alone(least, most)}`;
  return { code: "input/mtu", legal, cure };
}
