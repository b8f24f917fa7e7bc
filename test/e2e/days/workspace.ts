/** A Pulumi project in a temporary folder, whose program is the network that a test declares, and the real CLI on it. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parse, stringify } from "yaml";
import type { Lab } from "../../lab";
import { type Backend, backend } from "../backend";
import type { Declared } from "./program";
import { Witness } from "./witness";

const root = resolve(__dirname, "../../..");

/** What a run of the CLI came to. */
export interface Run {
  code: number;
  /** Seconds. */
  took: number;
  /** All that it printed. */
  text: string;
  /** What the section `Resources:` counts, as `+ 17 created`. */
  resources: string[];
  /** What became of each of our resources, as `lux-fra@lux updated 2 commands`, sorted. */
  done: string[];
  /** Logins to each host. */
  logins: Record<string, number>;
}

export interface Running {
  process: ChildProcess;
  /** What it has printed so far. */
  text(): string;
  ended: Promise<Run>;
}

export interface WorkspaceOptions {
  project?: string;
  stack?: string;
}

export class Workspace {
  readonly folder = mkdtempSync(join(tmpdir(), "overlay-days-"));
  readonly #logins = join(this.folder, "logins");
  readonly #running = new Set<ChildProcess>();
  readonly #another = (): Backend => backend(mkdtempSync(join(this.folder, "state-")));
  #backend = this.#another();
  declared: Declared;

  private constructor(
    readonly lab: Lab,
    readonly project: string,
    public stack: string,
    declared: Declared,
  ) {
    this.declared = declared;
  }

  /** `declared` without a provider: the lab's. */
  static async make(
    lab: Lab,
    declared: Omit<Declared, "provider">,
    options: WorkspaceOptions = {},
  ): Promise<Workspace> {
    const { project = "net", stack = "prod" } = options;
    const workspace = new Workspace(lab, project, stack, { provider: {}, ...declared });
    const { folder } = workspace;
    workspace.declared.provider = { ssh: workspace.ssh };
    writeFileSync(
      join(folder, "Pulumi.yaml"),
      `name: ${project}
runtime: { name: nodejs, options: { typescript: false } }
main: index.js
plugins: { providers: [{ name: overlay, path: ${join(root, "bin")} }] }
`,
    );
    writeFileSync(join(folder, "package.json"), "{}\n");
    writeFileSync(
      join(folder, "index.js"),
      `module.exports = require(${JSON.stringify(join(root, "dist/test/e2e/days/program.js"))}).program();\n`,
    );
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    await workspace.init();
    return workspace;
  }

  /** The lab's ssh, counted. */
  get ssh(): string {
    return `${join(__dirname, "ssh.sh")} ${this.#logins} ${this.lab.json.ssh}`;
  }

  /** The stack's configuration is this, as `pulumi config set --path` would write it. */
  configure(config: Record<string, unknown>): void {
    const file = join(this.folder, `Pulumi.${this.stack}.yaml`);
    writeFileSync(file, stringify({ ...parse(readFileSync(file, "utf8")), config }));
  }

  /** Another backend, with nothing in it: what was known is lost. */
  async loseState(): Promise<void> {
    this.#backend = this.#another();
    await this.init();
  }

  start = (command: string[], environment: Record<string, string> = {}): Running =>
    this.#start("pulumi", [...command, "--non-interactive", "--color", "never"], environment);

  /** A line as somebody types it in the folder of the program, which must go well. */
  shell = async (line: string): Promise<Run> => well(await this.#start("sh", ["-c", line]).ended);

  overlay = (words: string[], environment?: Record<string, string>): Running =>
    this.#start(join(root, "bin/overlay"), words, environment);

  #start(command: string, words: string[], environment: Record<string, string> = {}): Running {
    const { folder } = this;
    writeFileSync(join(folder, "network.json"), JSON.stringify(this.declared));
    rmSync(this.#logins, { force: true });
    const began = Date.now();
    const child = spawn(command, words, {
      cwd: folder,
      env: {
        ...process.env,
        PULUMI_HOME: join(folder, "home"),
        XDG_CACHE_HOME: join(folder, "cache"),
        ...this.#backend.environment,
        PULUMI_CONFIG_PASSPHRASE: "",
        OVERLAY_ALLOW_DESTROY: "on",
        ...environment,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#running.add(child);
    const witness = Witness.look();
    let text = "";
    const hear = (chunk: Buffer) => {
      text += chunk;
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    const ended = new Promise<Run>((resolveRun, reject) => {
      child.on("error", reject);
      child.on("close", (code) => {
        this.#running.delete(child);
        witness.stop();
        Witness.heard(text, ...this.#files());
        resolveRun({
          code: code ?? 128,
          took: (Date.now() - began) / 1000,
          text,
          resources: counted(text),
          done: outcomes(text),
          logins: this.logins,
        });
      });
    });
    return { process: child, text: () => text, ended };
  }

  run = (...command: string[]): Promise<Run> => this.start(command).ended;

  /** `up`, which must go well. */
  async up(...options: string[]): Promise<Run> {
    return well(await this.tryUp(...options));
  }

  tryUp = (...options: string[]): Promise<Run> => this.run("up", "--yes", "--skip-preview", ...options);

  async destroy(...options: string[]): Promise<Run> {
    return well(await this.run("destroy", "--yes", "--skip-preview", ...options));
  }

  /** Drift of all hosts: none, or the lines that differ. */
  async drift(...options: string[]): Promise<string[]> {
    const { code, text } = await this.run("refresh", "--preview-only", "--diff", "--expect-no-changes", ...options);
    return code === 0 ? [] : text.split("\n");
  }

  async refresh(): Promise<Run> {
    return well(await this.run("refresh", "--yes", "--skip-preview"));
  }

  async export(): Promise<string> {
    return well(await this.run("stack", "export", "--show-secrets=false")).text;
  }

  async rename(stack: string): Promise<void> {
    well(await this.run("stack", "rename", stack));
    this.stack = stack;
  }

  /** Names of locks in the backend. */
  get locks(): string[] {
    const folder = join(this.#backend.folder, ".pulumi/locks");
    return existsSync(folder)
      ? readdirSync(folder, { recursive: true })
          .map(String)
          .filter((it) => it.endsWith(".json"))
      : [];
  }

  /** Logins of the last run to each host of the lab. */
  get logins(): Record<string, number> {
    const lines = existsSync(this.#logins) ? readFileSync(this.#logins, "utf8").trim().split("\n") : [];
    const counts: Record<string, number> = {};
    for (const line of lines) {
      const to = / -- (\S+) exec /.exec(line)?.[1] ?? line;
      const name = Object.entries(this.lab.json.hosts).find(([, { addresses }]) => addresses.includes(to))?.[0] ?? to;
      counts[name] = (counts[name] ?? 0) + 1;
    }
    return counts;
  }

  /** Ends what still runs, too, where a test has failed. */
  remove(): void {
    for (const child of this.#running) child.kill("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }

  async init(): Promise<void> {
    rmSync(join(this.folder, `Pulumi.${this.stack}.yaml`), { force: true });
    well(await this.run("stack", "init", this.stack));
  }

  #files(): string[] {
    const { folder } = this.#backend;
    const all = existsSync(folder) ? readdirSync(folder, { recursive: true, withFileTypes: true }) : [];
    return all.filter((it) => it.isFile()).map((it) => readFileSync(join(it.parentPath, it.name), "utf8"));
  }
}

/** A run that must have gone well. */
export function well(run: Run): Run {
  if (run.code !== 0) throw new Error(`pulumi ended with code ${run.code}:\n${run.text}`);
  return run;
}

/** The last section `Resources:`. */
function counted(text: string): string[] {
  const section = text.split("\nResources:\n").at(-1)?.split("\n\n")[0] ?? "";
  return text.includes("\nResources:\n") ? section.split("\n").map((line) => line.trim()) : [];
}

const ENDED =
  /overlay:(?:node:(?:Host|Key)|wireguard:Interface|vxlan:(?:Bridge|Member)|rosenpass:(?:Key|Psk|Daemon)) (\S+) (?:\*\*(\S+) failed\*\*|(created|updated|deleted|refreshed))(?: \([\d.]+m?s\))?(.*)$/;

/** Without what was told to somebody who waits. */
const last = (told: string): string =>
  told
    .split(/;(?= )/)
    .map((it) => it.trim())
    .filter((it) => it !== "" && !/^(\[diff: .*\]|waiting for \S+|error: .*)$/.test(it))
    .map((it) => ` ${it}`)
    .join("");

/** A row that has ended is shown again when its resource has more to tell: the last one counts. */
function outcomes(text: string): string[] {
  const ends = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, name, failing, done, told = ""] = ENDED.exec(line) ?? [];
    if (name === undefined) continue;
    const end = failing ? `${name} ${failing} failed` : `${name} ${done}`;
    ends.set(end, failing ? end : `${end}${last(told)}`);
  }
  return [...ends.values()].sort();
}

/** The errors of a run, each whole, without what only repeats that there are some. */
export const errors = (text: string): string[] =>
  (text.split("\nDiagnostics:\n")[1] ?? "")
    .split("\n")
    .map((line) => line.trim().replace(/^(error: (\d+ errors? occurred:)?|\* )/, ""))
    .filter((line) => /^((root|admin|guest|stranger)@|nobody vouches)/.test(line))
    .sort();
