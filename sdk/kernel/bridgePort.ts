/** That a device is a port of a bridge, ip-link(8). Which one a bridge has besides is nobody's business here. */
import type { Kind } from "./fact";
import type { LinkJson } from "./snapshot";

export interface BridgePort {
  device: string;
  bridge: string;
  /** Whether it reaches only ports that are not: so two segments in one bridge do not reach each other. */
  isolated?: boolean;
}

const isolated = (on: boolean, device: string): string =>
  `ip link set dev ${device} type bridge_slave isolated ${on ? "on" : "off"}`;

/** iproute2 ip/iplink_bridge_slave.c. */
function fromJson({ ifname, master, linkinfo }: LinkJson): BridgePort | undefined {
  if (master === undefined || linkinfo?.info_slave_kind !== "bridge") return undefined;
  const data = linkinfo.info_slave_data as { isolated?: boolean } | undefined;
  return { device: ifname, bridge: master, ...(data?.isolated && { isolated: true }) };
}

export const bridgePort: Kind<BridgePort> = {
  volatile: true,
  key: ({ device }) => device,
  lines: ({ device, bridge, isolated: alone }) => [
    `ip link set dev ${device} master ${bridge}`,
    ...(alone ? [isolated(true, device)] : []),
  ],
  read: ({ links }, key) => links.filter(({ ifname }) => ifname === key).map(fromJson)[0],
  on: ({ links }, device) => links.filter(({ ifname }) => ifname === device).flatMap((json) => fromJson(json) ?? []),
  set(live, wanted) {
    if (!wanted) return live ? [`ip link set dev ${live.device} nomaster`] : [];
    if (live?.bridge !== wanted.bridge) return bridgePort.lines(wanted);
    const alone = wanted.isolated ?? false;
    return (live.isolated ?? false) === alone ? [] : [isolated(alone, wanted.device)];
  },
};
