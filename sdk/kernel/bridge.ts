/** What a bridge is made with, in the words of `ip link … type bridge`, ip-link(8). All of it can change in place. */
import type { LinkJson } from "./snapshot";

export interface Bridge {
  /**
   * The spanning tree protocol, IEEE 802.1D: a port that is new to the bridge is silent for the 30 s that it takes to find
   * loops. Switched on, those that are there go on forwarding (seen); only one that turns out to be a second way is blocked.
   */
  stp: boolean;
}

export const bridgeWords = ({ stp }: Bridge): string[] => [`stp_state ${stp ? 1 : 0}`];

export const bridgeChange = (live: Bridge, wanted: Bridge): string[] =>
  bridgeWords(wanted).filter((words) => !bridgeWords(live).includes(words));

/** iproute2 ip/iplink_bridge.c. */
export const readBridge = ({ linkinfo }: LinkJson): Bridge => ({
  stp: ((linkinfo?.info_data as { stp_state?: number } | undefined)?.stp_state ?? 0) !== 0,
});
