/**
 * How large a packet passes a way in one piece. That it comes back is no proof: kernel WireGuard does not copy DF to what
 * carries it, and wireguard-go fragments once it has heard of a narrow link, so that a packet may come in pieces; and each
 * end sees only those that come to itself. Both ends have to look.
 */
import type { Probed, RunOptions } from "../host";
import type { Path, Snapshot } from "../kernel";
import { SESSION_SECONDS } from "../kernel";
import { endpoint as endpointText, type Family, family, parseEndpoint } from "../network/address";
import { IP, IPV6_MIN_MTU, OVERHEAD, underlayChain } from "../network/mtu";
import type { Machine } from "./machine";

/** What a way carries in one piece: bytes of a packet inside; and over which family that was. */
export interface Carried {
  bytes: number;
  outer: Family;
}

/** WireGuard fills packets up to a multiple of 16 bytes or to the MTU, the WireGuard paper, section 5.4.6. */
const STEP = 16;
/** Less than this nobody's network carries: the datagrams that every host takes are larger, RFC 791, section 3.1. */
const LEAST = 512;
/** Sizes that are tried at once. */
const AT_ONCE = 16;

/** Sizes from `low` on and below `high`, evenly spaced and few. */
export function sizesBetween(low: number, high: number): number[] {
  const first = Math.ceil(low / STEP);
  const count = Math.ceil(high / STEP) - first;
  const taken = Math.min(count, AT_ONCE);
  const spacing = taken > 1 ? (count - 1) / (taken - 1) : 0;
  return Array.from({ length: Math.max(taken, 0) }, (_, index) => (first + Math.floor(index * spacing)) * STEP);
}

/** Bytes of UDP and what is in it, besides the packet inside. */
const headers = ({ layer }: Path): number => OVERHEAD[layer]("inet") - IP.inet;

const sourceOf = ({ from }: Path, { endpoints }: Probed): string => endpoints.get(from) ?? from;

/** Of the sizes that came back, those that came in one piece: no datagram of theirs was among the fragments. */
export function whole(path: Path, answered: readonly number[], probed: Probed): number[] {
  const source = sourceOf(path, probed);
  const pieces = probed.fragmented
    .filter(({ address, from, to }) => to === path.port && [address, endpointText(address, from)].includes(source))
    .map(({ length }) => length - headers(path));
  return answered.filter((size) => size < Math.min(...pieces));
}

/** What is known of a way while it is looked at. */
interface Search {
  path: Path;
  carried?: Carried;
  /** Bytes that are too many. */
  over?: number;
}

/** Sizes to try next. */
function next({ path: { mtu }, carried, over }: Search): number[] {
  if (carried?.bytes === mtu) return [];
  if (over === undefined) return [mtu];
  if (carried) return sizesBetween(carried.bytes + 1, over);
  return over === mtu ? [...sizesBetween(LEAST, mtu), mtu] : [];
}

function learn(search: Search, sizes: readonly number[], answered: readonly number[], probed: Probed): void {
  const best = Math.max(search.carried?.bytes ?? 0, ...whole(search.path, answered, probed));
  const source = sourceOf(search.path, probed);
  const outer = family(parseEndpoint(source)?.address ?? source);
  if (best > 0) search.carried = { bytes: best, outer };
  search.over = Math.min(...sizes.filter((size) => size > best), search.over ?? Number.POSITIVE_INFINITY);
}

/**
 * What each way carries from its other end to this machine, by packets that go there and come back; undefined where
 * none comes back. One call where all is well, up to three of a second where it is not. Throws HostError.
 */
export async function measure(
  machine: Machine,
  paths: readonly Path[],
  options: RunOptions,
): Promise<(Carried | undefined)[]> {
  const searches = paths.map((path): Search => ({ path }));
  for (let round = 0; round < 3; round++) {
    const open = searches.map((search) => ({ search, sizes: next(search) })).filter(({ sizes }) => sizes.length > 0);
    if (open.length === 0) break;
    const probes = open.map(({ search: { path }, sizes }) => {
      const { device, address, port } = path;
      return { device, address, port, headers: headers(path), sizes };
    });
    const probed = await machine.probe(probes, options);
    for (const [index, { search, sizes }] of open.entries()) {
      learn(search, sizes, probed.answered[index] ?? [], probed);
    }
  }
  return searches.map(({ carried }) => carried);
}

/** Whether a look shows that a way is what it is declared to be, and that somebody is at its end. */
export function isUp({ device, from, lines }: Path, text: ReadonlySet<string>, { wg, now }: Snapshot): boolean {
  const peer = wg.find((it) => it.device === device)?.peers.find(({ publicKey }) => publicKey === from);
  return lines.every((line) => text.has(line)) && (!peer || now - peer.latestHandshake < SESSION_SECONDS);
}

const subject = ({ of, to }: Path): string => `path ${of} to ${to} carries `;

/** A way that carries less than its MTU, in one line. */
export function narrow(path: Path, { bytes, outer }: Carried): string {
  const { layer, mtu } = path;
  const cure = `raise the MTU of the underlay all the way (${underlayChain(mtu, [{ layer, outer }])})`;
  const or = bytes < IPV6_MIN_MTU ? `, because IPv6 needs ${IPV6_MIN_MTU}` : `, or say mtu: ${bytes}`;
  return `${subject(path)}${bytes} bytes in one piece, and its MTU is ${mtu}: ${cure}${or}`;
}

/** The same as a line of the text. */
export const note = (path: Path, carried: Carried): string => `# ${narrow(path, carried)}`;

/** The lines of a text that say so of a way. */
export const notesOf = (path: Path, text: string): string[] =>
  text.split("\n").filter((line) => line.startsWith(`# ${subject(path)}`));
