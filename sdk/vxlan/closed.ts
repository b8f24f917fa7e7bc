/**
 * What closes a segment in both directions. A VXLAN device with a `local` of its own still takes packets for any address
 * of the host, from whoever knows port and VNI, and where the way to a VTEP is gone its frames take another (seen).
 */
import type { Fact } from "../kernel/fact";
import { fact } from "../kernel/kinds";
import { LINK_GROUP } from "../kernel/marks";
import { family, inside } from "../network/address";
import type { Spec } from "./spec";

/** The VNI is 24 bits behind 8 bytes of UDP, 4 of flags: RFC 7348, section 5. */
const VNI_AT = "@th,96,24";

const oneOf = (words: string[]): string => {
  const all = [...new Set(words)].sort();
  return all.length === 1 ? `${all[0]}` : `{ ${all.join(", ")} }`;
};

const chainOf = (rule: string): string => rule.slice(0, rule.indexOf(" "));

/**
 * Who is a stranger, where packets come from and where they go; each rule alone is enough to be one. By a link alone is not:
 * nodes have links that are no members. A mesh sees to it that an address is its node's, a link takes any from its other end.
 */
function strangers({ encrypted, local, group, peers }: Spec): { from: string[]; to: string[] } {
  const ip = family(local) === "inet" ? "ip" : "ip6";
  // Of nobody there is no set, and the host's own address is no stranger's.
  const members = [local, ...peers.map(({ vtep }) => vtep)];
  const by = (device: string) => (encrypted ? [`${device} != ${LINK_GROUP}`] : []);
  return {
    from: [...by("iifgroup"), `${ip} saddr != ${oneOf(members)}`],
    to: [...by("oifgroup"), `${ip} daddr != ${oneOf([...members, ...(group === undefined ? [] : [group])])}`],
  };
}

/**
 * Of a member that others reach the outside through: what comes from the members' prefixes leaves under its own address,
 * and nothing comes in that nobody inside has asked for. By address, because nft before Linux 5.7 knows no incoming
 * device where it translates what leaves. In a bridge the member's own addresses are the bridge's, in the others' prefixes.
 */
function outside({ masquerade, device, bridge, addresses, peers }: Spec): { chains: string[]; rules: string[] } {
  if (masquerade === undefined) return { chains: [], rules: [] };
  const all = [...addresses, ...peers.flatMap((peer) => peer.addresses)];
  const prefixes = new Set(all.flatMap((it) => inside(it)?.prefix ?? []));
  return {
    chains: [
      "forward { type filter hook forward priority 0 ; policy accept ; }",
      "nat { type nat hook postrouting priority 100 ; policy accept ; }",
    ],
    rules: [
      `forward iifname "${masquerade}" oifname "${bridge ?? device}" ct state new counter drop`,
      ...[...prefixes].map(
        (prefix) =>
          `nat ${family(prefix) === "inet" ? "ip" : "ip6"} saddr ${prefix} oifname "${masquerade}" masquerade`,
      ),
    ],
  };
}

/** The table of a segment; it is there before the device is, and goes after it. */
export function closed(spec: Spec): Fact {
  const { device, port, vni, variant, local } = spec;
  const id = `inet overlay-${device}`;
  const { from, to } = strangers(spec);
  const six = family(local) === "inet6";
  // A device whose routes say the VNI takes any, over either family, and has the port for itself.
  const any = variant === "unicast-routing";
  const segment = `udp dport ${port}${any ? "" : ` ${VNI_AT} ${vni}`}`;
  const nat = outside(spec);
  const rules = [
    ...from.map((stranger) => `in ${segment} ${stranger} counter drop`),
    ...(any ? [`in meta nfproto ${six ? "ipv4" : "ipv6"} udp dport ${port} counter drop`] : []),
    // IPv6 is put together behind this hook, and a first fragment may end before the VNI: of a stranger's none is taken at
    // this port, whatever segment it is of. Nobody may fragment VXLAN (RFC 7348, section 4.3).
    ...(six && !any ? from.map((stranger) => `in udp dport ${port} exthdr frag exists ${stranger} counter drop`) : []),
    ...to.map((stranger) => `out ${segment} ${stranger} counter drop`),
    ...nat.rules,
  ].sort((a, b) => (chainOf(a) < chainOf(b) ? -1 : chainOf(a) > chainOf(b) ? 1 : 0));
  return fact("nftTable", {
    family: "inet",
    name: `overlay-${device}`,
    lines: [
      `add table ${id}`,
      ...[
        "in { type filter hook input priority 0 ; policy accept ; }",
        "out { type filter hook output priority 0 ; policy accept ; }",
        ...nat.chains,
      ]
        .sort()
        .map((chain) => `add chain ${id} ${chain}`),
      ...rules.map((rule) => `add rule ${id} ${rule}`),
    ],
  });
}
