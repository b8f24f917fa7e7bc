/** `overlay key` and `overlay peer`: for a machine of somebody else, its key and its wg-quick file. */
import type { Command } from "commander";
import { missingKey, withPrivateKey } from "../wireguard/quick";
import { ToolError, tell } from "./error";
import { readInput } from "./file";
import { type Key, keyIn } from "./key";
import { qr } from "./qr";

const told = (path: string, { made, exposed, publicKey }: Key): void => {
  if (made) tell(`made ${path}; its public key, to be declared: ${publicKey}`);
  if (exposed) tell(`others may read ${path}: chmod 600 ${path}`);
};

/** The text of a machine: that of a link is the output itself, those of a mesh are in it by name. */
function textOf(name: string, json: string): string {
  let output: unknown;
  try {
    output = JSON.parse(json);
  } catch {
    throw new ToolError("cli/option", "standard input is no JSON: pipe `pulumi stack output NAME --json` into this");
  }
  if (typeof output === "string") return output;
  const texts = Object(output) as Record<string, unknown>;
  const text = texts[name];
  if (typeof text === "string") return text;
  const names = Object.keys(texts).filter((it) => typeof texts[it] === "string");
  throw new ToolError("cli/option", `the output has no file for ${name}, only for ${names.join(", ") || "nobody"}`);
}

function peer(name: string, { key: path, qr: asQr }: { key: string; qr?: true }): void {
  const text = textOf(name, readInput("-"));
  const key = keyIn(path);
  told(path, key);
  const file = withPrivateKey(text, name, key.privateKey);
  if (file === undefined)
    throw new ToolError("cli/option", `the text has no line "${missingKey(name)}": give what output wgQuick says`);
  process.stdout.write(asQr ? `${qr(file)}\n` : file);
}

function key(path: string): void {
  const key = keyIn(path);
  told(path, { ...key, made: false });
  process.stdout.write(`${key.publicKey}\n`);
}

export const addKey = (program: Command): Command =>
  program
    .command("key")
    .description("prints the public key of a machine of somebody else, for `publicKey` of a peer")
    .argument("<file>", "its private key; where there is none yet, one is made there")
    .action(key);

export const addPeer = (program: Command): Command =>
  program
    .command("peer")
    .description("prints the wg-quick file of a machine of somebody else, from the output `wgQuick` on standard input")
    .argument("<name>", "the machine's name, as declared")
    .requiredOption("--key <file>", "its private key; where there is none yet, one is made there")
    .option("--qr", "as a QR code for the WireGuard app")
    .action(peer);
