import { randomBytes } from "node:crypto";
import { agent, stepsAgent } from "./agents";
import { type Connection, describeConnection } from "./connection";
import { connectError, HostError, isTooManyStartups } from "./errors";
import { Frame } from "./frame";
import { type SshEnvironment, startSsh } from "./ssh";

export interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

interface Pending {
  stdout: Frame;
  stderr: Frame;
  resolve(result: Result): void;
  reject(error: HostError): void;
}

const joined = (names: string[]): string => names.map(agent).join("\n");

/** What every session begins with: enough to look at its host. Definitions only, read once for all hosts. */
const looking = once(() => joined(["session.sh", "login.sh", "snapshot.sh", "rosenpass/report.sh", "firewalls.sh"]));

/** Sent before the first operation that needs it: a shell is a millisecond at that, and all that it starts copies it. */
const changing = once(() =>
  [joined(["lock.sh", "generations.sh"]), stepsAgent(), joined(["calls.sh", "probe.sh", "trace.sh", "apply.sh"])].join(
    "\n",
  ),
);

/** What only looks at a host: it is of the first part. */
export const isLook = (agentName: string): boolean => looking().includes(`\n${agentName}() {`);

function once(make: () => string): () => string {
  let made: string | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** Seconds for the login itself, after the TCP connection. */
const loginTime = 20;

/** One ssh process and the shell at its far end. */
export class Shell {
  /** Resolves when the host has answered for the first time; rejects with the reason why it did not. */
  readonly ready: Promise<void>;
  alive = true;
  /** True when sshd turned us away because too many were logging in. */
  crowded = false;

  readonly #child: ReturnType<typeof startSsh>["child"];
  readonly #pending: Pending[] = [];
  #greeted = false;
  /** Whether it knows all agents. */
  #whole = false;
  #why: HostError | undefined;

  constructor(
    readonly connection: Connection,
    environment: SshEnvironment,
  ) {
    const { child, forget } = startSsh(connection, environment);
    this.#child = child;
    child.stdin.on("error", () => undefined); // the close event tells
    for (const stream of ["stdout", "stderr"] as const) {
      child[stream].setEncoding("utf8").on("data", (chunk: string) => this.#receive(stream, chunk));
    }
    child.once("error", () => {
      this.#why ??= new HostError(
        "ssh",
        `the command "${environment.ssh[0]}" does not start: install the OpenSSH client.`,
      );
    });
    child.once("close", () => this.#closed());

    const limit = setTimeout(
      () =>
        this.kill(
          new HostError(
            "timeout",
            `${this.#who} did not finish the login within ${connection.connectTimeout + loginTime} s: look at the load, PAM and the DNS of that host.`,
          ),
        ),
      (connection.connectTimeout + loginTime) * 1000,
    );
    child.stdin.write(looking());
    this.ready = this.#send("hello")
      .then(({ stdout }) => {
        this.#greeted = true;
        if (stdout.trim() === "Linux") return;
        throw new HostError(
          "notLinux",
          `${this.#who} is no Linux host: only Linux kernels can be told what this package tells.`,
        );
      })
      .finally(() => {
        clearTimeout(limit);
        forget();
      });
    this.ready.catch((error: HostError) => this.kill(error));
  }

  /** Runs a function of the agents, also before `ready`. One at a time: the next begins when the one before has ended. */
  async run(agentName: string, input: string): Promise<Result> {
    const [result] = await Promise.all([this.#send(agentName, input), this.ready]);
    return result;
  }

  /** The end of standard input: the shell ends when it has done what it was told. */
  end(): void {
    this.alive = false;
    this.#child.stdin.end();
  }

  /** Ends ssh now. What the host has begun it finishes by itself. */
  kill(why: HostError): void {
    this.#why ??= why;
    this.alive = false;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || !this.#child.pid) return;
    try {
      process.kill(-this.#child.pid, "SIGTERM"); // the group: bastions are ssh processes of their own
    } catch {
      // gone in this moment
    }
  }

  get #who(): string {
    return describeConnection(this.connection);
  }

  /** The envelope is one compound command, so that a shell which did not get all of it runs none of it. */
  #send(agentName: string, input = ""): Promise<Result> {
    const mark = randomBytes(16).toString("hex");
    const text = input === "" || input.endsWith("\n") ? input : `${input}\n`;
    return new Promise((resolve, reject) => {
      if (this.#why) return reject(this.#why);
      this.#pending.push({ stdout: new Frame(mark), stderr: new Frame(mark), resolve, reject });
      if (!this.#whole && !isLook(agentName)) {
        this.#whole = true;
        this.#child.stdin.write(changing());
      }
      this.#child.stdin.write(`{ frame ${mark} ${agentName} <<'${mark}'\n${text}${mark}\n}\n`);
    });
  }

  #receive(stream: "stdout" | "stderr", chunk: string): void {
    // A piece may hold the end of one and the beginning of the next: each finds its own by its mark.
    for (const operation of this.#pending) operation[stream].push(chunk);
    for (let [first] = this.#pending; first; [first] = this.#pending) {
      const [out, err] = [first.stdout.result, first.stderr.result];
      if (!out || !err) return;
      this.#pending.shift();
      first.resolve({ code: out.code, stdout: out.text, stderr: err.text });
    }
  }

  #closed(): void {
    this.alive = false;
    const first = this.#pending[0];
    const stderr = first?.stderr.seen ?? "";
    this.crowded = !this.#greeted && !this.#why && isTooManyStartups(stderr);
    this.#why ??= this.#greeted
      ? new HostError(
          "lost",
          `the connection to ${this.#who} broke in the middle of an operation; the host finishes what it has begun: run again.`,
        )
      : connectError(this.connection, this.#child.exitCode, stderr, first?.stdout.seen);
    for (const { reject } of this.#pending.splice(0)) reject(this.#why);
  }
}
