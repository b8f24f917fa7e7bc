/**
 * A lab: hosts that boot, on cables and behind routers of their own. Its state is in /run/overlay-lab/LAB, its hosts'
 * disks are in /var/tmp/overlay-lab/LAB, its network namespaces are ol-LAB-*, its processes are in the control group
 * overlay-lab/LAB. `down` needs to know no more, so it also works where `up` was killed half-way.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Break, type BreakKind, isPulled, objection, words } from "./breaks";
import * as cables from "./cables";
import { claim, claimed, mustBeName, release } from "./claim";
import { imageFolder, makeDisk, sshKey } from "./disk";
import {
  type HostJson,
  hostFolder,
  type LabJson,
  labFolder,
  readJson,
  SOURCES,
  STATE,
  writeFiles,
  writeJson,
} from "./files";
import * as groups from "./groups";
import { kindOf } from "./kinds";
import * as machine from "./machine";
import { must, pause, type Result, type RunOptions, run, until } from "./run";
import { DEAD, type Host, load, type Topology } from "./topology";
import { dial, hostGateways, namespace } from "./wires";

export interface UpOptions {
  name?: string;
  /** Takes down what is there under this name; else that is an error. */
  fresh?: boolean;
  /** Breaks off, and takes down what was made so far. */
  signal?: AbortSignal | undefined;
}

export interface HostStatus {
  host: string;
  state: "running" | "booting" | "off";
  segments: string[];
  addresses: string[];
  broken: string[];
}

/** What a login of root's has; nothing of the caller's own environment. */
const LOGIN =
  "/usr/bin/env -i -C /root HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export class Lab {
  private constructor(
    readonly name: string,
    readonly topology: Topology,
  ) {}

  /**
   * Makes a lab and waits until its hosts can be logged in to.
   * @param from a file in YAML, or a name in topologies/
   */
  static async up(from = "lab", options: UpOptions = {}): Promise<Lab> {
    const { name = "lab", fresh = false, signal } = options;
    mustBeName(name);
    if (process.getuid?.() !== 0) throw new Error("A lab needs root: it makes network namespaces and boots hosts.");
    const topology = load(from, join(SOURCES, "topologies"));
    if (fresh) await Lab.down(name);
    const images = await makeImages(topology);
    claim(name);
    const lab = new Lab(name, topology);
    try {
      await lab.make(images, signal);
    } catch (error) {
      await Lab.down(name);
      throw error;
    }
    release(name);
    return lab;
  }

  /** A lab that is up. */
  static open(name = "lab"): Lab {
    mustBeName(name);
    if (!existsSync(join(labFolder(name), "lab.json"))) {
      throw new Error(`No lab called ${name} is up. Start it: npm run -s lab -- up --name ${name}`);
    }
    return new Lab(name, readJson(join(labFolder(name), "topology.json")));
  }

  /** Removes a lab and all that is left of it. Nothing there is nothing to do. */
  static async down(name = "lab"): Promise<void> {
    mustBeName(name);
    const maker = claimed(name);
    if (maker?.by !== undefined && maker.by !== process.pid) {
      throw new Error(
        `Lab ${name} is just being made by process ${maker.by}: wait for it, or end it (kill ${maker.by})`,
      );
    }
    // A maker that was killed leaves a command that runs to its end.
    if (maker && maker.by === undefined) await pause(500);
    await groups.kill(name);
    await cables.remove(name);
    if (!(await until(10_000, () => !machine.holdsDisk(imageFolder(name))))) {
      throw new Error(`A disk in ${imageFolder(name)} is in use, though its hosts are off: see losetup -a`);
    }
    rmSync(imageFolder(name), { recursive: true, force: true });
    // What nspawn leaves when it is killed.
    for (const folder of ["propagate", "unix-export", "locks"].map((one) => join("/run/systemd/nspawn", one))) {
      for (const entry of existsSync(folder) ? readdirSync(folder) : []) {
        if (entry.includes(namespace(name, ""))) rmSync(join(folder, entry), { recursive: true, force: true });
      }
    }
    rmSync(labFolder(name), { recursive: true, force: true });
    // What vm/life.sh has found out for all labs.
    if ((await Lab.names()).length === 0) rmSync("/run/overlay-lab-accelerator", { force: true });
  }

  /** The labs of this machine, and what is left of any. */
  static async names(): Promise<string[]> {
    const folders = [STATE, imageFolder("")].flatMap((at) => (existsSync(at) ? readdirSync(at) : []));
    const namespaces = (await cables.list()).map((netns) => netns.split("-")[1] ?? "");
    return [...new Set([...folders, ...groups.labs(), ...namespaces])].sort();
  }

  get hosts(): string[] {
    return Object.keys(this.topology.hosts);
  }

  get json(): LabJson {
    return readJson(join(labFolder(this.name), "lab.json"));
  }

  /** IPv4 addresses where no host is: `drops` says nothing, `refuses` every connection, `absent` is nobody's. */
  get dead(): typeof DEAD {
    return DEAD;
  }

  get breaks(): Break[] {
    const at = join(labFolder(this.name), "breaks.json");
    return existsSync(at) ? readJson(at) : [];
  }

  /** The words before a command that is to run on a host, as root. Throws an error when the host is off. */
  enter(host: string): string[] {
    this.mustBeHost(host);
    const inside = kindOf(this.topology, host).enter(this.name, host);
    if (inside === undefined) {
      throw new Error(
        `${host} of lab ${this.name} is off. Start it: npm run -s lab -- heal power ${host} --name ${this.name}`,
      );
    }
    const login = [...LOGIN.split(" "), `TERM=${process.env.TERM ?? "dumb"}`];
    return [...inside, ...login];
  }

  /** Runs a command on a host as root, whatever its network does. A string is for its shell. */
  exec(host: string, command: readonly string[] | string, options: RunOptions = {}): Promise<Result> {
    return run([...this.enter(host), ...(typeof command === "string" ? ["sh", "-c", command] : command)], options);
  }

  /** The operator's ssh, up to and including the host's name. */
  ssh(host: string): string[] {
    this.mustBeHost(host);
    return [...this.json.ssh.split(" "), host];
  }

  /** Breaks something until it is healed. What is broken in this way already is broken anew. */
  async break(broken: Break): Promise<void> {
    const reason = objection(this.topology, broken);
    if (reason !== undefined) throw new Error(reason);
    if (broken.kind === "power") await this.cutPower(broken.target);
    const others = this.breaks.filter(({ kind, target }) => kind !== broken.kind || target !== broken.target);
    await this.setBreaks([...others, broken]);
  }

  /** Heals what is broken: all of it, one kind, or one kind at one place. */
  async heal(kind?: BreakKind, target?: string): Promise<void> {
    const healed = (one: Break): boolean =>
      (kind === undefined || one.kind === kind) && (target === undefined || one.target === target);
    await this.setBreaks(this.breaks.filter((one) => !healed(one)));
    // One that was powered off from inside, too.
    const off = this.hosts.filter((host) => machine.supervisor(this.name, host) === undefined);
    await Promise.all(off.filter((host) => healed({ kind: "power", target: host })).map((host) => this.boot(host)));
  }

  /** Cuts a host's power: what it had not synced to its disk is lost. */
  powerOff(host: string): Promise<void> {
    return this.break({ kind: "power", target: host });
  }

  /** Starts a host if it is off, and waits until it can be logged in to: so many milliseconds at most. */
  async start(host: string, limit = machine.BOOT_LIMIT): Promise<void> {
    this.mustBeHost(host);
    await this.setBreaks(this.breaks.filter((one) => one.kind !== "power" || one.target !== host));
    if (machine.supervisor(this.name, host) === undefined) await this.boot(host, limit);
  }

  /** Reboots a host as its administrator would, and waits until it can be logged in to: so many milliseconds at most. */
  async reboot(host: string, limit = machine.BOOT_LIMIT): Promise<void> {
    // The reboot may cut the order off before it has ended.
    await machine.reboot(this.subject(host), limit, () => this.exec(host, ["systemctl", "reboot"]));
  }

  /** Another machine, new and empty, at the same addresses: another machine-id, another host key. */
  async rebuild(host: string): Promise<void> {
    this.mustBeHost(host);
    await this.cutPower(host);
    const { hosts, operator } = this.json;
    const identity = await this.makeHost(host);
    writeFiles(this.name, operator, { ...hosts, [host]: { ...(hosts[host] as HostJson), ...identity } });
    await this.start(host);
  }

  status(): Promise<HostStatus[]> {
    const look = async (host: string): Promise<HostStatus> => {
      const { addresses = [], segment: segments = [] } = this.topology.hosts[host] ?? {};
      const here = [host, ...segments, ...segments.map((one) => `segment/${one}`)];
      const off = machine.supervisor(this.name, host) === undefined;
      const running = off || (await machine.lacks(this.subject(host))).length > 0 ? "booting" : "running";
      return {
        host,
        state: off ? "off" : running,
        segments,
        addresses,
        broken: this.breaks.filter(({ target }) => here.includes(target)).map(words),
      };
    };
    return Promise.all(this.hosts.map(look));
  }

  private async make(images: Record<string, string>, signal?: AbortSignal): Promise<void> {
    const folder = labFolder(this.name);
    writeJson(join(folder, "topology.json"), this.topology);
    writeJson(join(folder, "images.json"), images);
    const [hosts] = await Promise.all([this.makeHosts(), cables.lay(this.name, this.topology)]);
    signal?.throwIfAborted();
    await Promise.all(this.hosts.map((host) => this.boot(host, machine.BOOT_LIMIT, signal)));
    // Last: with lab.json the lab is whole.
    writeFiles(this.name, namespace(this.name, "operator"), hosts);
  }

  private async makeHosts(): Promise<Record<string, HostJson>> {
    await sshKey(join(labFolder(this.name), "identity"));
    const made = Object.entries(this.topology.hosts).map(
      async ([host, { segment, addresses, user }]): Promise<[string, HostJson]> => {
        const identity = await this.makeHost(host);
        return [host, { addresses, ...identity, user, segment: segment[0] ?? "", ...dial(this.topology, host) }];
      },
    );
    return Object.fromEntries(await Promise.all(made));
  }

  private makeHost(host: string): Promise<{ machine: string; hostKey: string }> {
    const folder = hostFolder(this.name, host);
    mkdirSync(folder, { recursive: true });
    const operatorKey = readFileSync(join(labFolder(this.name), "identity.pub"), "utf8");
    return makeDisk(this.name, this.topology, host, folder, operatorKey, this.image(host));
  }

  private boot(host: string, limit = machine.BOOT_LIMIT, signal?: AbortSignal): Promise<void> {
    kindOf(this.topology, host).writeCables(this.name, this.topology, host, this.breaks);
    const kind = this.topology.hosts[host]?.kind ?? "container";
    return machine.start(this.subject(host), [kind, this.image(host)], limit, signal);
  }

  /** What a host starts from. */
  private image(host: string): string {
    return readJson<Record<string, string>>(join(labFolder(this.name), "images.json"))[host] ?? "";
  }

  private cutPower(host: string): Promise<void> {
    return machine.cutPower(this.name, this.topology, host, kindOf(this.topology, host));
  }

  /** A host, and what its network is when it has booted: nothing while its cables are out. */
  private subject(host: string): machine.Subject {
    const pulled = isPulled(this.breaks, host);
    return {
      lab: this.name,
      host,
      kind: kindOf(this.topology, host),
      addresses: pulled ? [] : (this.topology.hosts[host]?.addresses ?? []),
      gateways: pulled ? [] : hostGateways(this.topology, host),
    };
  }

  private async setBreaks(breaks: Break[]): Promise<void> {
    const before = this.breaks;
    writeJson(join(labFolder(this.name), "breaks.json"), breaks);
    await cables.breakOnly(this.name, this.topology, breaks);
    for (const host of this.hosts) {
      const kind = kindOf(this.topology, host);
      kind.writeCables(this.name, this.topology, host, breaks);
      const on = machine.machine(this.name, host) !== undefined;
      if (on) await kind.changeCables(this.name, this.topology, host, before, breaks);
    }
  }

  private mustBeHost(host: string): void {
    if (!this.hosts.includes(host)) {
      throw new Error(`Lab ${this.name} has no host called ${host}; its hosts are ${this.hosts.join(", ")}`);
    }
  }
}

/** What each host starts from, made where it is missing. */
async function makeImages({ hosts }: Topology): Promise<Record<string, string>> {
  const make = async (...command: string[]): Promise<string> =>
    (await must(["sh", ...command], { timeout: 30 * 60_000 })).trim();
  // Each once: whether a root file system is whole takes a look at all of its files.
  const made: Record<string, string> = {};
  for (const { kind, image } of Object.values(hosts)) {
    made[image] ??= await make(join(SOURCES, "rootfs.sh"), image);
    if (kind === "vm") made[`vm ${image}`] ??= await make(join(SOURCES, "vm/image.sh"), made[image]);
  }
  const of = ({ kind, image }: Host): string => made[kind === "vm" ? `vm ${image}` : image] ?? "";
  return Object.fromEntries(Object.entries(hosts).map(([name, host]) => [name, of(host)]));
}
