/** What the members of a segment must each have alone, and what they must have in common. */
import { objectAcross } from "../faults";
import { isPlaceholder } from "../kernel/later";
import { family, inside } from "../network/address";
import type { Context, Fields } from "./spec";

interface Seen {
  what: string;
  value: string;
  who: string;
  path: PropertyKey[];
}

/** What each member, and each host behind one, must have alone. */
function everybody(spec: Fields): Seen[] {
  const seen = (what: string, value: string, who: string, path: PropertyKey[]): Seen => ({ what, value, who, path });
  const plain = (address: string) => address.split("/")[0] ?? "";
  return [
    seen("VTEP", spec.local, spec.node, ["local"]),
    seen("MAC address", spec.mac, spec.node, ["mac"]),
    ...spec.addresses.map((it, index) => seen("address", plain(it), spec.node, ["addresses", index])),
    ...spec.peers.flatMap((peer, index) => {
      const at = ["peers", index];
      return [
        seen("VTEP", peer.vtep, peer.name, [...at, "vtep"]),
        seen("MAC address", peer.mac, peer.name, [...at, "mac"]),
        ...peer.addresses.map((it, n) => seen("address", plain(it), peer.name, [...at, "addresses", n])),
        ...peer.behind.flatMap(({ mac, addresses }, n) => {
          const who = `a host behind ${peer.name}`;
          return [
            seen("MAC address", mac, who, [...at, "behind", n, "mac"]),
            ...addresses.map((it, m) => seen("address", it, who, [...at, "behind", n, "addresses", m])),
          ];
        }),
      ];
    }),
  ];
}

export function nothingTwice(spec: Fields, context: Context): void {
  const owners = new Map<string, string>();
  for (const { what, value, who, path } of everybody(spec)) {
    const other = owners.get(`${what} ${value}`);
    owners.set(`${what} ${value}`, other ?? who);
    if (other === undefined || isPlaceholder(value)) continue;
    objectAcross(context, path, { legal: `another ${what} than ${other} has`, cure: `give each its own ${what}` });
  }
}

/** Members of an L2 segment are in the same prefixes, or they do not look for each other there. */
export function samePrefixes({ variant, addresses, peers }: Fields, context: Context): void {
  if (variant === "unicast-routing" || variant === "route-short-circuit") return;
  const own = addresses.flatMap((it) => inside(it) ?? []);
  for (const [index, peer] of peers.entries()) {
    for (const [n, text] of peer.addresses.entries()) {
      const it = inside(text);
      const mine = own.filter(({ address }) => it && family(address) === family(it.address));
      if (!it || mine.length === 0 || mine.some(({ prefix }) => prefix === it.prefix)) continue;
      const prefixes = mine.map(({ prefix }) => prefix).join(" or ");
      const path = ["peers", index, "addresses", n];
      objectAcross(context, path, {
        legal: `an address in ${prefixes}, as this member has`,
        cure: "give all members the same prefix",
      });
    }
  }
}

export function onlyV4(spec: Fields, context: Context): void {
  if (spec.family !== "v4") return;
  for (const { what, value, path } of everybody(spec)) {
    if (what !== "address" || family(value) === "inet") continue;
    objectAcross(context, path, {
      legal: 'an IPv4 address, because family is "v4"',
      cure: "leave it out, or leave out `family`",
    });
  }
}
