/**
 * A lab: hosts that boot, on cables and behind routers of their own. Its state is in /run/overlay-lab/LAB, its hosts'
 * disks are in /var/tmp/overlay-lab/LAB, its network namespaces are ol-LAB-*, its processes are in the control group
 * overlay-lab/LAB. `down` needs to know no more, so it also works where `up` was killed half-way.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Break, type BreakKind, hostPorts, objection, words } from "./breaks";
import * as cables from "./cables";
import { claim, claimed, mustBeName, release } from "./claim";
import { imageFolder, makeDisk, sshKey } from "./disk";
import {
  type HostJson,
  hostFolder,
  type LabJson,
  labFolder,
  readJson,
  STATE,
  writeFiles,
  writeJson,
  writeWhole,
} from "./files";
import * as groups from "./groups";
import * as machine from "./machine";
import { must, pause, type Result, type RunOptions, run, until } from "./run";
import { DEAD, load, type Topology } from "./topology";
import { dial, hostCables, hostGateways, namespace } from "./wires";

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
    const topology = load(from, join(machine.SOURCES, "topologies"));
    if (fresh) await Lab.down(name);
    const rootfs = (await must(["sh", join(machine.SOURCES, "rootfs.sh")], { timeout: 30 * 60_000 })).trim();
    claim(name);
    const lab = new Lab(name, topology);
    try {
      await lab.make(rootfs, signal);
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
    const pid = machine.init(this.name, host);
    if (pid === undefined) {
      throw new Error(
        `${host} of lab ${this.name} is off. Start it: npm run -s lab -- heal power ${host} --name ${this.name}`,
      );
    }
    const login = [...LOGIN.split(" "), `TERM=${process.env.TERM ?? "dumb"}`];
    return ["nsenter", "--target", String(pid), "--all", "--", ...login];
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
    if (broken.kind === "power") await machine.cutPower(this.name, broken.target);
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

  /** Starts a host if it is off, and waits until it can be logged in to. */
  async start(host: string): Promise<void> {
    this.mustBeHost(host);
    await this.setBreaks(this.breaks.filter((one) => one.kind !== "power" || one.target !== host));
    if (machine.supervisor(this.name, host) === undefined) await this.boot(host);
  }

  /** Reboots a host as its administrator would, and waits until it can be logged in to. */
  async reboot(host: string): Promise<void> {
    // The reboot may cut the order off before it has ended.
    await machine.reboot(this.name, host, this.network(host), () => this.exec(host, ["systemctl", "reboot"]));
  }

  /** Another machine, new and empty, at the same addresses: another machine-id, another host key. */
  async rebuild(host: string): Promise<void> {
    this.mustBeHost(host);
    await machine.cutPower(this.name, host);
    const { hosts, operator } = this.json;
    const identity = await this.makeHost(host);
    writeFiles(this.name, operator, { ...hosts, [host]: { ...(hosts[host] as HostJson), ...identity } });
    await this.start(host);
  }

  status(): HostStatus[] {
    return this.hosts.map((host) => {
      const { addresses = [], segment: segments = [] } = this.topology.hosts[host] ?? {};
      const here = [host, ...segments, ...segments.map((one) => `segment/${one}`)];
      const running = machine.lacks(this.name, host, this.network(host)).length === 0 ? "running" : "booting";
      return {
        host,
        state: machine.supervisor(this.name, host) === undefined ? "off" : running,
        segments,
        addresses,
        broken: this.breaks.filter(({ target }) => here.includes(target)).map(words),
      };
    });
  }

  private async make(rootfs: string, signal?: AbortSignal): Promise<void> {
    const folder = labFolder(this.name);
    writeJson(join(folder, "topology.json"), this.topology);
    writeWhole(join(folder, "rootfs"), rootfs);
    const [hosts] = await Promise.all([this.makeHosts(), cables.lay(this.name, this.topology)]);
    signal?.throwIfAborted();
    await Promise.all(this.hosts.map((host) => this.boot(host, signal)));
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
    return makeDisk(this.name, this.topology, host, folder, operatorKey);
  }

  private boot(host: string, signal?: AbortSignal): Promise<void> {
    this.writeLinks(host);
    const rootfs = readFileSync(join(labFolder(this.name), "rootfs"), "utf8");
    return machine.start(this.name, host, rootfs, this.network(host), signal);
  }

  /** What a host's network is when it has booted: nothing while its cables are out. */
  private network(host: string): machine.Network {
    if (isPulled(this.breaks, host)) return { addresses: [], gateways: [] };
    return { addresses: this.topology.hosts[host]?.addresses ?? [], gateways: hostGateways(this.topology, host) };
  }

  /** What plugs a host in when it boots; a cable that is pulled out stays out. */
  private writeLinks(host: string): void {
    const pulled = isPulled(this.breaks, host) ? hostPorts(this.topology, host) : [];
    const lines = [...hostCables(this.name, this.topology, host), ...pulled.map((port) => `link set ${port} down`)];
    writeWhole(join(hostFolder(this.name, host), "links"), `${lines.join("\n")}\n`);
  }

  private async setBreaks(breaks: Break[]): Promise<void> {
    const before = this.breaks;
    writeJson(join(labFolder(this.name), "breaks.json"), breaks);
    await cables.breakOnly(this.name, this.topology, breaks);
    for (const host of this.hosts.filter((one) => isPulled(before, one) !== isPulled(breaks, one))) {
      this.writeLinks(host);
      const on = machine.nspawn(this.name, host) !== undefined;
      if (on) await cables.plug(this.name, hostPorts(this.topology, host), !isPulled(breaks, host));
    }
  }

  private mustBeHost(host: string): void {
    if (!this.hosts.includes(host)) {
      throw new Error(`Lab ${this.name} has no host called ${host}; its hosts are ${this.hosts.join(", ")}`);
    }
  }
}

const isPulled = (breaks: readonly Break[], host: string): boolean =>
  breaks.some(({ kind, target }) => kind === "link" && target === host);
