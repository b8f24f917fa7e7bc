/** An infrastructure repository as a user has it, in a temporary folder, and the real CLI on it with a backend of its own. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { transformSync } from "@swc/core";
import { parse, stringify } from "yaml";
import type { Lab } from "../../lab";
import { backend } from "../backend";

export const root = resolve(__dirname, "../../..");

export interface Run {
  code: number;
  /** All that it printed. */
  text: string;
  /** SSH connections that it made. */
  connections: number;
}

export interface Options {
  /** File by path in the folder. Default: a TypeScript project whose program is index.ts, the plugin found by its path. */
  files: Record<string, string>;
  /** Before what this process has. */
  environment?: Record<string, string>;
  /** Words before `pulumi`: what it runs in. */
  around?: string[];
  /** Whose hosts the program is about: it finds lab.json in its folder. Absent where nothing may be reached. */
  lab?: Lab;
}

export const project = (
  plugin: string | undefined,
  runtime = "{ name: nodejs, options: { typescript: true } }",
): string =>
  `name: net
runtime: ${runtime}
${plugin === undefined ? "" : `plugins: { providers: [{ name: overlay, path: ${plugin} }] }\n`}`;

const PLUGIN = "node_modules/pulumi-overlay/bin";
const manifest = (main: string): string =>
  JSON.stringify({ name: "net", main, dependencies: { "pulumi-overlay": "*" } });
const defaults = { "Pulumi.yaml": project(PLUGIN), "package.json": manifest("index.ts") };

/** A project whose program `write` compiles: each run would load the compiler, half a second of a processor. */
export const compiled = (name = "net"): Record<string, string> => ({
  "Pulumi.yaml": project(PLUGIN, "{ name: nodejs, options: { typescript: false } }").replace("net", name),
  "package.json": manifest("index.js"),
});

/** What programs begin with: `node` makes one of the lab's hosts a node. */
export const NODE = `
const { hosts } = JSON.parse(require("node:fs").readFileSync("lab.json", "utf8"));
const node = (name: string, id: number, more: object = {}) =>
  new OverlayNode(name, {
    id,
    connection: { host: hosts[name].addresses[0], hostKey: hosts[name].hostKey },
    addresses: ["10.255.0." + id, "fd00:6f::" + id],
    prefixes: ["10.255.0.0/24", "fd00:6f::/48"],
    endpoints: hosts[name].addresses,
    ...more,
  });
`;

export class Workspace {
  readonly folder = mkdtempSync(join(tmpdir(), "overlay-engine-"));
  readonly home = join(this.folder, "home");
  private readonly connections = join(this.folder, "connections");
  private readonly backend = backend(join(this.folder, "state"));

  private constructor(private readonly options: Options) {}

  /** The folder with its files, and the stack `dev` selected. */
  static async make(options: Options): Promise<Workspace> {
    const workspace = new Workspace(options);
    const { folder } = workspace;
    const { lab } = options;
    const files = { ...defaults, ...(lab && { "lab.json": JSON.stringify(lab.json) }), ...options.files };
    for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text);
    // Installed as `npm install` does it with a package in a folder.
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(root, join(folder, "node_modules/pulumi-overlay"));
    symlinkSync(join(root, "node_modules/@pulumi"), join(folder, "node_modules/@pulumi"));
    await workspace.well("stack", "init", "dev");
    if (lab) {
      const ssh = `${join(root, "test/e2e/provider/count-ssh.sh")} ${workspace.connections} ${lab.json.ssh}`;
      workspace.configure({ "overlay:ssh": ssh });
    }
    return workspace;
  }

  /** The program of a compiled project, in TypeScript. */
  write(program: string): void {
    const jsc = { parser: { syntax: "typescript" }, target: "es2022" } as const;
    const { code } = transformSync(program, { swcrc: false, jsc, module: { type: "commonjs" } });
    writeFileSync(join(this.folder, "index.js"), code);
  }

  /** Adds to the stack's configuration, as `pulumi config set` does. */
  configure(more: Record<string, unknown>): void {
    const file = join(this.folder, "Pulumi.dev.yaml");
    const { config, ...rest } = parse(readFileSync(file, "utf8"));
    writeFileSync(file, stringify({ ...rest, config: { ...config, ...more } }));
  }

  run(...command: string[]): Promise<Run> {
    return this.execute(["pulumi", ...command, "--non-interactive", "--color", "never"]);
  }

  /** The command-line tool, as `npx overlay` finds it. */
  overlay(...words: string[]): Promise<Run> {
    return this.execute([join(root, "bin/overlay"), ...words]);
  }

  private async execute(command: string[]): Promise<Run> {
    rmSync(this.connections, { force: true });
    const { around = [] } = this.options;
    const [first = "", ...words] = [...around, ...command];
    const child = spawn(first, words, {
      cwd: this.folder,
      env: {
        ...process.env,
        PULUMI_HOME: this.home,
        ...this.backend.environment,
        PULUMI_CONFIG_PASSPHRASE: "",
        OVERLAY_ALLOW_DESTROY: "on",
        ...this.options.environment,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let text = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (chunk) => (text += chunk));
    const code = await new Promise<number>((ended, failed) => {
      child.on("error", failed).on("close", (status) => ended(status ?? 128));
    });
    const noted = existsSync(this.connections) ? readFileSync(this.connections, "utf8") : "";
    return { code, text, connections: noted.split("\n").length - 1 };
  }

  /** A run that must end well. */
  async well(...command: string[]): Promise<Run> {
    const run = await this.run(...command);
    if (run.code !== 0) throw new Error(`pulumi ${command.join(" ")} ended with ${run.code}:\n${run.text}`);
    return run;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
