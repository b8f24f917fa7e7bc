/**
 * The loop guard: a tunnel whose packets leave by a tunnel multiplies them until the machine is busy with nothing else,
 * and the kernel has no check of its own for it. A packet that carries our mark is encrypted already, so one that is
 * about to leave by a device of ours, or by any tunnel that is not named as underlay, is counted for its link and dropped.
 */
import { FWMARK, FWMARK_MASK, hex, LINK_GROUP, SEGMENT_GROUP } from "../kernel/marks";
import { TUNNEL_KINDS } from "../kernel/tunnel";
import type { Chains } from "./forward";

const MARKED = `meta mark & ${hex(FWMARK_MASK)} == ${hex(FWMARK)}`;

const quoted = (names: readonly string[]): string[] => [...new Set(names)].sort().map((name) => `"${name}"`);
/** nft shows a set of one as the one. */
const oneOf = (words: string[]): string => (words.length === 1 ? `${words[0]}` : `{ ${words.join(", ")} }`);

export const guard = (underlay: readonly string[]): Chains => {
  const named = underlay.length > 0 ? ` oifname != ${oneOf(quoted(underlay))}` : "";
  return {
    chains: ["guard { type filter hook postrouting priority 300 ; policy accept ; }", "nested"],
    rules: [
      `guard ${MARKED} oifgroup { ${LINK_GROUP}, ${SEGMENT_GROUP} } jump nested`,
      `guard ${MARKED} meta oifkind ${oneOf(quoted(TUNNEL_KINDS))}${named} jump nested`,
      // A link is known by the port that it sends from; what is nobody's port is counted together. So it is with a link
      // whose element went away with a table that was deleted by hand, until its own next update.
      "nested counter name udp sport map @guard drop",
      "nested counter drop",
    ],
  };
};
