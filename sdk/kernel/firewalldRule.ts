/**
 * A UDP port that firewalld lets in to its default zone, now and after its next start, firewall-cmd(1). Ports have no
 * comments there: ours is a rich rule, firewalld.richlanguage(5), of a priority that says whose it is, after all that
 * others say and before the end of the zone.
 */
import type { Kind } from "./fact";

export interface FirewalldRule {
  port: number;
  permanent: boolean;
  runtime: boolean;
}

/** As with routes and rules of ours. */
const PRIORITY = 111;

const rule = ({ port }: Pick<FirewalldRule, "port">): string =>
  `rule priority="${PRIORITY}" port port="${port}" protocol="udp" accept`;

const OURS = new RegExp(`^(?:permanent|runtime) ${rule({ port: 0 }).replace('"0"', '"(\\d+)"')}$`);

const each = (verb: "add" | "remove", value: FirewalldRule): string[] => [
  ...(value.permanent ? [`firewall-cmd --permanent --${verb}-rich-rule='${rule(value)}'`] : []),
  ...(value.runtime ? [`firewall-cmd --${verb}-rich-rule='${rule(value)}'`] : []),
];

export const firewalldRule: Kind<FirewalldRule> = {
  volatile: false,
  key: ({ port }) => `${port}/udp`,
  lines: (value) => each("add", value),
  queries: () => ["firewall firewalld"],
  read({ firewalls }, key, wanted) {
    const port = Number.parseInt(key, 10);
    const lines = firewalls.firewalld ?? [];
    const permanent = lines.includes(`permanent ${rule({ port })}`);
    // What does not run holds nothing; it is what it starts with that counts.
    const runtime = lines.includes("stopped")
      ? permanent && (wanted?.runtime ?? false)
      : lines.includes(`runtime ${rule({ port })}`);
    return permanent || runtime ? { port, permanent, runtime } : undefined;
  },
  all(snapshot) {
    const ports = (snapshot.firewalls.firewalld ?? []).flatMap((line) => OURS.exec(line)?.[1] ?? []);
    return [...new Set(ports)].flatMap((port) => firewalldRule.read(snapshot, `${port}/udp`) ?? []);
  },
  set(live, wanted) {
    const there = live && each("add", live);
    if (!wanted) return live ? each("remove", live) : [];
    return firewalldRule.lines(wanted).filter((line) => !there?.includes(line));
  },
};
