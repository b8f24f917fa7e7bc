/** MTU arithmetic: every layer's bytes by name, so that an error can show the sum. */
import type { Family } from "./address";

const IP: Record<Family, number> = { inet: 20, inet6: 40 }; // RFC 791 without options, RFC 8200
const UDP = 8; // RFC 768
/** Type, receiver, counter and the authentication tag: 4 + 4 + 8 + 16, the WireGuard paper, section 5.4.6. */
const WIREGUARD = 32;
/** RFC 7348, section 5: the VXLAN header and the inner Ethernet header. */
const VXLAN = 8 + 14;

/** Bytes that a layer adds to each packet, over an outer family. */
export const OVERHEAD = {
  WireGuard: (outer: Family): number => IP[outer] + UDP + WIREGUARD,
  VXLAN: (outer: Family): number => IP[outer] + UDP + VXLAN,
} as const;

/** The least MTU of a link that carries IPv6: RFC 8200, section 5. */
export const IPV6_MIN_MTU = 1280;
/** Ethernet, RFC 894. */
export const DEFAULT_UNDERLAY_MTU = 1500;

export interface Layer {
  layer: keyof typeof OVERHEAD;
  outer: Family;
}

/** Bytes left for the innermost packet. */
export const mtu = (underlay: number, layers: readonly Layer[]): number =>
  layers.reduce((left, { layer, outer }) => left - OVERHEAD[layer](outer), underlay);

/** The MTU of a WireGuard device, in bytes. `family` is the worst that an endpoint may have: inet6 where in doubt. */
export const wireguardMtu = ({ underlay = DEFAULT_UNDERLAY_MTU, family = "inet6" as Family } = {}): number =>
  mtu(underlay, [{ layer: "WireGuard", outer: family }]);

/** `underlay 1300 - WireGuard over IPv6 80 = 1220`, with ` < 1280` where that is too small for IPv6. */
export function mtuChain(underlay: number, layers: readonly Layer[]): string {
  const steps = layers.map(
    ({ layer, outer }) => ` - ${layer} over ${outer === "inet" ? "IPv4" : "IPv6"} ${OVERHEAD[layer](outer)}`,
  );
  const left = mtu(underlay, layers);
  return `underlay ${underlay}${steps.join("")} = ${left}${left < IPV6_MIN_MTU ? ` < ${IPV6_MIN_MTU}` : ""}`;
}
