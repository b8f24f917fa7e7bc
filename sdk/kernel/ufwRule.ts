/** A UDP port that ufw(8) lets in. It is not lost by a reboot, and holds as soon as ufw is enabled. */
import type { Kind } from "./fact";
import { isOurComment } from "./marks";
import type { Snapshot } from "./snapshot";

export interface UfwRule {
  port: number;
  comment: string;
  /** Live only: `allow`, `deny`, `reject` or `limit`, where somebody else said so. */
  theirs?: string;
}

const words = ({ port }: UfwRule): string => `allow ${port}/udp`;

/** A line of ufw's rules files, for a port from everywhere to everywhere. The comment is in hexadecimal digits. */
const TUPLE =
  /^### tuple ### (?<action>[a-z]+)\S* udp (?<port>\d+) (?<to>0\.0\.0\.0\/0|::\/0) any \k<to> in(?: comment=(?<comment>[0-9a-f]*))?$/;

interface Tuple extends UfwRule {
  action: string;
  family: "inet" | "inet6";
}

function tuple(line: string): Tuple[] {
  const { action = "", port = "", to = "", comment = "" } = TUPLE.exec(line)?.groups ?? {};
  if (action === "") return [];
  const family = to.includes(":") ? "inet6" : "inet";
  return [{ port: Number(port), comment: Buffer.from(comment, "hex").toString(), action, family }];
}

/** Both families have it, where ufw is told to see to both. */
const whole = (found: readonly Tuple[], lines: readonly string[]): boolean =>
  found.some(({ family }) => family === "inet") &&
  (!lines.includes("ipv6=yes") || found.some(({ family }) => family === "inet6"));

function read({ firewalls }: Snapshot, port: number, wanted?: UfwRule): UfwRule | undefined {
  const lines = firewalls.ufw ?? [];
  const found = lines.flatMap(tuple).filter((rule) => rule.port === port);
  const [first] = found;
  if (!first) return undefined;
  const other = found.find(({ comment }) => !isOurComment(comment));
  // It may have one rule for a port: whoever lets it in, it is let in.
  if (other) return { port, comment: wanted?.comment ?? other.comment, theirs: other.action };
  return whole(found, lines) ? { port, comment: first.comment } : { port, comment: "" };
}

export const ufwRule: Kind<UfwRule> = {
  volatile: false,
  key: ({ port }) => `${port}/udp`,
  lines: (value) => [`ufw ${words(value)}${value.comment === "" ? "" : ` comment ${value.comment}`}`],
  queries: () => ["firewall ufw"],
  read: (snapshot, key, wanted) => read(snapshot, Number.parseInt(key, 10), wanted),
  all: ({ firewalls }) =>
    (firewalls.ufw ?? [])
      .flatMap(tuple)
      .filter(({ comment, family }) => family === "inet" && isOurComment(comment))
      .map(({ port, comment }) => ({ port, comment })),
  foreign: ({ port, theirs }) =>
    theirs === undefined || theirs === "allow"
      ? undefined
      : `ufw has a rule of somebody else's for UDP ${port} (${theirs}). Remove it with \`ufw delete ${theirs} ${port}/udp\`, or give the link another port in \`ports\`.`,
  set(live, wanted) {
    if (live?.theirs !== undefined) return [];
    if (!wanted) return live ? [`ufw delete ${words(live)}`] : [];
    return live?.comment === wanted.comment ? [] : ufwRule.lines(wanted);
  },
};
