/** A Pulumi project of its own in a temporary folder, with its state beside it, run by the `pulumi` of the machine. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Lab, type Result, run } from "../lab";
import type { Network } from "./network";

/** The folder of package.json: compiled code lies one level deeper (dist/) than its source. */
const packageRoot = (from: string): string =>
  existsSync(join(from, "package.json")) ? from : packageRoot(dirname(from));
export const ROOT = packageRoot(__dirname);
const compiled = (path: string): string => join(ROOT, "dist", path);

/**
 * What is started as the plugin:
 * `real`      the plugin itself
 * `hostless`  the same, without what touches hosts (hostless.ts)
 * `echo`      a provider that accepts everything, compares nothing and knows no host (echo.ts): the engine's floor
 */
export type Plugin = "real" | "hostless" | "echo";

const executable = join(ROOT, "bin/pulumi-resource-overlay");
const starts: Record<Plugin, string> = {
  real: `exec ${executable} "$@"`,
  hostless: `NODE_OPTIONS='--require=${compiled("test/bench/hostless.js")}' exec ${executable} "$@"`,
  echo: `exec node ${compiled("test/bench/echo.js")} "$@"`,
};

/**
 * The program is compiled: Pulumi.yaml says `typescript: false`, which the language host 3.68 reads from a flag alone.
 * With ts-node, every stack trace that the SDK takes is looked up in source maps.
 */
const LANGUAGE_HOST = `#!/bin/sh
PATH=\${PATH#*:} exec pulumi-language-nodejs -typescript=false "$@"
`;

export interface Timed extends Result {
  /** Milliseconds on the clock. */
  wall: number;
  /** Milliseconds of processor time, with all processes that the command started and waited for. */
  cpu: number;
}

/** `0m1.25s 0m0.30s`: user and system time, the second line of what `times` of a shell prints. */
function milliseconds(times: string): number {
  const parts = [...times.matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, seconds]) => Number(minutes) * 60 + Number(seconds),
  );
  return parts.reduce((sum, one) => sum + one, 0) * 1000;
}

/** Runs a command, with the time it took. */
async function timed(command: string[], timeout: number): Promise<Timed> {
  const began = performance.now();
  const result = await run(["sh", "-c", '"$@"; code=$?; times; exit $code', "sh", ...command], { timeout });
  const wall = performance.now() - began;
  const lines = result.stdout.trimEnd().split("\n");
  return { ...result, stdout: lines.slice(0, -2).join("\n"), wall, cpu: milliseconds(lines.at(-1) ?? "") };
}

export class Stack {
  readonly #folder = mkdtempSync(join(tmpdir(), "overlay-bench-"));
  readonly #environment = [
    `PULUMI_HOME=${join(this.#folder, "home")}`,
    `XDG_CACHE_HOME=${join(this.#folder, "cache")}`,
    `PULUMI_BACKEND_URL=file://${join(this.#folder, "state")}`,
    "PULUMI_CONFIG_PASSPHRASE=bench",
    "OVERLAY_ALLOW_DESTROY=on",
    // As the README advises: the engine works on four resources a core at once, and ten hosts are more than two cores' eight.
    "PULUMI_PARALLEL=32",
    `PATH=${join(this.#folder, "bin")}:${process.env.PATH}`,
  ];

  private constructor(private readonly ssh: string) {
    for (const name of ["home", "state", "plugin", "bin"]) mkdirSync(join(this.#folder, name));
    symlinkSync(join(ROOT, "node_modules"), join(this.#folder, "node_modules"));
    this.#write("package.json", "{}\n");
    this.#write("index.js", `require(${JSON.stringify(compiled("test/bench/program.js"))});\n`);
    this.#project(ssh);
    this.#program("bin/pulumi-language-nodejs", LANGUAGE_HOST);
    this.plug("real");
  }

  /** A stack without resources. Without a lab, nothing can be reached. */
  static async make(lab: Pick<Lab, "json"> | undefined, network: Network): Promise<Stack> {
    const stack = new Stack(lab?.json.ssh ?? "false");
    stack.declare(network);
    await stack.must(["stack", "init", "bench"]);
    return stack;
  }

  /** What the program is to declare from now on. */
  declare(network: Network): void {
    this.#write("network.json", JSON.stringify(network));
  }

  /** What is to be started as the plugin from now on. */
  plug(plugin: Plugin): void {
    this.#program("plugin/pulumi-resource-overlay", `#!/bin/sh\necho $$ >"$0.pid"\n${starts[plugin]}\n`);
  }

  /** A command in the project's folder; `settings` are environment variables, NAME=VALUE. */
  run(command: string[], settings: string[] = []): Promise<Timed> {
    return timed(["env", "-C", this.#folder, ...this.#environment, ...settings, ...command], 300_000);
  }

  /** Any command of Pulumi's. */
  pulumi(args: string[], settings?: string[]): Promise<Timed> {
    return this.run(["pulumi", ...args, "--non-interactive", "--color=never"], settings);
  }

  /** A command that must succeed. */
  async must(args: string[], settings?: string[]): Promise<Timed> {
    const result = await this.pulumi(args, settings);
    if (result.code === 0) return result;
    throw new Error(`pulumi ${args.join(" ")} ended with code ${result.code}:\n${result.stdout}\n${result.stderr}`);
  }

  /** `up` of a network, without the preview before it. */
  up(network?: Network, settings?: string[]): Promise<Timed> {
    if (network) this.declare(network);
    return this.must(["up", "--yes", "--skip-preview"], settings);
  }

  /** Bytes of the stack's state, and of the texts in it, of each resource the last known one. */
  size(): { size: number; text: number } {
    const state = readFileSync(join(this.#folder, "state/.pulumi/stacks/bench/bench.json"), "utf8");
    const { checkpoint } = JSON.parse(state) as {
      checkpoint: { latest: { resources: { outputs?: { config?: string } }[] } };
    };
    const texts = checkpoint.latest.resources.map(({ outputs }) => outputs?.config ?? "");
    return { size: Buffer.byteLength(state), text: Buffer.byteLength(texts.join("")) };
  }

  /** The process id of the plugin that was started last; undefined before the first. */
  plugin(): number | undefined {
    const at = join(this.#folder, "plugin/pulumi-resource-overlay.pid");
    return existsSync(at) ? Number(readFileSync(at, "utf8")) || undefined : undefined;
  }

  /** The hosts that are connected to meanwhile, once for each connection. It is no run to be timed: each costs a shell. */
  async connections(work: () => Promise<unknown>): Promise<string[]> {
    const told = this.#write("connections", "");
    this.#project(`sh ${join(ROOT, "test/bench/ssh.sh")} ${told} ${this.ssh}`);
    try {
      await work();
    } finally {
      this.#project(this.ssh);
    }
    return readFileSync(told, "utf8").split("\n").slice(0, -1);
  }

  /** A stack that is up while something is done with it. What it made on the hosts stays there. */
  static async whileUp<T>(lab: Lab, network: Network, work: (stack: Stack) => Promise<T>): Promise<T> {
    const stack = await Stack.make(lab, network);
    try {
      await stack.up();
      return await work(stack);
    } finally {
      stack.remove();
    }
  }

  /** Forgets the project and its state; what is on the hosts stays. */
  remove = (): void => rmSync(this.#folder, { recursive: true, force: true });

  #project(ssh: string): void {
    this.#write(
      "Pulumi.yaml",
      `name: bench
runtime: { name: nodejs, options: { typescript: false } }
main: index.js
config: { "overlay:ssh": "${ssh}" }
plugins: { providers: [{ name: overlay, path: plugin }] }
`,
    );
  }

  #write(name: string, content: string): string {
    const path = join(this.#folder, name);
    writeFileSync(path, content);
    return path;
  }

  #program(name: string, content: string): void {
    chmodSync(this.#write(name, content), 0o755);
  }
}
