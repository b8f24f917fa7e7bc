/**
 * An entry of a VXLAN device's forwarding database, bridge(8): the VTEP at which a MAC address is, or one of those that
 * what is for no known one is sent to. Entries that the kernel has learned are its own business.
 */
import type { Kind } from "./fact";
import { indexed } from "./indexed";
import type { FdbJson } from "./snapshot";
import { defaultDestination } from "./vxlan";

export interface Fdb {
  device: string;
  /** `00:00:00:00:00:00` for everybody and whoever is unknown. */
  mac: string;
  /** Address of the VTEP. */
  dst: string;
  /** Whether the MAC address is a router's, which the device may pass over (`rsc`). */
  router?: boolean;
  /** Live only, where hands have added more than we ever do: `vni 7 port 8472 via eth0`. */
  more?: string;
}

/** Broadcast, multicast and whoever is unknown. */
export const EVERYBODY = "00:00:00:00:00:00";

/** A MAC address of all others has one VTEP. The least bit of the first byte is that of a group, IEEE 802. */
const hasMany = (mac: string): boolean => mac === EVERYBODY || (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1;

const destination = ({ dst, more }: Fdb): string => `dst ${dst}${more === undefined ? "" : ` ${more}`}`;
const words = (value: Fdb): string => `${value.mac} dev ${value.device} ${destination(value)}`;
const full = (value: Fdb): string => `${words(value)}${value.router ? " router" : ""}`;

const key = (value: Fdb): string => `${value.device} ${value.mac}${hasMany(value.mac) ? ` ${destination(value)}` : ""}`;

function fromJson(device: string, { mac, dst, port, vni, viaIf, flags = [], state }: FdbJson): Fdb[] {
  // What a routing daemon has put there is marked, and the daemon's.
  const ours = dst !== undefined && state === "permanent" && flags.includes("self") && !flags.includes("extern_learn");
  if (!ours) return [];
  const more = [
    ...(vni === undefined ? [] : [`vni ${vni}`]),
    ...(port === undefined ? [] : [`port ${port}`]),
    ...(viaIf === undefined ? [] : [`via ${viaIf}`]),
  ].join(" ");
  return [{ device, mac, dst, ...(flags.includes("router") && { router: true }), ...(more !== "" && { more }) }];
}

const onDevice = indexed<Fdb>((snapshot, device) => {
  const link = snapshot.links.find(({ ifname }) => ifname === device);
  const own = link && defaultDestination(link);
  return (snapshot.fdb[device] ?? [])
    .flatMap((json) => fromJson(device, json))
    .filter(({ mac, dst }) => mac !== EVERYBODY || dst !== own);
}, key);

export const fdb: Kind<Fdb> = {
  volatile: true,
  key,
  // `append` says nothing of an address that has a VTEP already, `replace` takes it over also from what was learned
  // (drivers/net/vxlan/vxlan_core.c, vxlan_fdb_update_existing). Said twice, both are as said once.
  lines: (value) => [`bridge fdb ${hasMany(value.mac) ? "append" : "replace"} ${full(value)}`],
  queries: ({ device }) => [`fdb ${device}`],
  read: (snapshot, wanted) => onDevice(snapshot, wanted.slice(0, wanted.indexOf(" "))).get(wanted),
  on: (snapshot, device) => [...onDevice(snapshot, device).values()],
  set(live, wanted) {
    if (!wanted) return live ? [`bridge fdb del ${words(live)}`] : [];
    return live && full(live) === full(wanted) ? [] : fdb.lines(wanted);
  },
};
