import type { RunOptions, Session } from "./session";
import { agentError, parseSections } from "./snapshot";

/** UDP of a link, whose way is to be followed while packets are sent inside. */
export interface Followed {
  device: string;
  /** Inside. */
  address: string;
  /** Of this host. */
  port: number;
  /** Outside, where others have the same port. */
  from?: string | undefined;
}

/** Datagrams of six seconds: that came to a host, that got past its rules, that it sent, and that left it. */
export interface Counted {
  come: number;
  in: number;
  out: number;
  gone: number;
}

export interface Traced {
  /** Of each that was followed. */
  counted: Counted[];
  /** What ended any of them, in the words of nft(8): `inet filter input rule udp dport 11001 drop (verdict drop)`. */
  dropped: string[];
}

const word = ({ port, from }: Followed): string => `${port} ${from ?? "-"}`;

/** Follows them for six seconds, in which WireGuard calls twice. Throws HostError. */
export async function trace(session: Session, all: readonly Followed[], options?: RunOptions): Promise<Traced> {
  const lines = all.map((one) => [one.device, one.address, word(one)].join(" "));
  const { code, stdout, stderr } = await session.run("trace", lines.join("\n"), options);
  if (code !== 0) throw agentError(session, "follow packets on it", code, stderr);
  return parseTraced(stdout, all);
}

/** What agents/trace.sh printed. */
export function parseTraced(text: string, all: readonly Followed[]): Traced {
  const sections = parseSections(text);
  const lines = (name: string): string[] => (sections.get(name) ?? "").split("\n").filter((line) => line !== "");
  const counts = new Map(
    lines("count").map((line) => {
      const space = line.lastIndexOf(" ");
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
  const count = (one: Followed, what: string): number => counts.get(`${word(one)} ${what}`) ?? 0;
  return {
    counted: all.map((one) => ({
      come: count(one, "come"),
      in: count(one, "in"),
      out: count(one, "out"),
      gone: count(one, "gone"),
    })),
    dropped: lines("dropped"),
  };
}
