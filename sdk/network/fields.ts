/** The fields that every technology's spec is made of. Each brings its values into their one canonical form. */
import { z } from "zod";
import { checkedString, type Mismatch } from "../faults";
import { address, bits, endpoint, family, inside, notAnEndpoint, parseEndpoint, prefix, unusable } from "./address";
import { mac, notOneHosts } from "./mac";
import { MAX_ID } from "./ports";

/** IFNAMSIZ - 1, linux/if.h: what the kernel keeps of a device's name, in bytes. */
const DEVICE_BYTES = 15;
/** Entries of net/ipv4/conf that are no devices. */
const NO_DEVICE = ["all", "default", "lo"];

const name = (value: string): Mismatch | undefined =>
  /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/.test(value)
    ? undefined
    : {
        legal: "1 to 63 letters, digits, `.`, `_` and `-`, a letter or digit first",
        cure: "choose another name",
      };

const device = (value: string): Mismatch | undefined => {
  if (Buffer.byteLength(value) > DEVICE_BYTES) {
    return {
      legal: `at most ${DEVICE_BYTES} bytes, and this has ${Buffer.byteLength(value)}`,
      cure: "give a shorter name in `device`",
    };
  }
  return /^[A-Za-z][A-Za-z0-9_.-]*$/.test(value) && !NO_DEVICE.includes(value)
    ? undefined
    : {
        legal: `1 to ${DEVICE_BYTES} letters, digits, \`.\`, \`_\` and \`-\`, a letter first, and none of ${NO_DEVICE.join(", ")}`,
        cure: "give another name in `device`",
      };
};

const anAddress = (value: string): Mismatch | undefined => {
  const legal = "an IPv4 or IPv6 address without a prefix length, such as 10.255.0.1 or fd00:6f::1";
  const canonical = address(value);
  if (!canonical)
    return { legal, cure: value.includes("/") ? "leave out the `/` and what follows" : "correct the address" };
  const what = unusable(canonical);
  return what === undefined ? undefined : { legal: `${legal}, and this is ${what}`, cure: "choose another address" };
};

const aPrefix = (value: string): Mismatch | undefined => {
  const canonical = prefix(value);
  if (!canonical) return { legal: "a prefix such as 10.255.0.0/24 or fd00:6f::/48", cure: "correct the prefix" };
  return canonical.endsWith("/0")
    ? { legal: "a prefix longer than /0", cure: "name the prefix of the overlay alone; everything is not an overlay" }
    : undefined;
};

/** What is the prefix itself, of which nobody is: RFC 4291, section 2.6.1, and RFC 1122, section 3.2.1.3. */
const anInside = (value: string): Mismatch | undefined => {
  const legal = "an address and the length of its prefix, such as 10.100.0.1/24 or fd00:100::1/64";
  const it = inside(value);
  if (!it) return { legal, cure: value.includes("/") ? "correct the address" : "add the length of the prefix" };
  const what = unusable(it.address);
  if (what !== undefined) return { legal: `${legal}, and this is ${what}`, cure: "choose another address" };
  const own = it.length > bits(family(it.address)) - 2 || it.prefix !== `${it.address}/${it.length}`;
  return own ? undefined : { legal: `${legal}, and this is the prefix itself`, cure: "choose an address within it" };
};

const aMac = (value: string): Mismatch | undefined => {
  const legal = "the MAC address of one host, such as 02:00:64:00:00:01";
  const canonical = mac(value);
  if (canonical === undefined) return { legal, cure: "give six bytes in hexadecimal digits with colons between them" };
  const what = notOneHosts(canonical);
  if (what === undefined) return undefined;
  return { legal: `${legal}, and this is ${what}`, cure: "name the MAC address that the host sends from" };
};

const aGroup = (value: string): Mismatch | undefined =>
  address(value) !== undefined && unusable(address(value) ?? "") === "a multicast address"
    ? undefined
    : { legal: "a multicast address such as 239.1.1.1 or ff05::100", cure: "choose one of 239.0.0.0/8 or ff05::/16" };

const aRoute = (value: string): Mismatch | undefined =>
  prefix(value)
    ? undefined
    : { legal: "a prefix such as 192.168.7.0/24, fd00:7::/64, or 0.0.0.0/0", cure: "correct the prefix" };

const anEndpoint = (value: string): Mismatch | undefined => {
  const legal = "an address and a port, such as 203.0.113.5:11002 or [2001:db8::5]:11002";
  const parsed = parseEndpoint(value);
  if (!parsed) return { legal, cure: "correct the endpoint; a host name is not one, because it may change" };
  const why = notAnEndpoint(parsed.address, []);
  if (why === undefined) return undefined;
  return { legal: `an address that is reachable over the underlay, and this is ${why}`, cure: NAME_UNDERLAY };
};

/** How to mend an endpoint that is none. */
export const NAME_UNDERLAY = "name the peer's address on the underlay, or leave the endpoint out and let the peer call";

const canonicalEndpoint = (value: string): string => {
  const parsed = parseEndpoint(value);
  return parsed ? endpoint(parsed.address, parsed.port) : value;
};

export const nameField = checkedString(name);
export const deviceField = checkedString(device);
export const addressField = checkedString(anAddress).transform((value) => address(value) ?? value);
export const prefixField = checkedString(aPrefix).transform((value) => prefix(value) ?? value);
/** Everything, `0.0.0.0/0` and `::/0`, is one too. */
export const routeField = checkedString(aRoute).transform((value) => prefix(value) ?? value);
export const endpointField = checkedString(anEndpoint).transform(canonicalEndpoint);
/** An address in a segment, with the length of the segment's prefix. */
export const insideField = checkedString(anInside).transform((value) => {
  const it = inside(value);
  return it ? `${it.address}/${it.length}` : value;
});
export const macField = checkedString(aMac).transform((value) => mac(value) ?? value);
export const groupField = checkedString(aGroup).transform((value) => address(value) ?? value);
/** VXLAN network identifier, RFC 7348, section 5: 24 bits. */
export const vniField = z
  .int()
  .min(1)
  .max(2 ** 24 - 1);
export const portField = z.int().min(1).max(65535);
export const idField = z.int().min(1).max(MAX_ID);

/** `project/stack`, as Pulumi names them. */
export const ownerField = checkedString((value) =>
  /^[^\s/]+(\/[^\s/]+)+$/.test(value) && value.length <= 150
    ? undefined
    : { legal: "project/stack, without spaces", cure: "leave it to the component, which knows both" },
);

/** One of a few words, each with what it stands for: the schema of the package has both. */
export const choice = <T extends string>(id: string, description: string, values: Record<T, string>) =>
  z.enum(Object.keys(values) as T[]).meta({ id, description, values });

export const familyField = choice("Family", "Family of addresses.", { inet: "IPv4.", inet6: "IPv6." });

/** Who decides on a machine which packets are let in. */
export const firewallField = choice("Firewall", "Who on a machine decides which packets are let in.", {
  none: "Nobody on it, or somebody else opens its ports.",
  ufw: "ufw, by its own rules.",
  firewalld: "firewalld, in its default zone.",
  nftables: "Chains of nftables that are named.",
});

/** Family, table and chain, as nft(8) names them. */
const chain = checkedString((value) =>
  /^(inet|ip|ip6) [A-Za-z][\w.-]* [A-Za-z][\w.-]*$/.test(value)
    ? undefined
    : { legal: "family, table and chain, such as inet filter input", cure: "correct it; `nft list chains` shows them" },
);

/** A list, for which one alone may stand: hosts may have a chain for each family. */
export const chainsField = z
  .union([chain, z.array(chain).min(1)])
  .transform((chains) => (typeof chains === "string" ? [chains] : [...new Set(chains)]));
