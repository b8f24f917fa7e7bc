import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { agentPath } from "./agents";
import { HostError } from "./errors";

/**
 * A private ssh-agent: keys go to it by standard input only, never to disk, argv or environment. It is started for a
 * script that waits for the end of our pipe, and ssh-agent(1) ends with the command that it was started for: so it goes
 * within ten seconds of this process, however that ends.
 */
export class Keyring {
  readonly #end: () => void;

  private constructor(
    readonly socket: string,
    end: () => void,
  ) {
    this.#end = end;
  }

  static async open(identities: string[]): Promise<Keyring> {
    const folder = mkdtempSync(join(tmpdir(), "overlay-"));
    const socket = join(folder, "agent");
    const agent = spawn("ssh-agent", ["-a", socket, "sh", agentPath("keyring.sh"), folder], {
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
    });
    const failed = new Promise<never>((_, reject) => {
      agent.once("error", () => {
        rmSync(folder, { recursive: true });
        reject(
          new HostError("identity", "ssh-agent does not start: install the OpenSSH client, or use your own agent."),
        );
      });
    });
    const keyring = new Keyring(socket, () => agent.stdin.end());
    try {
      await Promise.race([failed, appears(socket)]);
      for (const [index, key] of identities.entries()) {
        await keyring.#add(key, `identity ${index + 1} of ${identities.length}`);
      }
      return keyring;
    } catch (error) {
      keyring.close();
      throw error;
    }
  }

  close(): void {
    this.#end();
  }

  /** ssh-add(1); the key must end with a newline, and a passphrase cannot be asked for. */
  #add(key: string, name: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const child = spawn("ssh-add", ["-q", "-"], {
        stdio: ["pipe", "ignore", "ignore"],
        detached: true,
        env: { ...process.env, SSH_AUTH_SOCK: this.socket, SSH_ASKPASS_REQUIRE: "never" },
        timeout: 10_000,
      });
      child.once("error", reject);
      child.once("close", (code) => {
        if (code === 0) return resolve();
        const cure = "give the whole text of an OpenSSH or PEM private key without passphrase";
        reject(
          new HostError(
            "identity",
            `${name} in the provider's identities is no private key that ssh-add takes: ${cure}.`,
          ),
        );
      });
      child.stdin.on("error", () => undefined);
      child.stdin.end(`${key.trim()}\n`);
    });
  }
}

async function appears(path: string): Promise<void> {
  for (let tries = 0; !existsSync(path); tries++) {
    if (tries === 200) throw new HostError("identity", "ssh-agent made no socket within 5 s.");
    await sleep(25);
  }
}
