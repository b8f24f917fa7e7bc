/** An address on a device, ip-address(8). */
import { family } from "../network/address";
import type { Fact, Kind } from "./fact";

export interface Address {
  device: string;
  /** With its prefix length, `fe80::2/64`. */
  address: string;
}

// The kernel knows an IPv6 address by itself, an IPv4 one by its prefix length and its peer, too.
const key = ({ device, address }: Address): string =>
  `${device} ${address.includes(":") ? address.replace(/[ /].*/, "") : address}`;

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
      .map(({ local, address: peer, prefixlen }) => ({
        device,
        address: `${local}${peer === undefined ? "" : ` peer ${peer}`}/${prefixlen}`,
      })),
  set(live, wanted) {
    if (live?.address === wanted?.address) return [];
    const gone = live ? [`ip addr del ${live.address} dev ${live.device}`] : [];
    return wanted ? [...gone, ...address.lines(wanted)] : gone;
  },
};

/**
 * Whether something goes with the last IPv4 address of its device, which is among what is removed: its permanent IPv4
 * neighbours do (net/ipv4/fib_frontend.c, fib_disable_ip).
 */
export function goesWithAddresses(removed: readonly Fact[], wanted: readonly Fact[]): (fact: Fact) => boolean {
  const devices = (facts: readonly Fact[]): Set<string> =>
    new Set(
      facts
        .filter(({ kind }) => kind === "address")
        .map(({ value }) => value as Address)
        .filter((value) => !value.address.includes(":"))
        .map(({ device }) => device),
    );
  const [lose, keep] = [devices(removed), devices(wanted)];
  return ({ kind, value }) => {
    if (kind !== "neighbour") return false;
    const { device, address: of } = value as Address;
    return family(of) === "inet" && lose.has(device) && !keep.has(device);
  };
}
