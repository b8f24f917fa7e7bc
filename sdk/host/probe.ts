import { family } from "../network/address";
import { IP } from "../network/mtu";
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
  return parseProbed(stdout, probes);
}

/** `1408 bytes from fe80::2%inter-fra: icmp_seq=1 …`, ping(8): with the header of ICMP, without that of IP. */
const ANSWER = /^(\d+) bytes from ([0-9a-f.:]+?)(?:%(\S+))?: /;
/** `set v4_1456 {`, nft(8) */
const SET = /^\tset v[46]_(\d+) \{/;
/** `198.51.100.9 . 11001 . 11002`, an element of it. */
const ELEMENT = /([0-9a-f.:]+) \. (\d+) \. (\d+)/g;

/** What agents/probe.sh printed. */
export function parseProbed(text: string, probes: readonly Probe[]): Probed {
  const sections = parseSections(text);
  const lines = (name: string): string[] => (sections.get(name) ?? "").split("\n").filter((line) => line !== "");
  const answers = lines("answer").flatMap((line) => {
    const [, bytes, address = "", device] = ANSWER.exec(line) ?? [];
    return bytes === undefined ? [] : [{ address, device, size: Number(bytes) + IP[family(address)] }];
  });
  const answered = ({ device, address, sizes }: Probe): number[] =>
    sizes.filter((size) =>
      answers.some((it) => it.size === size && it.address === address && [undefined, device].includes(it.device)),
    );
  let length = 0;
  const fragmented = lines("fragment").flatMap((line) => {
    length = Number(SET.exec(line)?.[1] ?? length);
    return [...line.matchAll(ELEMENT)].map(([, address = "", from, to]) => ({
      address,
      from: Number(from),
      to: Number(to),
      length,
    }));
  });
  return {
    answered: probes.map(answered),
    endpoints: new Map(lines("endpoint").map((line) => line.split("\t", 2) as [string, string])),
    fragmented,
  };
}
