/** What a doctor looks at: the hosts of a link or around a host, twice, and in between packets on all ways between them. */
import { withCode } from "../../codes";
import { type Carried, type Counted, HostError, measure, type Probed, whole } from "../../host";
import type { Call, Path, Snapshot } from "../../kernel";
import { family, parseEndpoint } from "../../network/address";
import { OVERHEAD } from "../../network/mtu";
import { type Declared, inParallel, type Look, Looked, type Wanted } from "../status/look";
import { type Concern, INTERFACE, MEMBER, nameOf, peersOf } from "./concerns";

/** One way inside of a device, as the host at one of its ends sees it. */
export interface Way {
  declared: Declared;
  path: Path;
  call?: Call;
  /** What comes in by it in one piece; absent: nobody answered. */
  carried?: Carried;
  /** Packets of its MTU came, and in pieces. */
  pieces?: true;
  /** The sizes of pings outside that the other end's address answered; absent: nobody was asked. */
  outside?: { asked: number[]; answered: number[] };
  /** What became of its UDP, where nobody answered inside. */
  counted?: Counted;
}

/** Somebody with whom a host shares a link or a segment, and of whom no address is known there that could be asked. */
export interface Wayless {
  declared: Declared;
  to: string;
}

export interface Examined {
  wanted: Wanted;
  /** What of its resources this is about. */
  concerned: Declared[];
  look: Look;
  /** Seconds that its clock is ahead of this machine's. */
  clock?: number;
  ways: Way[];
  wayless: Wayless[];
  /** Why not all packets were sent that would have shown something; one sentence. */
  unproven?: string;
}

/** What is asked of a host besides what is declared of it. */
const more = (concerned: readonly Declared[]): string[] => [
  ...concerned.flatMap(({ technology, spec }) => technology.observes?.(spec) ?? []),
  ...(concerned.some(({ token }) => token === INTERFACE || token === MEMBER) ? ["hook input"] : []),
];

/** Between two looks, so that the second shows what the packets in between have brought about. */
export async function examine(all: readonly Concern[], ssh: string | undefined, parallel: number): Promise<Examined[]> {
  const hosts = all.map((concern) => ({ concern, looked: new Looked(concern.wanted, ssh, more(concern.concerned)) }));
  const found = new Map<Concern, Examined>();
  try {
    await inParallel(hosts, parallel, async ({ concern, looked }) => {
      found.set(concern, await lookedAt(concern, looked));
    });
    const seen = hosts.flatMap(({ concern, looked }) => {
      const it = found.get(concern);
      return it?.look.seen ? [{ it, looked }] : [];
    });
    await inParallel(seen, parallel, ({ it, looked }) => attempt(it, () => proven(it, looked)));
    const silent = silentPairs(seen.map(({ it }) => it));
    // Both ends at once: what one sends the other is to see.
    await Promise.all(seen.map(({ it, looked }) => attempt(it, () => followed(it, looked, silent))));
    await inParallel(seen, parallel, async ({ it, looked }) => {
      const began = Date.now();
      it.look = await looked.look();
      // The second that it is in is on average half gone.
      const now = (began + Date.now()) / 2000;
      if (it.look.seen) it.clock = Math.round(it.look.seen.now + 0.5 - now);
    });
  } finally {
    await Promise.all(hosts.map(({ looked }) => looked.close()));
  }
  return all.flatMap((concern) => found.get(concern) ?? []);
}

/** The first reason is the one that counts. */
async function attempt(it: Examined, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    it.unproven ??= withCode(error);
  }
}

/** Again where somebody is called elsewhere than declared, for the way there. */
async function lookedAt(concern: Concern, looked: Looked): Promise<Examined> {
  const { wanted, concerned } = concern;
  let look = await looked.look();
  const ways = look.seen ? waysOf(concern, look.seen) : [];
  const elsewhere = ways.flatMap((way) => (look.seen ? (calledAt(way, look.seen)?.address ?? []) : []));
  const unasked = elsewhere.filter((it) => look.seen && !(it in look.seen.ways));
  if (unasked.length > 0) {
    looked.ask(unasked.map((it) => `way ${it}`));
    look = await looked.look();
  }
  return { wanted, concerned, look, ways, wayless: look.seen ? waylessOf(concern, ways) : [] };
}

export function waysOf({ concerned, asks }: Concern, seen: Snapshot): Way[] {
  return concerned.flatMap((declared) => {
    const { technology, spec } = declared;
    const calls = technology.end?.(spec).calls ?? [];
    return (technology.paths?.(spec, seen) ?? [])
      .filter(({ of, to }) => asks(of, to))
      .map((path): Way => {
        const call = calls.find(({ publicKey }) => publicKey === path.from);
        return { declared, path, ...(call && { call }) };
      });
  });
}

/** Not those of somebody else's whom nobody calls: they move about, and there is nothing to prove. */
export const waylessOf = ({ concerned, asks }: Concern, ways: readonly Way[]): Wayless[] =>
  concerned
    .filter(({ token }) => token === INTERFACE || token === MEMBER)
    .flatMap((declared) =>
      peersOf(declared)
        .filter(({ name, foreign, endpoint }) => asks(nameOf(declared), name) && !(foreign && endpoint === undefined))
        .filter(({ name }) => !ways.some((way) => way.declared === declared && way.path.to === name))
        .map(({ name }) => ({ declared, to: name })),
    );

/** Where WireGuard has a peer now, which may not be where it was declared. */
export const endpointOf = ({ path, call }: Way, { wg }: Snapshot): string | undefined =>
  wg.find(({ device }) => device === path.device)?.peers.find(({ publicKey }) => publicKey === path.from)?.endpoint ??
  call?.endpoint;

/** Of those who are called: others may be behind a NAT, whose address would answer in their place. */
function calledAt(way: Way, seen: Snapshot) {
  const declared = peersOf(way.declared).find(({ publicKey }) => publicKey === way.path.from)?.endpoint;
  return declared === undefined ? undefined : parseEndpoint(endpointOf(way, seen) ?? declared);
}

async function proven({ look: { seen }, ways }: Examined, looked: Looked): Promise<void> {
  if (!seen) return;
  await Promise.all(
    ways.map(async (way) => {
      const { path } = way;
      const prober = {
        probe: async (...args: Parameters<Looked["probe"]>): Promise<Probed> => {
          const probed = await looked.probe(...args);
          const [answered = []] = probed.answered;
          if (answered.includes(path.mtu) && !whole(path, answered, probed).includes(path.mtu)) way.pieces = true;
          return probed;
        },
      };
      const [carried] = await Promise.all([measure(prober, path, {}), outside(way, seen, looked)]);
      if (carried) way.carried = carried;
    }),
  );
}

/** As small as ping(8) has them over either family. */
const TINY = 64;

/** Whether the other end's address answers outside: a little, and as much as a packet of the MTU comes to. */
async function outside(way: Way, seen: Snapshot, looked: Looked): Promise<void> {
  const { path } = way;
  const at = calledAt(way, seen);
  const device = at && seen.ways[at.address];
  if (!at || device === undefined) return;
  const asked = [TINY, path.mtu + OVERHEAD.WireGuard(family(at.address))];
  const carriers = [{ port: path.port, headers: 0 }];
  const { answered } = await looked.probe([{ device, address: at.address, carriers, sizes: asked }]);
  way.outside = { asked, answered: answered[0] ?? [] };
}

/** The two ends of something that they have in common. */
export const pairOf = (of: string, a: string, b: string): string => JSON.stringify([of, ...[a, b].sort()]);

/** Pairs of which neither end had an answer. */
function silentPairs(all: readonly Examined[]): Set<string> {
  const tried = all.flatMap(({ wanted, ways }) =>
    ways.map(({ path, carried }) => ({ pair: pairOf(path.of, wanted.node.name, path.to), carried })),
  );
  const answered = new Set(tried.flatMap(({ pair, carried }) => (carried ? pair : [])));
  return new Set(tried.flatMap(({ pair }) => (answered.has(pair) ? [] : pair)));
}

async function followed(it: Examined, looked: Looked, silent: ReadonlySet<string>): Promise<void> {
  const { seen } = it.look;
  const ways = it.ways.filter(({ path }) => silent.has(pairOf(path.of, it.wanted.node.name, path.to)));
  if (!seen || ways.length === 0) return;
  const all = ways.map((way) => {
    const { device, address, port, layer, from } = way.path;
    const base = { device, address, port };
    if (layer === "VXLAN") return { ...base, both: true, from };
    // A mesh's peers have one port, and a link's may come from behind a NAT.
    return { ...base, from: way.declared.spec.peers ? parseEndpoint(endpointOf(way, seen) ?? "")?.address : undefined };
  });
  const counted = await looked.trace(all);
  for (const [index, way] of ways.entries()) {
    const found = counted[index];
    if (found) way.counted = found;
  }
}
