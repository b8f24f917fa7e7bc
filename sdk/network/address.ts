/** Addresses, prefixes and endpoints, in one canonical form: what two people write differently compares as equal. */
import ipaddr from "ipaddr.js";
import { remembered } from "../remembered";

export type Family = "inet" | "inet6";
type Parsed = ipaddr.IPv4 | ipaddr.IPv6;

// ipaddr.js takes "10" and "0x7f.1" for addresses, as inet_aton(3) does; nobody who declares a network means that.
const FOUR_DECIMALS = /^\d{1,3}(\.\d{1,3}){3}$/;

/** An IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2) reaches what its IPv4 address reaches, and is taken for that. */
function parsed(text: string): Parsed | undefined {
  if (text.includes(":")) {
    if (text.includes("%") || !ipaddr.IPv6.isValid(text)) return undefined;
    const it = ipaddr.IPv6.parse(text);
    return it.isIPv4MappedAddress() ? it.toIPv4Address() : it;
  }
  return FOUR_DECIMALS.test(text) && ipaddr.IPv4.isValidFourPartDecimal(text) ? ipaddr.IPv4.parse(text) : undefined;
}

const isV6 = (address: Parsed): address is ipaddr.IPv6 => address.kind() === "ipv6";
const written = (address: Parsed): string => (isV6(address) ? address.toRFC5952String() : address.toString());

/** Canonical form (RFC 5952 for IPv6), or undefined for what is no address. */
export function address(text: string): string | undefined {
  const it = parsed(text);
  return it && written(it);
}

export const family = (address: string): Family => (address.includes(":") ? "inet6" : "inet");

/** Bits in an address: the length of a prefix that holds one. */
export const bits = (of: Family): 32 | 128 => (of === "inet" ? 32 : 128);

/** `10.255.0.1/32`, `fd00:6f::1/128` */
export const host = (address: string): string => `${address}/${bits(family(address))}`;

function parsedPrefix(text: string): { base: Parsed; length: number } | undefined {
  const [, base = "", length = ""] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const it = parsed(base);
  return it && Number(length) <= bits(isV6(it) ? "inet6" : "inet") ? { base: it, length: Number(length) } : undefined;
}

/** Canonical form with the bits beyond the length cleared, or undefined for what is no prefix. */
export function prefix(text: string): string | undefined {
  const it = parsedPrefix(text);
  if (!it) return undefined;
  const network = isV6(it.base)
    ? ipaddr.IPv6.networkAddressFromCIDR(`${it.base}/${it.length}`)
    : ipaddr.IPv4.networkAddressFromCIDR(`${it.base}/${it.length}`);
  return `${written(network)}/${it.length}`;
}

/**
 * The bits that an address or a prefix fixes, as text behind its family: a prefix holds what begins with its own. Nothing
 * for what is neither.
 */
export const fixedBits = remembered((text: string): string | undefined => {
  const it = text.includes("/") ? parsedPrefix(text) : { base: parsed(text), length: undefined };
  if (!it?.base) return undefined;
  const bits = it.base.toByteArray().map((byte) => byte.toString(2).padStart(8, "0"));
  return `${it.base.kind()} ${bits.join("").slice(0, it.length)}`;
});

/** Whether an address lies in a prefix. */
export function contains(prefix: string, address: string): boolean {
  const within = fixedBits(prefix);
  return within !== undefined && address.includes("/") === false && fixedBits(address)?.startsWith(within) === true;
}

export function overlaps(a: string, b: string): boolean {
  return contains(a, b.split("/")[0] ?? "") || contains(b, a.split("/")[0] ?? "");
}

/** An address with the length of the prefix around it, canonical, `10.100.0.1/24`; undefined for what is none. */
export function inside(text: string): { address: string; length: number; prefix: string } | undefined {
  const it = parsedPrefix(text);
  const around = prefix(text);
  return it && around !== undefined ? { address: written(it.base), length: it.length, prefix: around } : undefined;
}

/** `203.0.113.5:11002`, `[2001:db8::5]:11002` */
export const endpoint = (address: string, port: number): string =>
  family(address) === "inet6" ? `[${address}]:${port}` : `${address}:${port}`;

/** Canonical address and port, or undefined for what is no endpoint. */
export const parseEndpoint = remembered((text: string): { address: string; port: number } | undefined => {
  const [, v6, v4, port] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const it = address(v6 ?? v4 ?? "");
  const number = Number(port);
  if (it === undefined || (v6 !== undefined) !== (v6 ?? v4)?.includes(":")) return undefined;
  return number >= 1 && number <= 65535 ? { address: it, port: number } : undefined;
});

/** What no packet between hosts can be sent to, and why: RFC 6890, RFC 4291. */
const UNUSABLE: [prefix: string, what: string][] = [
  ["0.0.0.0/8", "an unspecified address"],
  ["::/128", "an unspecified address"],
  ["127.0.0.0/8", "a loopback address"],
  ["::1/128", "a loopback address"],
  ["169.254.0.0/16", "a link-local address"],
  ["fe80::/10", "a link-local address"],
  ["224.0.0.0/4", "a multicast address"],
  ["ff00::/8", "a multicast address"],
  ["240.0.0.0/4", "a reserved address"],
];

/** RFC 6598. Tailscale's addresses too: an endpoint there is either in another overlay or cannot be called. */
const CARRIERS_NAT = "100.64.0.0/10";

/** Prefixes in which no endpoint is, of whatever network. */
export const NO_ENDPOINTS = [CARRIERS_NAT, ...UNUSABLE.map(([prefix]) => prefix)];

/** What an address is, where it is one that no host can have for others to reach; undefined where one can. */
export const unusable = (address: string): string | undefined =>
  UNUSABLE.find(([prefix]) => contains(prefix, address))?.[1];

/** Why a tunnel to an address would be inside of an overlay of these prefixes, or undefined when it would not. */
export function withinOverlay(address: string, overlay: readonly string[]): string | undefined {
  const inside = overlay.find((prefix) => contains(prefix, address));
  return inside && `inside the overlay prefix ${inside}, so the tunnel would carry its own packets`;
}

/** Why an address cannot be an endpoint, or undefined when it can. `overlay` are the prefixes of overlays. */
export function notAnEndpoint(address: string, overlay: readonly string[]): string | undefined {
  const within = withinOverlay(address, overlay);
  if (within !== undefined) return within;
  if (contains(CARRIERS_NAT, address)) return `an address of carriers' NAT and of Tailscale (${CARRIERS_NAT})`;
  return unusable(address);
}
