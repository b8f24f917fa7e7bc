/** Whether what is declared of the ways inside of devices holds: proven with packets after a change, and at each read. */
import type { Code } from "../codes";
import { type Carried, HostError, isUp, measure, narrow, note, notesOf, type RunOptions } from "../host";
import type { End, Path, Snapshot } from "../kernel";
import type { Machine } from "./machine";
import type { Values } from "./wire";

/** Bytes that pass in one piece, by the name of the machine at the other end, where that is less than the MTU. */
export type PathMtu = Record<string, number>;

const pathMtu = (found: readonly (readonly [Path, number | undefined])[]): PathMtu =>
  Object.fromEntries(
    found.flatMap(([{ to, mtu }, bytes]) => (bytes !== undefined && bytes < mtu ? [[to, bytes]] : [])),
  );

const linesOf = (text: unknown): Set<string> => new Set(String(text ?? "").split("\n"));

/** `gather`: waits for others of the run that may ask the same machines. Default: for nobody. */
type Options = RunOptions & { gather?(): Promise<void> };

interface Made {
  machine: Machine;
  paths: readonly Path[];
}

const lesser = (a: Carried | undefined, b: Carried | undefined): Carried | undefined =>
  a && b ? (b.bytes < a.bytes ? b : a) : (a ?? b);

/** The ends that one run makes. Of two, the one that is there later has both look. */
export class Paths {
  readonly #made = new Map<string, Made>();
  /** Pairs of ends of which one has called again. */
  readonly #called = new Set<string>();
  /** What a way carries, once for both ends: an end that is there has its last text, and so has each of its ways. */
  readonly #measured = new Map<Path, Promise<Carried | undefined>>();

  /**
   * After a change of an end: what differs from what the host was told before, and what was narrow before, is looked
   * at. `silent`: who does not answer. Other ends that the run leaves alone are not asked.
   */
  async prove(
    end: End,
    paths: readonly Path[],
    before: Values,
    silent: ReadonlySet<string>,
    ready: ReadonlySet<string>,
    machine: Machine,
    options: Options,
  ): Promise<{ pathMtu: PathMtu; narrow: string[] }> {
    this.#made.set(end.name, { machine, paths });
    const [known, text] = [linesOf(before.config), String(before.config ?? "")];
    const changed = (path: Path) => path.lines.some((line) => !known.has(line)) || notesOf(path, text).length > 0;
    const there = ({ other, from }: Path) => !silent.has(from) && (other === undefined || ready.has(other));
    const old = (before.pathMtu ?? {}) as PathMtu;
    const open = new Set(paths.filter((path) => changed(path) && there(path)));
    const inCompany = [...open].some(({ other }) => other !== undefined && this.#made.has(other));
    if (inCompany) await options.gather?.();
    const retry = (path: Path) =>
      path.layer === "WireGuard" && !text.includes(path.from)
        ? () => this.#callAgain(machine, path, end, options)
        : undefined;
    const found = await Promise.all(
      paths.map(async (path) => {
        const carried = open.has(path) ? await this.#bothWays(machine, path, end, options, retry(path)) : undefined;
        return { path, carried, bytes: carried?.bytes ?? old[path.to] };
      }),
    );
    return {
      pathMtu: pathMtu(found.map(({ path, bytes }) => [path, bytes])),
      narrow: found.flatMap(({ path, carried }) =>
        carried && carried.bytes < path.mtu ? [`The ${narrow(path, carried)}.`] : [],
      ),
    };
  }

  /** Of two that have called each other in one moment both may show a handshake, and nothing passes. One calls: both would cross. */
  async #callAgain(machine: Machine, { device, from, other }: Path, end: End, options: RunOptions): Promise<void> {
    const pair = [end.name, other].sort().join();
    if (this.#called.has(pair)) return;
    this.#called.add(pair);
    await machine.callAgain(device, from, options);
  }

  async #bothWays(
    machine: Machine,
    path: Path,
    end: End,
    options: RunOptions,
    retry: (() => Promise<void>) | undefined,
  ): Promise<Carried | undefined> {
    const far = path.other === undefined ? undefined : this.#made.get(path.other);
    const back = far?.paths.find(({ other }) => other === end.name);
    const [here, there] = await Promise.all([
      this.#measure(machine, path, options, retry),
      far && back && this.#measure(far.machine, back, options),
    ]);
    // Of a segment's ends each may have another MTU, as those of its bridge: one that carries all of its own tells no more.
    return lesser(here, there && back && there.bytes < back.mtu ? there : undefined);
  }

  #measure(
    machine: Machine,
    path: Path,
    options: RunOptions,
    retry?: () => Promise<void>,
  ): Promise<Carried | undefined> {
    const known = this.#measured.get(path) ?? measure(machine, path, options, retry);
    this.#measured.set(path, known);
    return known;
  }
}

/** A refresh: what comes in by the ways that are as declared. What nobody answers about is as it was last known. */
export async function readPaths(
  paths: readonly Path[],
  olds: Values,
  text: string,
  seen: Snapshot,
  machine: Machine,
  options: Options,
): Promise<{ pathMtu: PathMtu; notes: string[] }> {
  const lines = linesOf(text);
  const up = paths.filter((path) => isUp(path, lines, seen));
  if (up.length > 0) await options.gather?.();
  const measured = await Promise.all(up.map((path) => measure(machine, path, options)));
  const carried = new Map(up.map((path, index) => [path, measured[index]]));
  const old = (olds.pathMtu ?? {}) as PathMtu;
  const notes = paths.flatMap((path) => {
    const now = carried.get(path);
    if (!now) return notesOf(path, String(olds.config ?? ""));
    return now.bytes < path.mtu ? [note(path, now)] : [];
  });
  return { pathMtu: pathMtu(paths.map((path) => [path, carried.get(path)?.bytes ?? old[path.to]])), notes };
}

/** What keeps packets from being sent is told, and everything else goes on. */
export const unproven =
  <T>({ machine, warn }: { machine: Machine; warn(code: Code, message: string): void }, instead: T) =>
  (error: unknown): T => {
    if (!(error instanceof HostError)) throw error;
    const what = `What the paths of ${machine.name} carry is not known: ${error.message}`;
    if (error.kind !== "cancelled") warn(error.code, what);
    return instead;
  };
