/** Commands of the machine: arguments as a list, never through a shell. */
import { spawn } from "node:child_process";

export interface Result {
  /** Exit code; 124 when the time limit ended it, as timeout(1) has it. */
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  input?: string;
  /** Milliseconds. */
  timeout?: number;
  cwd?: string;
  env?: NodeJS.ProcessEnv;
}

/** Runs a command to its end. Rejects only when it cannot be started. */
export function run([command = "", ...args]: readonly string[], options: RunOptions = {}): Promise<Result> {
  const { input = "", timeout = 60_000, ...where } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: "pipe", ...where });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, timeout);
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    // A command that does not read its input is no fault of ours (EPIPE).
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      const killed = signal === null ? 1 : 128;
      resolve({
        code: late ? 124 : (code ?? killed),
        stdout: Buffer.concat(out).toString(),
        stderr: Buffer.concat(err).toString(),
      });
    });
  });
}

/** Runs a command that must succeed; returns what it printed. */
export async function must(command: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await run(command, options);
  if (code === 0) return stdout;
  throw new Error(
    `${command.join(" ")}: ${code === 124 ? "took too long" : `exit code ${code}`}\n${stderr || stdout}`.trim(),
  );
}

export const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Asks until the answer is yes, or the limit (milliseconds) is over: then false. Waits `every` milliseconds between. */
export async function until(limit: number, ask: () => boolean | Promise<boolean>, every = 20): Promise<boolean> {
  const end = Date.now() + limit;
  while (!(await ask())) {
    if (Date.now() > end) return false;
    await pause(every);
  }
  return true;
}
