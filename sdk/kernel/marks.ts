/**
 * How a host tells ours from everybody else's: numbers and names that nobody else is known to use.
 * Firewall mark bits elsewhere: kube-proxy 0x4000 and 0x8000, Cilium 0xf00, Calico 0xffff0000, Tailscale 0xff0000,
 * mwan3 0x3f00; the lowest byte is left to us.
 */

/** Device group of links between nodes (`ip link set … group`). */
export const LINK_GROUP = 28417;
/** Device group of segments. */
export const SEGMENT_GROUP = 28418;

/** Routing protocol of our routes, RTPROT_* in linux/rtnetlink.h; daemons use 186 to 192. */
export const ROUTE_PROTOCOL = 111;
/** Table of routes beyond a peer's own addresses: encrypted packets never look into it. */
export const ROUTE_TABLE = 111;
/** Preference of the rule that leads to ROUTE_TABLE, before `main` (32766). */
export const RULE_PREF = 5111;
/** Preference of the rules by which what keys a tunnel goes by the host's own ways alone. */
export const KEYING_PREF = 5109;
/** Preference of the rule by which all that the host has a way of its own to goes before a default route in ROUTE_TABLE. */
export const OWN_WAYS_PREF = 5110;
/** Metric of routes to a peer's addresses: any routing daemon's route is better. */
export const ROUTE_METRIC = 4096;
/** Metric of routes by way of a relay, plus the relay's id: the direct way is better, and of two relays both ends take the same. */
export const RELAY_METRIC = 8192;
/** Metric of the unreachable route of last resort for an overlay prefix: the worst there is. */
export const LAST_RESORT_METRIC = 4294967295;

/** Firewall mark of encrypted packets, under FWMARK_MASK. */
export const FWMARK = 0x6f;
export const FWMARK_MASK = 0xff;

/** The folder of private keys. */
export const KEYS = "/etc/overlay/keys";
/** The node's WireGuard private key: made there, and never read by anybody else. */
export const WIREGUARD_KEY = `${KEYS}/wireguard.key`;

/** The boot file of the machine's own resource, whose key that is. */
export const NODE_BOOT = "10-node";

/** A private key of a device's own. No label has a dot, so that no two have the same file, and none the node's. */
export const deviceKey = (device: string, label: string): string => `${KEYS}/${device}.${label}.key`;

/** Marks and masks as ip(8), wg(8) and nft(8) write them. */
export const hex = (value: number): string => `0x${value.toString(16)}`;

const ALIAS_PREFIX = "overlay:";

/** Alias of a device: who made it and for what, for whoever finds it with `ip link`. */
export const alias = (owner: string, name: string): string => `${ALIAS_PREFIX}${owner}:${name}`;

/** Who made a device and for what, as its alias says; undefined where it is none of ours. */
export function readAlias(text = ""): { owner: string; name: string } | undefined {
  const [, owner, name] = /^overlay:([^:]+):(.+)$/.exec(text) ?? [];
  return owner !== undefined && name !== undefined ? { owner, name } : undefined;
}

/** A device is ours by its group or by its alias; either may have been changed by hand, seldom both. */
export const isOurs = (link: { group: number; alias?: string }): boolean =>
  link.group === LINK_GROUP || link.group === SEGMENT_GROUP || (link.alias?.startsWith(ALIAS_PREFIX) ?? false);

/** Bytes of a rule's comment that nft(8) keeps: NFTNL_UDATA_COMMENT_MAXLEN, and a zero at its end. */
const COMMENT_BYTES = 127;

/** What a rule of ours among those of others says. No white space and no quotes are in it. */
export const comment = (owner: string, name: string): string => {
  const words = alias(owner, name).replace(/["'`\\$]/g, "_");
  return Buffer.byteLength(words) > COMMENT_BYTES ? `${ALIAS_PREFIX}${name}` : words;
};

export const isOurComment = (words: string): boolean => words.startsWith(ALIAS_PREFIX);
