/** The MAC address that an IP address is at, for good, ip-neighbour(8). What ARP and ND find is the kernel's own business. */
import type { Kind } from "./fact";
import { indexed } from "./indexed";
import type { NeighbourJson } from "./snapshot";

export interface Neighbour {
  device: string;
  address: string;
  mac: string;
}

const key = ({ device, address }: Neighbour): string => `${device} ${address}`;

const fromJson = (device: string, { dst, lladdr, state }: NeighbourJson): Neighbour[] =>
  lladdr !== undefined && state.includes("PERMANENT") ? [{ device, address: dst, mac: lladdr }] : [];

const onDevice = indexed<Neighbour>(
  ({ neighbours }, device) => (neighbours[device] ?? []).flatMap((json) => fromJson(device, json)),
  key,
);

export const neighbour: Kind<Neighbour> = {
  volatile: true,
  key,
  // `add` is refused where ARP or ND has found one before.
  lines: ({ device, address, mac }) => [`ip neigh replace ${address} lladdr ${mac} dev ${device} nud permanent`],
  queries: ({ device }) => [`neigh ${device}`],
  read: (snapshot, wanted) => onDevice(snapshot, wanted.slice(0, wanted.indexOf(" "))).get(wanted),
  on: (snapshot, device) => [...onDevice(snapshot, device).values()],
  set(live, wanted) {
    if (!wanted) return live ? [`ip neigh del ${live.address} dev ${live.device}`] : [];
    return live?.mac === wanted.mac ? [] : neighbour.lines(wanted);
  },
};
