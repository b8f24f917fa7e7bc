import type { RunOptions, Session } from "./session";
import { agentError, parseSections } from "./snapshot";

/** UDP of a link or a segment, whose way is to be followed while packets are sent inside. */
export interface Followed {
  device: string;
  /** Inside. */
  address: string;
  /** Of this host, where it comes in. */
  port: number;
  /** Others have the same port, and what goes out goes there, as VXLAN's does: it comes from any. */
  both?: boolean;
  /** Outside, where others have the same port. */
  from?: string | undefined;
}

/** Datagrams of six seconds: that came to a host, that got past its rules, that it sent, and that left it. */
export interface Counted {
  come: number;
  in: number;
  out: number;
  gone: number;
  /** What ended any that came, in the words of nft(8): `inet filter input rule udp dport 11001 drop (verdict drop)`. */
  droppedIn: string[];
  /** The same of those that it sent. */
  droppedOut: string[];
}

const word = ({ port, from }: Followed): string => `${port} ${from ?? "-"}`;

/** Follows them for six seconds, in which WireGuard calls twice: what became of each. Throws HostError. */
export async function trace(session: Session, all: readonly Followed[], options?: RunOptions): Promise<Counted[]> {
  const lines = all.map((one) => [one.device, one.address, one.both ? "dport" : "sport", word(one)].join(" "));
  const { code, stdout, stderr } = await session.run("trace", lines.join("\n"), options);
  if (code !== 0) throw agentError(session, "follow packets on it", code, stderr);
  return parseTraced(stdout, all);
}

/** What agents/trace.sh printed. */
export function parseTraced(text: string, all: readonly Followed[]): Counted[] {
  const sections = parseSections(text);
  const lines = (name: string): string[] => (sections.get(name) ?? "").split("\n").filter((line) => line !== "");
  const counts = new Map(
    lines("count").map((line) => {
      const space = line.lastIndexOf(" ");
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
  return all.map((one) => {
    const count = (what: string): number => counts.get(`${word(one)} ${what}`) ?? 0;
    const dropped = (what: string): string[] => {
      const start = `${word(one)} ${what} `;
      return lines("dropped").flatMap((line) => (line.startsWith(start) ? line.slice(start.length) : []));
    };
    return {
      ...{ come: count("come"), in: count("in"), out: count("out"), gone: count("gone") },
      ...{ droppedIn: dropped("come"), droppedOut: dropped("out") },
    };
  });
}
