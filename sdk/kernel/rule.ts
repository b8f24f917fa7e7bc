/**
 * A routing policy rule, ip-rule(8): everything but our own encrypted packets looks into our table, and what keys a tunnel
 * does not either.
 */
import type { Kind } from "./fact";
import { hex, KEYING_PREF } from "./marks";
import type { RuleJson, Snapshot } from "./snapshot";

export interface Rule {
  family: "inet" | "inet6";
  pref: number;
  /** Matches packets that do NOT carry this mark. Absent: all. */
  mark?: number;
  mask?: number;
  /** Matches UDP that is sent from this port. Absent: all. */
  sport?: number;
  table: string;
  /** Routes of prefixes this long or shorter are passed over: 0 passes over default routes. Absent: none are. */
  suppressPrefixLength?: number;
}

const words = ({ pref, mark, mask, sport, table, suppressPrefixLength }: Rule): string => {
  const marked = mark === undefined ? "" : ` not fwmark ${hex(mark)}/${hex(mask ?? 0xffffffff)}`;
  const match = sport === undefined ? marked : `${marked} ipproto udp sport ${sport}`;
  const suppress = suppressPrefixLength === undefined ? "" : ` suppress_prefixlength ${suppressPrefixLength}`;
  return `pref ${pref}${match} lookup ${table}${suppress}`;
};
const ip = (value: Rule): string => (value.family === "inet6" ? "ip -6" : "ip");

const fromJson = (json: RuleJson, family: Rule["family"]): Rule => ({
  family,
  pref: json.priority,
  // What matches a mark that we never match is none of ours.
  ...(json.fwmark !== undefined && { mark: "not" in json ? Number(json.fwmark) : 0 }),
  ...(json.fwmask !== undefined && { mask: Number(json.fwmask) }),
  ...(json.sport !== undefined && { sport: json.sport }),
  table: String(json.table),
  ...(json.suppress_prefixlen !== undefined && { suppressPrefixLength: json.suppress_prefixlen }),
});

const all = (snapshot: Snapshot): Rule[] => [
  ...snapshot.rules4.map((json) => fromJson(json, "inet")),
  ...snapshot.rules6.map((json) => fromJson(json, "inet6")),
];

export const rule: Kind<Rule> = {
  volatile: true,
  all: (snapshot) => all(snapshot).filter(({ pref, sport }) => pref === KEYING_PREF && sport !== undefined),
  key: ({ family, pref, sport }) => [family, pref, ...(sport === undefined ? [] : [sport])].join(" "),
  lines: (value) => [`${ip(value)} rule add ${words(value)}`],
  // Several rules may have one preference: one that says anything else is somebody else's.
  read: (snapshot, _, wanted) =>
    all(snapshot).find((live) => wanted !== undefined && ip(live) === ip(wanted) && words(live) === words(wanted)),
  set(live, wanted) {
    if (live && wanted) return words(live) === words(wanted) ? [] : "again";
    if (wanted) return rule.lines(wanted);
    return live ? [`${ip(live)} rule del ${words(live)}`] : [];
  },
};
