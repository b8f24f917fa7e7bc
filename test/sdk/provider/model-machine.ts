/** A host in memory, for properties that want thousands: the model of the kernel behind the interface of a Machine. */
import type { Change, Failure, Probe, Probed } from "../../../sdk/host";
import { type Command, type HostFacts, put, type Snapshot } from "../../../sdk/kernel";
import type { Machine } from "../../../sdk/provider/machine";
import { KernelModel } from "../../kernel-model";
import { unescaped } from "../../kernel-model/unescaped";

const BOOT = "/etc/overlay/boot.d/";
const OWNER = "/etc/overlay/owner";

/** Consecutive nft lines are one transaction; everything else stands alone. */
function steps(commands: readonly Command[]): Command[][] {
  return commands.reduce<Command[][]>((all, command) => {
    const last = all.at(-1);
    if (command.startsWith("nft ") && last?.[0]?.startsWith("nft ")) last.push(command);
    else all.push([command]);
    return all;
  }, []);
}

export class ModelMachine implements Machine {
  readonly name = "root@model";
  readonly model: KernelModel;
  /** Commands of each change. */
  readonly changes: Command[][] = [];
  /** How many steps of the next change succeed; the one after them fails. */
  failAfter: number | undefined;
  #owner: string | undefined;
  readonly #boot = new Map<string, string>();
  readonly #removed = new Set<string>();

  constructor(host: HostFacts = { wireguard: "kernel" }) {
    this.model = new KernelModel(host);
  }

  async look(): Promise<Snapshot> {
    const seen = this.model.snapshot();
    const keys = Object.fromEntries(Object.entries(seen.keys).filter(([path]) => !this.#removed.has(path)));
    const boot = Object.fromEntries(this.#boot);
    return { ...seen, keys, boot, ...(this.#owner !== undefined && { owner: this.#owner }) };
  }

  async change({ commands, boot }: Change): Promise<{ failed?: Failure; snapshot: Snapshot }> {
    this.changes.push(commands);
    const path = `${BOOT}${boot?.file}`;
    const last = boot && put(path, boot.content ?? "");
    const failed = this.#run(last ? [...commands, last] : commands);
    this.failAfter = undefined;
    return { ...(failed && { failed }), snapshot: await this.look() };
  }

  async unanswered(): Promise<Map<string, number>> {
    return new Map();
  }

  async callAgain(): Promise<void> {}

  async probe(probes: readonly Probe[]): Promise<Probed> {
    return { answered: probes.map(({ sizes }) => [...sizes]), endpoints: new Map(), fragmented: [] };
  }

  async publicKey(): Promise<Buffer> {
    return Buffer.alloc(0);
  }

  async login(): Promise<void> {}

  #run(commands: readonly Command[]): Failure | undefined {
    for (const [index, step] of steps(commands).entries()) {
      const command = (step[0] ?? "").replace(/^(put \S+ \S+) .*/, "$1");
      if (index === this.failAfter) return { command, code: 1, stderr: "no", message: `\`${command}\` failed (no).` };
      this.model.run(step);
      for (const line of step) this.#note(line.split(" "));
    }
    return undefined;
  }

  /** What a snapshot tells of files besides their hash. */
  #note([verb, ...words]: string[]): void {
    const path = (verb === "put" ? words[1] : words[0]) ?? "";
    if (verb === "remove") this.#removed.add(path);
    if (verb === "genkey") this.#removed.delete(path);
    const first = unescaped(words.slice(2).join(" ")).split("\n")[0] ?? "";
    if (verb === "put" && path === OWNER) this.#owner = first;
    if (verb === "remove" && path === OWNER) this.#owner = undefined;
    if (verb === "put" && path.startsWith(BOOT)) this.#boot.set(path.slice(BOOT.length), first.replace(/^# /, ""));
    if (verb === "remove" && path.startsWith(BOOT)) this.#boot.delete(path.slice(BOOT.length));
  }
}
