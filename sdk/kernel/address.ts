/** An address on a device, ip-address(8). */
import type { Kind } from "./fact";

export interface Address {
  device: string;
  /** With its prefix length, `fe80::2/64`. */
  address: string;
}

const key = (value: Address): string => `${value.device} ${value.address}`;

export const address: Kind<Address> = {
  volatile: true,
  // With a device's last IPv4 address go its IPv4 routes, with an address everywhere those that prefer it
  // (net/ipv4/fib_frontend.c): by then others have taken its place.
  lingers: true,
  key,
  lines: (value) => [`ip addr add ${value.address} dev ${value.device}`],
  read: (snapshot, wanted) => {
    const device = wanted.split(" ")[0] ?? "";
    return address.on?.(snapshot, device).find((live) => key(live) === wanted);
  },
  on: (snapshot, device) =>
    snapshot.addrs
      .filter(({ ifname }) => ifname === device)
      .flatMap(({ addr_info }) => addr_info)
      .map(({ local, prefixlen }) => ({ device, address: `${local}/${prefixlen}` })),
  set(live, wanted) {
    if (live && wanted) return [];
    if (wanted) return address.lines(wanted);
    return live ? [`ip addr del ${live.address} dev ${live.device}`] : [];
  },
};
