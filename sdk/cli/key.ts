/** A WireGuard key of a machine that is nobody's node: made here, kept in a file that only its owner reads. */
import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { closeSync, fsyncSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import { ToolError } from "./error";
import { withFile } from "./file";

export interface Key {
  privateKey: string;
  publicKey: string;
  /** Whether it was made just now. */
  made: boolean;
  /** Whether others than the owner may read its file. */
  exposed: boolean;
}

/** What stands before the 32 bytes of an X25519 private key in PKCS #8, RFC 8410. */
const PKCS8 = Buffer.from("302e020100300506032b656e04220420", "hex");

const base64 = (base64url = ""): string => Buffer.from(base64url, "base64url").toString("base64");

function publicKeyOf(privateKey: string): string {
  const key = Buffer.concat([PKCS8, Buffer.from(privateKey, "base64")]);
  const { x } = createPublicKey(createPrivateKey({ key, format: "der", type: "pkcs8" })).export({ format: "jwk" });
  return base64(x);
}

/** The key in a file, or a new one written there. Throws a ToolError that never holds the key. */
export function keyIn(path: string): Key {
  const made = withFile(path, "written", () => make(path));
  const privateKey = made ?? withFile(path, "read", () => readFileSync(path, "utf8").trim());
  if (!/^[A-Za-z0-9+/]{43}=$/.test(privateKey)) {
    throw new ToolError(
      "cli/key",
      `${path} holds no WireGuard private key: one line of 44 characters, as \`wg genkey\` prints it; name another file, and a new key is made there`,
    );
  }
  const exposed = (statSync(path).mode & 0o077) !== 0;
  return { privateKey, publicKey: publicKeyOf(privateKey), made: made !== undefined, exposed };
}

/** Undefined where the file is there. */
function make(path: string): string | undefined {
  let file: number;
  try {
    file = openSync(path, "wx", 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return undefined;
    throw error;
  }
  const { d } = generateKeyPairSync("x25519").privateKey.export({ format: "jwk" });
  const privateKey = base64(d);
  writeSync(file, `${privateKey}\n`);
  fsyncSync(file);
  closeSync(file);
  return privateKey;
}
