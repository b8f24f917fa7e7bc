/**
 * TCP that is forwarded from or to a device of ours: both ends are told of no larger segments than the way back and forth
 * carries (RFC 879; nft(8), "rt mtu"). They know their own networks only, and the "too big" of a router between them may
 * never come. A smaller size that an end asks for stays.
 */
import { LINK_GROUP, SEGMENT_GROUP } from "../kernel/marks";
import type { Chains } from "./forward";

const OURS = `{ ${LINK_GROUP}, ${SEGMENT_GROUP} }`;

export const clamp = (on: boolean): Chains =>
  on
    ? {
        chains: ["clamp { type filter hook forward priority -150 ; policy accept ; }"],
        rules: ["iifgroup", "oifgroup"].map(
          (group) => `clamp ${group} ${OURS} tcp flags syn tcp option maxseg size set rt mtu`,
        ),
      }
    : { chains: [], rules: [] };
