/** A vm's cables, in words: taps in the lab's bridges, under the names that a container's plugs have. Pure. */
import type { Topology } from "../topology";
import { hostPort, mac } from "../wires";

const cables = (topology: Topology, host: string) =>
  (topology.hosts[host]?.segment ?? []).map((segment, index) => ({
    device: `eth${index}`,
    tap: hostPort(host, index),
    segment,
    mtu: topology.segments[segment]?.mtu ?? 1500,
  }));

/** Lines of `ip -batch` in the lab's namespace `net`. */
export const taps = (topology: Topology, host: string): string[] =>
  cables(topology, host).flatMap(({ tap, segment, mtu }) => [
    `tuntap add dev ${tap} mode tap`,
    `link set ${tap} mtu ${mtu}`,
    `link set ${tap} master br-${segment} up`,
  ]);

/** What QEMU is told (life.sh): `eth0 lux-eth0 02:… 1500`. */
export const nics = (topology: Topology, host: string): string[] =>
  cables(topology, host).map(({ device, tap, mtu }) => `${device} ${tap} ${mac(tap)} ${mtu}`);

/** The interfaces that a vm has in a segment, or all of them. */
export const devices = (topology: Topology, host: string, segment?: string): string[] =>
  cables(topology, host).flatMap((one) => (segment === undefined || one.segment === segment ? [one.device] : []));
