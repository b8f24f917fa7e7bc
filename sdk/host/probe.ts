import type { RunOptions, Session } from "./session";
import { agentError, parseSections } from "./snapshot";

/** Packets that are to go out by a device and come back. */
export interface Probe {
  device: string;
  /** Inside; a link-local one is of the device. */
  address: string;
  /** UDP port of this host where what carries them arrives. */
  port: number;
  /** Bytes that a datagram of these has more than what it carries, from its UDP header on. */
  headers: number;
  /** Bytes of each packet with its IP header. */
  sizes: readonly number[];
}

/** A UDP datagram that came in fragments. */
export interface Fragmented {
  /** Address and port that it came from. */
  address: string;
  from: number;
  /** Port of this host. */
  to: number;
  /** Bytes that it had at most, with the UDP header, without the IP header. */
  length: number;
}

export interface Probed {
  /** Of each probe, the sizes that came back, whole or put together again. */
  answered: number[][];
  /** Where WireGuard's peers are now, by public key: `198.51.100.9:11001`. */
  endpoints: Map<string, string>;
  fragmented: Fragmented[];
}

/**
 * Sends packets of many sizes to many at once, and sees which come back, and which in fragments. A second at most where
 * some do not, else one round trip. Throws HostError.
 */
export async function probe(session: Session, probes: readonly Probe[], options?: RunOptions): Promise<Probed> {
  const lines = probes.map((one) => [one.device, one.address, one.port, one.headers, ...one.sizes].join(" "));
  const { code, stdout, stderr } = await session.run("probe", lines.join("\n"), options);
  if (code !== 0) throw agentError(session, "send packets from it", code, stderr);
  return parseProbed(stdout, probes.length);
}

/** What agents/probe.sh printed of so many probes. */
export function parseProbed(text: string, count: number): Probed {
  const sections = parseSections(text);
  const lines = (name: string): string[] => (sections.get(name) ?? "").split("\n").filter((line) => line !== "");
  const answers = lines("answer").map((line) => line.split(" ").map(Number));
  return {
    answered: Array.from({ length: count }, (_, index) =>
      answers.flatMap(([line, size = 0]) => (line === index + 1 ? [size] : [])),
    ),
    endpoints: new Map(lines("endpoint").map((line) => line.split("\t", 2) as [string, string])),
    fragmented: lines("fragment").map((line) => {
      const [length, address = "", from, to] = line.split(/ \. | /);
      return { address, from: Number(from), to: Number(to), length: Number(length) };
    }),
  };
}
