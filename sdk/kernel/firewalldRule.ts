/**
 * A UDP port that firewalld lets in to its default zone, or a device that is of that zone, between whose devices it
 * forwards; now and after its next start, firewall-cmd(1). Ports have no comments there: ours is a rich rule,
 * firewalld.richlanguage(5), of a priority that says whose it is, after all that others say and before the end of the zone.
 */
import type { Kind } from "./fact";
import { link } from "./link";
import { isOurs } from "./marks";
import type { Snapshot } from "./snapshot";

type Target = { port: number } | { device: string };

export type FirewalldRule = Target & { permanent: boolean; runtime: boolean };

/** As with routes and rules of ours. */
const PRIORITY = 111;

const rule = (port: number | string): string => `rule priority="${PRIORITY}" port port="${port}" protocol="udp" accept`;

const PORT = new RegExp(`^(?:permanent|runtime) ${rule("0").replace('"0"', '"(\\d+)"')}$`);
const INTERFACE = /^(?:permanent|runtime) interface (\S+)$/;

/** As an option of firewall-cmd(1), and as a look at the host shows it. */
const option = (of: Target): string => ("port" in of ? `rich-rule='${rule(of.port)}'` : `interface='${of.device}'`);
const shown = (of: Target): string => ("port" in of ? rule(of.port) : `interface ${of.device}`);

const each = (verb: "add" | "remove", value: FirewalldRule): string[] => [
  ...(value.permanent ? [`firewall-cmd --permanent --${verb}-${option(value)}`] : []),
  ...(value.runtime ? [`firewall-cmd --${verb}-${option(value)}`] : []),
];

const keyOf = (of: Target): string => ("port" in of ? `${of.port}/udp` : of.device);

function read({ firewalls }: Snapshot, key: string, wanted?: FirewalldRule): FirewalldRule | undefined {
  const of: Target = key.endsWith("/udp") ? { port: Number.parseInt(key, 10) } : { device: key };
  const lines = firewalls.firewalld ?? [];
  const permanent = lines.includes(`permanent ${shown(of)}`);
  // What does not run holds nothing; it is what it starts with that counts.
  const runtime = lines.includes("stopped")
    ? permanent && (wanted?.runtime ?? false)
    : lines.includes(`runtime ${shown(of)}`);
  return permanent || runtime ? { ...of, permanent, runtime } : undefined;
}

export const firewalldRule: Kind<FirewalldRule> = {
  volatile: false,
  key: keyOf,
  lines: (value) => each("add", value),
  queries: () => ["firewall firewalld"],
  read,
  all(snapshot) {
    const lines = snapshot.firewalls.firewalld ?? [];
    const ports = lines.flatMap((line) => PORT.exec(line)?.[1] ?? []).map((port) => `${port}/udp`);
    const devices = lines.flatMap((line) => INTERFACE.exec(line)?.[1] ?? []);
    const ours = devices.filter((device) => {
      const live = link.read(snapshot, device);
      return live && isOurs(live);
    });
    return [...new Set([...ports, ...ours])].flatMap((key) => read(snapshot, key) ?? []);
  },
  set(live, wanted) {
    const there = live && each("add", live);
    if (!wanted) return live ? each("remove", live) : [];
    return firewalldRule.lines(wanted).filter((line) => !there?.includes(line));
  },
};
