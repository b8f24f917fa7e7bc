/** The provider of one engine run: its configuration, its hosts, and what the engine may ask of it. */
import { allowsAll } from "../allowance";
import { type Fault, format } from "../faults";
import { Connection, HostError, Hosts } from "../host";
import { type Command, type Fact, type Keying, silence, wrongClock } from "../kernel";
import { lineDiff } from "../lineDiff";
import { unpacked } from "../packed";
import { unkeyed } from "../rosenpass";
import { takeover } from "./adopt";
import { Blobs } from "./blobs";
import { Company } from "./company";
import { Configuration, configuration } from "./configuration";
import { type Before, converge } from "./converge";
import type { Engine } from "./engine";
import { FarHosts } from "./far";
import { Handshakes } from "./handshakes";
import { impact, remakesDevice } from "./impact";
import { find } from "./import";
import { type Checked, check, connectionOf, otherOf, parseSpec, same } from "./inputs";
import { FirstKeys, keyless } from "./keying";
import { diff, type Operation, preview, read, remove } from "./lifecycle";
import { overSsh, telling, withinLimits } from "./machine";
import { HalfApplied, Refused } from "./outcome";
import { Paths, unproven } from "./paths";
import { type ResourceType, resourceType, tokens } from "./registry";
import { Removals } from "./removals";
import { foretold } from "./safeguard";
import { type Part, Turns } from "./turns";
import { hasUnknown, isUnknown, type Values } from "./wire";

/** Seconds for a machine that was made a moment ago to let us in, where customTimeouts do not say. */
const BOOTING = 30;
/** Seconds before the end of customTimeouts at which it is given up, to say why rather than that they are over. */
const REASON = 3;
/** Seconds in which to begin attempts to connect, each of which can end before time is up. */
const booting = (seconds: number, { connection }: Values): number =>
  seconds > 0 ? Math.max(0, seconds - REASON - connectionOf({ connection }).connectTimeout) : BOOTING;

/**
 * Milliseconds between two calls of the engine in which it is busy with itself alone: it takes up to 50 from the end of what others
 * depend on to the first of those. Nobody else logs in to a host and changes it in less.
 */
const PAUSE = 100;

/** A resource as the engine last knew it. */
export interface Known {
  urn: string;
  id: string;
  outputs: Values;
  inputs: Values;
  /** Seconds that the user gives the operation; 0: no limit but those of its steps. */
  seconds: number;
}

/** The parts of urn:pulumi:STACK::PROJECT::TYPE$TYPE::NAME. */
function parse(urn: string): { type: ResourceType; stack: string; resource: string; name: string } {
  const [start = "", project = "", types = "", ...name] = urn.split("::");
  const token = types.split("$").at(-1) ?? "";
  const type = resourceType(token);
  if (!type) {
    throw new Refused(
      "provider/version",
      `This version of the overlay plugin has no resource ${token}; it has ${tokens.join(", ")}.`,
    );
  }
  const stack = `${project}/${start.split(":").at(-1)}`;
  return { type, stack, resource: [types, ...name].join("::"), name: name.join("::") };
}

/** What the engine asks for of a resource. */
type Lifecycle = Pick<
  Provider,
  "diff" | "previewCreate" | "create" | "previewUpdate" | "update" | "read" | "delete"
> & {
  check(urn: string, news: Values): { inputs: Values } | { faults: Fault[] };
};

export class Provider {
  engine: Engine | undefined;
  #settings: Configuration = Configuration.parse({});
  #hosts = new Hosts();
  readonly #cancelled = new AbortController();
  /** Whether a resource is other than state says, of those that this run has read. */
  readonly #drifted = new Map<string, Promise<boolean>>();
  readonly #handshakes = new Handshakes();
  readonly #firstKeys = new FirstKeys();
  readonly #paths = new Paths();
  readonly #blobs = new Blobs();
  /** Those at work who may have packets sent in the end. */
  readonly #company = new Company();
  /** Hosts that were found dead: they are named once. */
  readonly #dead = new Set<string>();
  /** What one warning of a run is enough for, with its code. */
  readonly #told = new Set<string>();
  readonly #removals = new Removals();
  readonly #turns = new Turns();
  /** Calls of the engine that are under way. */
  #calls = 0;
  /** Of what was seen of hosts, when there has been none for a while. */
  #forgetting: NodeJS.Timeout | undefined;
  /** Sessions apart: a host that does not answer yet, because its way is only now mended, may do so in its own turn. */
  #farHosts = new Hosts();
  readonly #far = new FarHosts((connection) => overSsh(this.#farHosts, connection));

  /** Who answers for a resource: all but one are of something on a host. */
  lifecycle(urn: string): Lifecycle {
    if (!urn.includes("overlay:truth:Part::")) return this;
    const { TruthParts }: typeof import("./truth") = require("./truth");
    return new TruthParts({ engine: this.engine, signal: this.#cancelled.signal });
  }

  configure(values: Values): void {
    const result = configuration(values);
    if ("faults" in result) throw new Refused("provider/configuration", format(result.faults));
    this.#settings = result.value;
    const { ssh, identities } = this.#settings;
    const log = (message: string) => this.engine?.status("", message);
    const options = { ssh: ssh.split(/\s+/), identities, log };
    this.#hosts = new Hosts(options);
    this.#farHosts = new Hosts(options);
  }

  /** Whether every preview is to read the hosts first. The engine keeps the answer in state, for each resource. */
  get live(): boolean {
    return (process.env.OVERLAY_LIVE || this.#settings.live) === "on";
  }

  /** A call of the engine about a resource. Without any, hosts are not watched. */
  during = async <T>(call: () => T | Promise<T>): Promise<T> => {
    this.#calls++;
    clearTimeout(this.#forgetting);
    try {
      return await this.#turns.during(call);
    } finally {
      if (--this.#calls === 0) this.#forgetting = setTimeout(() => this.#hosts.forget(), PAUSE).unref();
    }
  };

  /** Ends all that is under way at once; a host finishes by itself the step that it has begun. */
  cancel = (): void => this.#cancelled.abort();

  async close(): Promise<void> {
    this.cancel();
    await Promise.all([this.#hosts.close(), this.#farHosts.close()]);
    await this.engine?.flush();
    this.engine?.close();
  }

  /** Whether this run may remove as much as it is told to. */
  get #mayRemoveAll(): boolean {
    return allowsAll(process.env.OVERLAY_ALLOW_DESTROY || this.#settings.allowDestroy);
  }

  check(urn: string, news: Values): Checked {
    const { type, name } = parse(urn);
    this.#removals.learn(news);
    if (type.technology.end) this.#removals.stays();
    const checked = check(type, news, name);
    if ("inputs" in checked) this.#far.learn(checked.inputs);
    return checked;
  }

  /** The properties that differ. Contacts nobody, unless every run is to read first. */
  async diff(old: Known, news: Values): Promise<string[]> {
    const { type } = parse(old.urn);
    const different = diff(type, old.outputs, old.inputs, news);
    const { end } = type.technology;
    if (different.length === 0 && end) {
      this.#handshakes.unchanged(() => end(JSON.parse(unpacked(String(old.inputs.spec)))).name);
    }
    const part = partOf(type, news);
    if (part && !(different.length > 0 && remakesDevice(type, old.inputs, old.outputs.config, news))) {
      this.#turns.settle(part);
    }
    // Of what goes itself the engine tells nobody before it does.
    if (old.inputs.keyed === true && news.keyed !== true && !isUnknown(news.spec)) {
      this.engine?.info(old.urn, unkeyed(JSON.parse(unpacked(String(news.spec))).device));
      await this.engine?.flush();
    }
    if (different.length > 0 || !this.live) return different;
    // The engine reads first what state says is to be read first; this is for the run that says so for the first time.
    const { connection } = hasUnknown(news.connection) ? old.inputs : news;
    const known = this.#drifted.get(old.urn) ?? this.#drift({ ...old, inputs: { ...old.inputs, connection } });
    this.#drifted.set(old.urn, known);
    return (await known) ? ["config"] : [];
  }

  async #drift(old: Known): Promise<boolean> {
    const now = await this.#read(old);
    const lines = now
      ? lineDiff(String(old.outputs.config), String(now.outputs.config))
      : ["It is gone from the host."];
    if (lines.length === 0) return false;
    this.engine?.info(old.urn, lines.join("\n"));
    await this.engine?.flush();
    return true;
  }

  async previewCreate(urn: string, news: Values): Promise<Values> {
    const { type, resource } = parse(urn);
    // The engine shows the first lines of a new resource's text, and those escaped.
    if (!isUnknown(news.config)) this.engine?.info(urn, String(news.config));
    const { told, known } = await takeover(type, () => this.#operation(urn, news, 0), news);
    const sentences = [...told, ...this.#foretold(type, news)];
    if (sentences.length > 0) this.engine?.info(urn, sentences.join("\n"));
    await this.engine?.flush();
    await this.#verify(type, news);
    return preview(type, resource, known, news);
  }

  #foretold({ technology }: ResourceType, { spec }: Values, before?: Values): string[] {
    if (isUnknown(spec) || !technology.foretells) return [];
    const [after, known] = [spec, before?.spec].map((it) => (it === undefined ? it : JSON.parse(unpacked(String(it)))));
    return technology.foretells(after, known);
  }

  /** What hosts are to be given and is at hand: before anything is changed. */
  async #verify({ technology }: ResourceType, { spec }: Values): Promise<void> {
    if (isUnknown(spec) || !technology.blobs) return;
    const blobs = technology.blobs(JSON.parse(unpacked(String(spec))));
    const signal = this.#cancelled.signal;
    await Promise.all(blobs.map((it) => it.from !== "other" && this.#blobs.text(it, undefined, { signal })));
  }

  async create(urn: string, news: Values, seconds: number): Promise<{ id: string; outputs: Values }> {
    const { type } = parse(urn);
    const wait = type.machine ? booting(seconds, news) : 0;
    return this.#make({ ...this.#operation(urn, news, seconds), wait, canary: news.canary === true }, news);
  }

  /** To the end, until those answer who are called, and until it is known what packets pass to them. */
  #make(operation: Operation, news: Values, before?: Before): Promise<{ id: string; outputs: Values }> {
    const part = partOf(operation.type, news);
    return this.#together(operation, (its) => this.#prove(its, news, before)).finally(
      () => part && this.#turns.settle(part),
    );
  }

  /** What may have packets sent in the end. */
  #together<T>(operation: Operation, work: (operation: Operation) => Promise<T>): Promise<T> {
    if (!operation.type.technology.paths) return work(operation);
    return this.#company.during((gather) => work({ ...operation, gather }));
  }

  async #prove(operation: Operation, news: Values, before?: Before): Promise<{ id: string; outputs: Values }> {
    const { type, machine } = operation;
    const ready = this.#handshakes.ready();
    const { id, outputs, spec, seen } = await this.#converge(operation, news, before);
    const [end, paths] = [type.technology.end?.(spec), type.technology.paths?.(spec, seen)];
    if (!end) return { id, outputs };
    // What was made is made, whatever there is to say of it.
    const lost = await this.#handshakes.made(end, ready, seen, machine, operation).catch(() => []);
    if (lost.length > 0) {
      for (const sentence of wrongClock(end.from, seen)) operation.warn("warning/clock", sentence, end.from);
      operation.warn("warning/silent", silence(end, lost, seen));
    }
    const keying = type.technology.keying?.(spec);
    if (keying) return { id, outputs: await this.#keyed(operation, id, outputs, keying, end.from, before) };
    if (!paths) return { id, outputs };
    const silent = new Set(lost.map(({ publicKey }) => publicKey));
    const known = before?.outputs ?? {};
    const { pathMtu, narrow } = await this.#paths
      .prove(end, paths, known, silent, this.#handshakes.ready(), machine, operation)
      .catch(unproven(operation, { pathMtu: known.pathMtu ?? {}, narrow: [] }));
    for (const sentence of narrow) operation.warn("warning/narrow", sentence);
    return { id, outputs: { ...outputs, pathMtu } };
  }

  /** Of the two ends the one that is there later waits for the first key, and knows how both are; the other what it knew before. */
  async #keyed(
    operation: Operation,
    id: string,
    outputs: Values,
    keying: Keying,
    node: string,
    before?: Before,
  ): Promise<Values> {
    const { machine, other } = operation;
    const ends = { own: machine, node, other };
    if (keying.other !== undefined && !(other && this.#handshakes.ready().has(keying.other))) {
      const known = before?.outputs.health;
      return known === undefined ? outputs : { ...outputs, health: known };
    }
    operation.status("waiting for the first key");
    const { agree, health, seconds } = await this.#firstKeys.wait(keying, ends, operation);
    const known = { ...outputs, health };
    // Somebody else's may be started later.
    if (agree || keying.other === undefined) return known;
    const told = keyless(keying, health, seconds);
    if (keying.strict) throw new HalfApplied(id, known, "provider/keyless", [told]);
    operation.warn("warning/keyless", told);
    return known;
  }

  async previewUpdate({ urn, outputs, inputs }: Known, news: Values): Promise<Values> {
    const { type, resource } = parse(urn);
    const { told } = await takeover(type, () => this.#operation(urn, news, 0), news, inputs);
    const sentences = [
      ...impact(type, inputs, outputs.config, news),
      ...foretold(type, inputs, news, this.#far),
      ...told,
      ...this.#foretold(type, news, inputs),
    ];
    await this.#verify(type, news);
    for (const sentence of sentences) this.engine?.info(urn, sentence);
    await this.engine?.flush();
    return preview(type, resource, outputs, news);
  }

  async update(old: Known, news: Values): Promise<Values> {
    this.#drifted.delete(old.urn);
    // Elsewhere there may be a new machine.
    const moved = parse(old.urn).type.machine && !same(old.inputs.connection, news.connection);
    const wait = moved ? booting(old.seconds, news) : 0;
    const operation = { ...this.#operation(old.urn, news, old.seconds), wait, canary: news.canary === true };
    const { outputs } = await this.#make(operation, news, old);
    return outputs;
  }

  /** Why a host is out of reach is told once, and not again with each of its links. */
  async #converge(...[operation, ...change]: Parameters<typeof converge>): ReturnType<typeof converge> {
    try {
      return await converge(operation, ...change);
    } catch (error) {
      const { name } = operation.machine;
      if (!(error instanceof HostError) || !error.offline) throw error;
      if (this.#dead.has(name)) throw new HostError(error.kind, `${name} does not answer here either.`);
      this.#dead.add(name);
      throw error;
    }
  }

  /** The resource as it is now, or undefined when it is gone. Without inputs it is looked for by its id alone. */
  async read(old: Known): Promise<Pick<Known, "id" | "outputs" | "inputs"> | undefined> {
    if (Object.keys(old.inputs).length === 0) return this.#import(old);
    this.#drifted.set(old.urn, Promise.resolve(false));
    return this.#read(old);
  }

  async #read(old: Known): Promise<Pick<Known, "id" | "outputs" | "inputs"> | undefined> {
    const operation = this.#operation(old.urn, old.inputs, old.seconds);
    try {
      const outputs = await this.#together(operation, (its) => read(its, old.inputs, old.outputs));
      return outputs && { ...old, outputs };
    } catch (error) {
      if (!this.live || !mayBeDown(error)) throw error;
      if (!this.#dead.has(operation.machine.name)) {
        this.#dead.add(operation.machine.name);
        this.engine?.warn(old.urn, error.code, `${error.message} What state remembers of it is shown instead.`);
        await this.engine?.flush();
      }
      return old;
    }
  }

  async delete({ urn, inputs, outputs, seconds }: Known): Promise<void> {
    this.#removals.learn(inputs);
    this.#far.learn(inputs);
    const operation = this.#operation(urn, inputs, seconds);
    const allowed = async (removed: readonly Fact[]) => {
      if (!this.#mayRemoveAll) await this.#removals.allow(operation.machine.name, removed, operation.signal);
    };
    try {
      await remove(operation, inputs, outputs, allowed);
      await this.engine?.flush();
    } catch (error) {
      if (!mayBeGone(error)) throw error;
      throw new Refused(
        error.code,
        `${error.message} If the host is gone for good, forget this one resource with: pulumi state delete '${urn}'`,
      );
    }
  }

  async #import({ urn, id, seconds }: Known): Promise<Pick<Known, "id" | "outputs" | "inputs"> | undefined> {
    const connection = Connection.parse({ host: id.split("/")[0] });
    const found = await find(this.#operation(urn, { connection }, seconds), connection, id);
    return found && { id, ...found };
  }

  #operation(urn: string, inputs: Values, seconds: number): Operation {
    const { type, stack, resource } = parse(urn);
    const limit = seconds > 0 ? AbortSignal.timeout(seconds * 1000) : undefined;
    const status = (message: string) => this.engine?.status(urn, message);
    const machine = telling(overSsh(this.#hosts, connectionOf(inputs)), status);
    const signal = limit ? AbortSignal.any([this.#cancelled.signal, limit]) : this.#cancelled.signal;
    const far = type.asksOther && otherOf(inputs);
    const other = far && overSsh(this.#hosts, far);
    const { blobs } = type.technology;
    const filled = (commands: readonly Command[]) =>
      this.#blobs.filled(commands, blobs?.(parseSpec(type, inputs.spec)) ?? [], other, { signal });
    return {
      type,
      stack,
      resource,
      machine: limit ? withinLimits(machine, limit, seconds) : machine,
      signal,
      ...(other && { other }),
      ...(blobs && { filled }),
      ...(seconds > 0 && { timeout: seconds }),
      far: this.#far,
      turns: this.#turns,
      status,
      warn: (code, message, about) => {
        const once = about && `${code} ${about}`;
        if (once && this.#told.has(once)) return;
        if (once) this.#told.add(once);
        this.engine?.warn(urn, code, message);
      },
    };
  }
}

/** What it is a part of, by inputs that passed `check`; undefined, too, while that is not known. */
const partOf = (type: ResourceType, { spec }: Values): Part | undefined =>
  isUnknown(spec) ? undefined : type.part?.(JSON.parse(unpacked(String(spec))));

const mayBeDown = (error: unknown): error is HostError =>
  error instanceof HostError && (error.offline || ["timeout", "lost"].includes(error.kind));

/** Another machine may have its address by now. */
const mayBeGone = (error: unknown): error is HostError =>
  mayBeDown(error) ||
  (error instanceof HostError && ["hostKeyChanged", "hostKeyUnknown", "auth", "sudo", "noShell"].includes(error.kind));
