import { family } from "../network/address";
import { IP } from "../network/mtu";
import { abortable, type RunOptions, type Session, together } from "./session";
import { agentError, parseSections } from "./snapshot";

/** Packets that are to go out by a device and come back. */
export interface Probe {
  device: string;
  /** Inside; a link-local one is of the device. */
  address: string;
  /**
   * UDP ports of this host where what carries them arrives, and bytes that a datagram there has more than them, from its UDP
   * header on.
   */
  carriers: readonly { port: number; headers: number }[];
  /** Bytes of each packet with its IP header. The first goes alone, and the others when it has come back. */
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
  /** Where WireGuard's peers are now, by device and public key: `198.51.100.9:11001`. */
  endpoints: Map<string, string>;
  fragmented: Fragmented[];
}

interface Waiting {
  probes: readonly Probe[];
  options: RunOptions;
  done(probed: Probed): void;
  failed(error: unknown): void;
}

/** One session's. What is asked in one moment, or while the host is busy, goes out together: a host starts as much for one way. */
export class Probes {
  /** They have not begun: who comes may join them. */
  #next: Waiting[] | undefined;

  constructor(private readonly session: Session) {}

  /**
   * Sends packets of many sizes to many at once, and sees which come back, and which in fragments. Two seconds at most
   * where some do not, else two round trips. Throws HostError.
   */
  probe(probes: readonly Probe[], options: RunOptions = {}): Promise<Probed> {
    const result = new Promise<Probed>((done, failed) => {
      const waiting = { probes, options, done, failed };
      if (this.#next) this.#next.push(waiting);
      else this.#begin([waiting]);
    });
    return abortable(result, options.signal);
  }

  #begin(all: Waiting[]): void {
    this.#next = all;
    // Who asks in the same moment does so before anything else is done.
    setImmediate(() => {
      this.#ask(all).catch((error: unknown) => {
        for (const { failed } of all) failed(error);
      });
    });
  }

  async #ask(all: Waiting[]): Promise<void> {
    const { code, stdout, stderr } = await this.session.runLate(() => {
      this.#next = undefined;
      const lines = all
        .flatMap(({ probes }) => probes)
        .map(({ device, address, carriers, sizes }) => {
          const ports = carriers.map(({ port, headers }) => `${port}:${headers}`).join(",");
          return [device, address, ports, ...sizes].join(" ");
        });
      const options = all.map(({ options }) => options);
      return { agent: "probe", input: lines.join("\n"), ...together(options, {}) };
    });
    if (code !== 0) throw agentError(this.session, "send packets from it", code, stderr);
    for (const { probes, done } of all) done(parseProbed(stdout, probes));
  }
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
    endpoints: new Map(
      lines("endpoint").map((line) => {
        const [device, publicKey, endpoint = ""] = line.split("\t");
        return [`${device} ${publicKey}`, endpoint];
      }),
    ),
    fragmented,
  };
}
