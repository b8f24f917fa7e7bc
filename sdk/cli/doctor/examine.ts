/** What a doctor looks at: the hosts of a link or around a host, twice, and in between packets on all ways between them. */
import { type Carried, type Counted, HostError, measure, type Probed, whole } from "../../host";
import type { Call, Path, Snapshot } from "../../kernel";
import { family, parseEndpoint } from "../../network/address";
import { OVERHEAD } from "../../network/mtu";
import { ToolError } from "../error";
import type { StackNetwork } from "../stack";
import { type Declared, inParallel, type Look, Looked, type Wanted } from "../status/look";

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

export interface Examined {
  wanted: Wanted;
  /** What of its resources this is about. */
  concerned: Declared[];
  look: Look;
  /** Seconds that its clock is ahead of this machine's. */
  clock?: number;
  ways: Way[];
  /** Verdicts of nft(8) that ended a datagram of one of the ways. */
  dropped: string[];
  /** Why no packets were sent; one sentence. */
  unproven?: string;
}

/** What of the hosts a question is about. */
export type Concern = Pick<Examined, "wanted" | "concerned"> & {
  /** Whether a way to that node is. */
  asks(to: string): boolean;
};

export const INTERFACE = "overlay:wireguard:Interface";
const DEVICES = [INTERFACE, "overlay:vxlan:Member"];
const nameOf = ({ spec }: Declared): string | undefined => spec.segment ?? spec.link;

/**
 * The hosts that a name is about: of a host, itself and those at the other ends of its links; of a link, a mesh or a segment,
 * its ends. Throws an Error where the stack has nothing of that name.
 */
export function concerns(all: readonly Wanted[], { nodes }: StackNetwork, name: string): Concern[] {
  const its = ({ node, declared }: Wanted): string[] =>
    declared.flatMap((it) =>
      DEVICES.includes(it.token) && (node.name === name || nameOf(it) === name) ? (nameOf(it) ?? []) : [],
    );
  const links = new Set(all.flatMap(its));
  const isHost = all.some(({ node }) => node.name === name);
  if (links.size === 0 && !isHost) {
    const others = [
      ...nodes.filter(({ foreign }) => !foreign).map((it) => it.name),
      ...new Set(all.flatMap(({ declared }) => declared.flatMap((it) => nameOf(it) ?? []))),
    ];
    throw new ToolError("cli/host", `the stack has no host and no link ${name}, only ${others.join(", ")}`);
  }
  return all.flatMap((wanted): Concern[] => {
    const own = wanted.node.name === name;
    const devices = wanted.declared.filter((it) => DEVICES.includes(it.token) && links.has(nameOf(it) ?? ""));
    if (!own && devices.length === 0) return [];
    const names = new Set(devices.map(({ spec }) => spec.device));
    const concerned = own
      ? wanted.declared
      : wanted.declared.filter(
          (it) => it.token === "overlay:node:Host" || devices.includes(it) || names.has(it.spec.device),
        );
    const asks = (to: string) => own || !isHost || to === name || links.has(name);
    return [{ wanted, concerned, asks }];
  });
}

const callsOf = ({ technology, spec }: Declared): Call[] => technology.end?.(spec).calls ?? [];

/** What is asked of a host besides what is declared of it. */
const more = (concerned: readonly Declared[]): string[] => [
  ...concerned.flatMap(({ technology, spec }) => technology.observes?.(spec) ?? []),
  ...(concerned.some(({ token }) => token === INTERFACE) ? ["hook input"] : []),
  ...concerned.flatMap(callsOf).flatMap(({ endpoint }) => {
    const at = parseEndpoint(endpoint);
    return at ? [`way ${at.address}`] : [];
  }),
];

/** Between two looks, so that the second shows what the packets in between have brought about. */
export async function examine(all: readonly Concern[], ssh: string | undefined, parallel: number): Promise<Examined[]> {
  const hosts = all.map((concern) => ({ concern, looked: new Looked(concern.wanted, ssh, more(concern.concerned)) }));
  const found = new Map<Concern, Examined>();
  try {
    await inParallel(hosts, parallel, async ({ concern, looked }) => {
      const { wanted, concerned } = concern;
      const look = await looked.look();
      found.set(concern, { wanted, concerned, look, ways: look.seen ? waysOf(concern, look.seen) : [], dropped: [] });
    });
    const seen = hosts.flatMap(({ concern, looked }) => {
      const it = found.get(concern);
      return it?.look.seen ? [{ it, looked }] : [];
    });
    await inParallel(seen, parallel, ({ it, looked }) => attempt(it, () => proven(it, looked)));
    const silent = silentDevices(seen.map(({ it }) => it));
    // Both ends at once: what one sends the other is to see.
    await Promise.all(seen.map(({ it, looked }) => attempt(it, () => followed(it, looked, silent))));
    await inParallel(seen, parallel, async ({ it, looked }) => {
      const began = Date.now();
      it.look = await looked.look();
      // `date +%s` is on average half a second behind.
      const now = (began + Date.now()) / 2000;
      if (it.look.seen) it.clock = Math.round(it.look.seen.now + 0.5 - now);
    });
  } finally {
    await Promise.all(hosts.map(({ looked }) => looked.close()));
  }
  return all.flatMap((concern) => found.get(concern) ?? []);
}

async function attempt(it: Examined, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    it.unproven = error.message;
  }
}

const waysOf = ({ concerned, asks }: Concern, seen: Snapshot): Way[] =>
  concerned.flatMap((declared) => {
    const calls = callsOf(declared);
    return (declared.technology.paths?.(declared.spec, seen) ?? [])
      .filter(({ to }) => asks(to))
      .map((path): Way => {
        const call = calls.find(({ publicKey }) => publicKey === path.from);
        return { declared, path, ...(call && { call }) };
      });
  });

/** What WireGuard calls now, which may not be where it was declared to. */
const endpointOf = ({ path, call }: Way, { wg }: Snapshot): string | undefined =>
  wg.find(({ device }) => device === path.device)?.peers.find(({ publicKey }) => publicKey === path.from)?.endpoint ??
  call?.endpoint;

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
  const at = path.layer === "WireGuard" ? parseEndpoint(endpointOf(way, seen) ?? "") : undefined;
  const device = at && seen.ways[at.address];
  if (!at || device === undefined) return;
  const asked = [TINY, path.mtu + OVERHEAD.WireGuard(family(at.address))];
  const carriers = [{ port: path.port, headers: 0 }];
  const { answered } = await looked.probe([{ device, address: at.address, carriers, sizes: asked }]);
  way.outside = { asked, answered: answered[0] ?? [] };
}

const end = (of: string, a: string, b: string): string => JSON.stringify([of, ...[a, b].sort()]);
export const pairOf = ({ wanted }: Examined, { path }: Way): string => end(path.of, wanted.node.name, path.to);

/** Pairs of which neither end had an answer. */
function silentDevices(all: readonly Examined[]): Set<string> {
  const tried = all.flatMap((it) => it.ways.map((way) => ({ pair: pairOf(it, way), way })));
  const answered = new Set(tried.filter(({ way }) => way.carried).map(({ pair }) => pair));
  return new Set(
    tried.filter(({ pair, way }) => way.path.layer === "WireGuard" && !answered.has(pair)).map(({ pair }) => pair),
  );
}

async function followed(it: Examined, looked: Looked, silent: ReadonlySet<string>): Promise<void> {
  const { seen } = it.look;
  const ways = it.ways.filter((way) => way.path.layer === "WireGuard" && silent.has(pairOf(it, way)));
  if (!seen || ways.length === 0) return;
  const all = ways.map((way) => {
    const { device, address, port } = way.path;
    // A mesh's peers have one port, and a link's may come from behind a NAT.
    const from = way.declared.spec.peers ? parseEndpoint(endpointOf(way, seen) ?? "")?.address : undefined;
    return { device, address, port, from };
  });
  const { counted, dropped } = await looked.trace(all);
  for (const [index, way] of ways.entries()) {
    const found = counted[index];
    if (found) way.counted = found;
  }
  it.dropped = dropped;
}
