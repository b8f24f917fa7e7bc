/**
 * What ufw(8) lets in by a UDP port, or forwards of what comes by a device. It is not lost by a reboot, and holds as soon
 * as ufw is enabled.
 */
import type { Kind } from "./fact";
import { isOurComment } from "./marks";
import type { Snapshot } from "./snapshot";

type Target = { port: number } | { device: string };

export type UfwRule = Target & {
  comment: string;
  /** Live only: `allow`, `deny`, `reject` or `limit`, where somebody else said so. */
  theirs?: string;
};

/** `11002/udp`, `route in on inter-fra` */
const keyOf = (of: Target): string => ("port" in of ? `${of.port}/udp` : `route in on ${of.device}`);

/** `ufw allow 11002/udp`, `ufw route delete allow in on inter-fra` */
const words = (verb: string, of: Target): string =>
  "port" in of ? `ufw ${verb} ${of.port}/udp` : `ufw route ${verb} in on ${of.device}`;

/** A line of ufw's rules files, for everything from everywhere to everywhere. The comment is in hexadecimal digits. */
const TUPLE =
  /^### tuple ### (?<action>[a-z:]+)\S* (?:udp (?<port>\d+)|any any) (?<to>0\.0\.0\.0\/0|::\/0) any \k<to> in(?:_(?<device>[^\s!]+))?(?: comment=(?<comment>[0-9a-f]*))?$/;

type Tuple = UfwRule & { action: string; family: "inet" | "inet6" };

function tuple(line: string): Tuple[] {
  const { action = "", port, to = "", device, comment = "" } = TUPLE.exec(line)?.groups ?? {};
  const [verb = "", route] = action.split(":").reverse();
  const said = {
    action: verb,
    family: to.includes(":") ? ("inet6" as const) : ("inet" as const),
    comment: Buffer.from(comment, "hex").toString(),
  };
  if (route && device !== undefined && port === undefined) return [{ device, ...said }];
  return route || device !== undefined || port === undefined ? [] : [{ port: Number(port), ...said }];
}

/** Both families have it, where ufw is told to see to both. */
const whole = (found: readonly Tuple[], lines: readonly string[]): boolean =>
  found.some(({ family }) => family === "inet") &&
  (!lines.includes("ipv6=yes") || found.some(({ family }) => family === "inet6"));

const target = (rule: Target): Target => ("port" in rule ? { port: rule.port } : { device: rule.device });

function read({ firewalls }: Snapshot, key: string, wanted?: UfwRule): UfwRule | undefined {
  const lines = firewalls.ufw ?? [];
  const found = lines.flatMap(tuple).filter((rule) => keyOf(rule) === key);
  const [first] = found;
  if (!first) return undefined;
  const other = found.find(({ comment }) => !isOurComment(comment));
  // It may have one rule for a port: whoever lets it in, it is let in.
  if (other) return { ...target(first), comment: wanted?.comment ?? other.comment, theirs: other.action };
  return { ...target(first), comment: whole(found, lines) ? first.comment : "" };
}

export const ufwRule: Kind<UfwRule> = {
  volatile: false,
  key: keyOf,
  lines: (value) => [`${words("allow", value)}${value.comment === "" ? "" : ` comment ${value.comment}`}`],
  queries: () => ["firewall ufw"],
  read,
  all: ({ firewalls }) =>
    (firewalls.ufw ?? [])
      .flatMap(tuple)
      .filter(({ comment, family }) => family === "inet" && isOurComment(comment))
      .map((rule) => ({ ...target(rule), comment: rule.comment })),
  foreign(live) {
    const { theirs } = live;
    if (theirs === undefined || theirs === "allow") return undefined;
    const [what, cure] =
      "port" in live
        ? [`for UDP ${live.port}`, ", or give the link another port in `ports`"]
        : [`for what comes by ${live.device} to be forwarded`, ""];
    return `ufw has a rule of somebody else's ${what} (${theirs}). Remove it with \`${words(`delete ${theirs}`, live)}\`${cure}.`;
  },
  set(live, wanted) {
    if (live?.theirs !== undefined) return [];
    if (!wanted) return live ? [words("delete allow", live)] : [];
    return live?.comment === wanted.comment ? [] : ufwRule.lines(wanted);
  },
};
