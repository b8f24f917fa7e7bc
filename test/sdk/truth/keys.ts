/** SSH keys of writers, made for one test file. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Writer {
  /** Path of the private key. */
  key: string;
  publicKey: string;
}

export class Writers {
  readonly folder = mkdtempSync(join(tmpdir(), "overlay-writers-"));

  make(name: string, passphrase = "", type = "ed25519"): Writer {
    const key = join(this.folder, name);
    execFileSync("ssh-keygen", ["-q", "-t", type, "-N", passphrase, "-C", name, "-f", key]);
    return { key, publicKey: readFileSync(`${key}.pub`, "utf8").trim() };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
