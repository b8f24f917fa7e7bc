/**
 * How large a packet passes a way in one piece. That it comes back is no proof: kernel WireGuard does not copy DF to what
 * carries it, and wireguard-go fragments once it has heard of a narrow link, so that a packet may come in pieces; and each
 * end sees only those that come to itself. Both ends have to look.
 */
import type { Path, Snapshot } from "../kernel";
import { SESSION_SECONDS } from "../kernel";
import { endpoint as endpointText, type Family, family, parseEndpoint } from "../network/address";
import { IP, leastMtu, OVERHEAD, underlayChain } from "../network/mtu";
import type { Probe, Probed } from "./probe";
import type { RunOptions } from "./session";

/** Who sends packets and sees what comes back. */
export interface Prober {
  probe(probes: readonly Probe[], options?: RunOptions): Promise<Probed>;
}

/** What a way carries in one piece: bytes of a packet inside; and over which family that was. */
export interface Carried {
  bytes: number;
  outer: Family;
}

/** WireGuard fills packets up to a multiple of 16 bytes or to the MTU, the WireGuard paper, section 5.4.6. */
const PADDED = 16;
/** What two rounds can tell apart elsewhere. */
const FINE = 4;
/** Less than this nobody's network carries: the datagrams that every host takes are larger, RFC 791, section 3.1. */
const LEAST = 512;
/** As small as ping(8) has them over either family. */
const TINY = 64;
/** Sizes that are tried at once. */
const AT_ONCE = 16;

/** Sizes from `low` on and below `high`, evenly spaced and few; with `more` bytes each is a multiple of `step`. */
export function sizesBetween(low: number, high: number, step = PADDED, more = 0): number[] {
  const first = Math.ceil((low + more) / step);
  const count = Math.ceil((high + more) / step) - first;
  const taken = Math.min(count, AT_ONCE);
  const spacing = taken > 1 ? (count - 1) / (taken - 1) : 0;
  return Array.from({ length: Math.max(taken, 0) }, (_, index) => (first + Math.floor(index * spacing)) * step - more);
}

/** The same of a way: sizes that what carries them does not fill up. */
function sizes({ layer, below, from }: Path, low: number, high: number): number[] {
  if (layer === "WireGuard") return sizesBetween(low, high);
  return sizesBetween(low, high, below === "link" ? PADDED : FINE, OVERHEAD[layer](family(from)));
}

/** Bytes of UDP and what is in it, besides the packet inside. */
const headers = (layer: Path["layer"]): number => OVERHEAD[layer]("inet") - IP.inet;

/** What carries the packets of a way and whence it comes: WireGuard; or VXLAN and, where that goes by a link, both. */
function carriers({ device, layer, port, from, within }: Path): { port: number; headers: number; source: string }[] {
  if (layer === "WireGuard") return [{ port, headers: headers(layer), source: `${device} ${from}` }];
  const own = { port, headers: headers(layer), source: from };
  if (!within) return [own];
  const around = headers("WireGuard") + OVERHEAD[layer](family(from));
  return [own, { port: within.port, headers: around, source: `${within.device} ${within.from}` }];
}

const at = (source: string, { endpoints }: Probed): string => endpoints.get(source) ?? source;

/** Of the sizes that came back, those that came in one piece: no datagram of theirs was among the fragments. */
export function whole(path: Path, answered: readonly number[], probed: Probed): number[] {
  const pieces = carriers(path).flatMap(({ port, headers, source }) => {
    const whence = at(source, probed);
    return probed.fragmented
      .filter(({ address, from, to }) => to === port && [address, endpointText(address, from)].includes(whence))
      .map(({ length }) => length - headers);
  });
  return answered.filter((size) => size < Math.min(...pieces));
}

/** What is known of a way while it is looked at. */
interface Search {
  path: Path;
  carried?: Carried;
  /** Bytes that are too many. */
  over?: number;
}

/**
 * Sizes to try next. In a segment whether anybody answers is asked first, with little: what a host there has to answer, and
 * to a neighbour that it does not find, keeps it from answering anybody until it gives up. (Replies of all sorts leave by one
 * socket for each CPU and all network namespaces, net/ipv4/icmp.c; its buffer holds 60 of full size, and ARP waits with
 * more of them for 3 s.)
 */
function next({ path, carried, over }: Search): number[] {
  const { mtu, layer } = path;
  const best = carried?.bytes ?? 0;
  if (over === undefined) return layer === "VXLAN" ? [TINY, mtu] : [mtu];
  if (best >= LEAST) return best === mtu ? [] : sizes(path, best + 1, over);
  return over === mtu ? [...sizes(path, LEAST, mtu), mtu] : [];
}

function learn(search: Search, sizes: readonly number[], answered: readonly number[], probed: Probed): void {
  const best = Math.max(search.carried?.bytes ?? 0, ...whole(search.path, answered, probed));
  const source = at(carriers(search.path)[0]?.source ?? "", probed);
  const outer = family(parseEndpoint(source)?.address ?? source);
  if (best > 0) search.carried = { bytes: best, outer };
  search.over = Math.min(...sizes.filter((size) => size > best), search.over ?? Number.POSITIVE_INFINITY);
}

/**
 * What a way carries from its other end to this machine, by packets that go there and come back; undefined where none
 * comes back. One call where all is well, up to three of a second or two where it is not. `retry`: what may help where
 * nobody has answered the first. Throws HostError.
 */
export async function measure(
  machine: Prober,
  path: Path,
  options: RunOptions,
  retry?: () => Promise<void>,
): Promise<Carried | undefined> {
  const { device, address } = path;
  const ports = carriers(path).map(({ port, headers }) => ({ port, headers }));
  const search: Search = { path };
  for (let round = 0; round < 3; round++) {
    const sizes = next(search);
    if (sizes.length === 0) break;
    const probed = await machine.probe([{ device, address, carriers: ports, sizes }], options);
    learn(search, sizes, probed.answered[0] ?? [], probed);
    if (round === 0 && !probed.answered[0]?.length) await retry?.();
  }
  const { carried } = search;
  return carried && carried.bytes >= LEAST ? carried : undefined;
}

/** Whether a look shows that a way is what it is declared to be, and that somebody is at its end. */
export function isUp({ device, from, lines }: Path, text: ReadonlySet<string>, { wg, now }: Snapshot): boolean {
  const peer = wg.find((it) => it.device === device)?.peers.find(({ publicKey }) => publicKey === from);
  return lines.every((line) => text.has(line)) && (!peer || now - peer.latestHandshake < SESSION_SECONDS);
}

const subject = ({ of, to }: Path): string => `path ${of} to ${to} carries `;

/** A way that carries less than its MTU, in one line. */
export function narrow(path: Path, { bytes, outer }: Carried): string {
  const { layer, below, mtu, least = leastMtu() } = path;
  const cure = `raise the MTU of the ${below} all the way (${underlayChain(mtu, [{ layer, outer }], below)})`;
  const or = bytes < least ? `, because IPv${least < leastMtu() ? 4 : 6} needs ${least}` : `, or say mtu: ${bytes}`;
  return `${subject(path)}${bytes} bytes in one piece, and its MTU is ${mtu}: ${cure}${or}`;
}

/** The same as a line of the text. */
export const note = (path: Path, carried: Carried): string => `# ${narrow(path, carried)}`;

/** The lines of a text that say so of a way. */
export const notesOf = (path: Path, text: string): string[] =>
  text.split("\n").filter((line) => line.startsWith(`# ${subject(path)}`));
